"""From a prompt's text to token ids, in which the text of a control token inside a message stays text.

A tokenizer takes `<|user|>` for its control token wherever it stands. Before a prompt is made, the text of
control tokens in the messages is therefore disguised (`Encoder.disguise`). To make the ids, the control
tokens that the prompt's own format has put there get names that nobody can guess, in the text as well as in a
copy of the tokenizer, and the disguise is taken off: what then looks like a control token is none.
"""

from __future__ import annotations

import importlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

_OPEN, _CLOSE = "\ue000", "\ue001"
"""Private-use characters, which no normalizer changes."""

_MARK = re.compile(r"<[|｜].*[|｜]>")
"""What control tokens look like, the ones included that tokenizers do not call special."""


class Tokenizer(Protocol):
    """What is needed of a Hugging Face tokenizer."""

    unk_token: str | None
    unk_token_id: int | None

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Return the prompt of a conversation."""

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Return the token ids of a text."""

    def decode(
        self, ids: Sequence[int], *, skip_special_tokens: bool, clean_up_tokenization_spaces: bool
    ) -> str:
        """Return the text of token ids."""

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """Return the id of one token, or those of a list."""


def control_tokens(tokenizer: Tokenizer, template: str | None) -> dict[str, int]:
    """Return the control tokens of a tokenizer, by their text.

    These are its special tokens, those whose text looks like one, and those that the chat template writes;
    other added tokens, such as runs of spaces, are ordinary text.

    Args:
        tokenizer: The model's.
        template: Its chat template.
    """
    added: Mapping[int, Any] = getattr(tokenizer, "added_tokens_decoder", {})
    return {
        text: number
        for number, token in added.items()
        if (text := str(token))
        and (token.special or _MARK.fullmatch(text) or (template is not None and text in template))
    }


class Disguise:
    """Hides the text of control tokens in messages, so that a prompt's own can be told from it.

    Args:
        control: The texts.

    Attributes:
        found: Matches any of them.
    """

    def __init__(self, control: Iterable[str]) -> None:
        self._texts = list(control)
        longest_first = sorted(self._texts, key=len, reverse=True)
        self.found = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        key = secrets.token_hex(8)
        numbered = list(enumerate(self._texts))
        self._disguises = {text: f"{_OPEN}{key}a{number}{_CLOSE}" for number, text in numbered}
        self.aliases = {text: f"{_OPEN}{key}b{number}{_CLOSE}" for number, text in numbered}
        self._disguised = re.compile(f"{_OPEN}{key}a([0-9]+){_CLOSE}")

    def hide(self, text: str) -> str:
        """Return the text with every control token's text disguised."""
        return self.found.sub(lambda found: self._disguises[found[0]], text)

    def shown(self, text: str) -> str:
        """Return a text without disguises, as a person reads it."""
        return self._disguised.sub(lambda found: self._texts[int(found[1])], text)

    def hides(self, text: str) -> bool:
        """Return whether something in a text is disguised."""
        return self._disguised.search(text) is not None

    def pieces(self, text: str) -> Iterator[tuple[str, str | None]]:
        """Yield what stands between control tokens of a prompt, shown, and the token behind it, if any."""
        done = 0
        for found in self.found.finditer(text):
            yield self.shown(text[done : found.start()]), found[0]
            done = found.end()
        yield self.shown(text[done:]), None


class Encoder:
    """Makes the ids of prompts.

    Args:
        tokenizer: The model's.
        template: Its chat template, None where it has none.

    Attributes:
        control: The control tokens, by their text.
    """

    def __init__(self, tokenizer: Tokenizer, template: str | None = None) -> None:
        self._tokenizer = tokenizer
        self.control = control_tokens(tokenizer, template)
        self.disguise = Disguise(self.control)

    def ids(self, text: str) -> list[int]:
        """Return the ids of a prompt: its control tokens are control tokens, the disguised ones text."""
        if not self.disguise.hides(text):
            return self._whole(text)
        if self._renamed is None:
            return self._in_pieces(text)
        aliases = self.disguise.aliases
        aliased = self.disguise.shown(self.disguise.found.sub(lambda found: aliases[found[0]], text))
        return list(self._renamed.encode(aliased, add_special_tokens=False).ids)

    @cached_property
    def begin(self) -> list[int]:
        """The ids that the tokenizer puts before a text; what it appends is left out."""
        inner = self._whole("a")
        build = getattr(self._tokenizer, "build_inputs_with_special_tokens", None)
        if self._is_slow and build:
            whole = list(build(inner))
        else:
            whole = list(self._tokenizer.encode("a", add_special_tokens=True))
        starts = [n for n in range(len(whole)) if whole[n : n + len(inner)] == inner]
        return whole[: starts[0]] if starts else []

    @cached_property
    def _is_slow(self) -> bool:
        """Whether it is written in Python: its `encode` may be older than what transformers calls it with."""
        return getattr(self._tokenizer, "backend_tokenizer", None) is None and hasattr(
            self._tokenizer, "tokenize"
        )

    def _whole(self, text: str) -> list[int]:
        if self._is_slow:
            return self._plain(text)
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _plain(self, text: str, **options: Any) -> list[int]:
        tokens = self._tokenizer.tokenize(text, **options)  # type: ignore[attr-defined]
        return list(self._tokenizer.convert_tokens_to_ids(tokens)) if tokens else []

    def _in_pieces(self, text: str) -> list[int]:
        """Encode what stands between control tokens by itself."""
        ids: list[int] = []
        for piece, token in self.disguise.pieces(text):
            ids += self._text(piece) if piece else []
            ids += [] if token is None else [self.control[token]]
        return ids

    def _text(self, text: str) -> list[int]:
        """Encode a text without any control token, whatever it contains."""
        ids = self._plain(text, split_special_tokens=True)
        if not set(ids) & set(self.control.values()):
            return ids
        # This tokenizer knows no such option: a control token that is cut in two is none.
        cuts = [0, *(found.start() + 1 for found in self.disguise.found.finditer(text)), len(text)]
        return [
            number for start, end in pairwise(cuts) if start < end for number in self._plain(text[start:end])
        ]

    @cached_property
    def _renamed(self) -> Any:
        """The tokenizer with aliases for its control tokens; None where it is written in Python."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        if backend is None:
            return None
        content, aliases = json.loads(backend.to_str()), self.disguise.aliases
        for token in content["added_tokens"]:
            token["content"] = aliases.get(token["content"], token["content"])
        vocabulary = content["model"]["vocab"]
        if isinstance(vocabulary, dict):
            content["model"]["vocab"] = {
                aliases.get(text, text): number for text, number in vocabulary.items()
            }
        else:
            content["model"]["vocab"] = [[aliases.get(text, text), score] for text, score in vocabulary]
        content |= {"post_processor": None, "truncation": None, "padding": None}
        return importlib.import_module("tokenizers").Tokenizer.from_str(json.dumps(content))
