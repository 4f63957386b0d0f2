"""From chat messages to the tokens that a model is given: its chat template, a pattern, or the bare text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from longbench_write.backends.base import Message
from longbench_write.backends.model_cards import ModelCard
from longbench_write.errors import UsageError

CHAT, RAW = "chat", "raw"
"""The prompt formats that have a name; any other is the path of a chat template."""

_BARE = "{prompt}"


class Tokenizer(Protocol):
    """What is needed of a Hugging Face tokenizer."""

    unk_token: str | None
    unk_token_id: int | None

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Return the prompt of a conversation."""

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Return the token ids of a text."""

    def convert_tokens_to_ids(self, tokens: str) -> int | None:
        """Return the id of one token."""


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """How messages become a prompt.

    Attributes:
        pattern: The prompt with `{prompt}` for the messages' text; None where a chat template makes it.
        template: A Jinja chat template; None for the model's own.
    """

    pattern: str | None = None
    template: str | None = None

    def text(self, tokenizer: Tokenizer, messages: Sequence[Message]) -> str:
        """Make the prompt as text, without what the tokenizer puts before it.

        Raises:
            UsageError: The model has no chat template, or the template cannot be filled.
        """
        if self.pattern is not None:
            return self.pattern.replace(_BARE, "\n\n".join(message["content"] for message in messages))
        import jinja2

        try:
            text: str = tokenizer.apply_chat_template(
                list(messages), chat_template=self.template, tokenize=False, add_generation_prompt=True
            )
        except (ValueError, jinja2.TemplateError) as error:
            if self.template is not None:
                raise UsageError(
                    f"the chat template cannot be filled ({error}): fix --prompt-format"
                ) from None
            raise UsageError(
                "the model has no chat template: take --prompt-format raw for a model that continues texts,"
                " or give the path of a chat template there"
            ) from None
        return text

    def token_ids(self, tokenizer: Tokenizer, messages: Sequence[Message]) -> list[int]:
        """Make the prompt's tokens; what begins a text stands once before them.

        A chat template says itself how a text begins. Before any other prompt stands what the tokenizer puts
        before a text, unless the prompt has it already.
        """
        ids = tokenizer.encode(self.text(tokenizer, messages), add_special_tokens=False)
        if self.pattern is None:
            return ids
        begin = tokenizer.encode("", add_special_tokens=True)
        return ids if ids[: len(begin)] == begin else begin + ids


def choose_format(name: str | None, card: ModelCard | None) -> PromptFormat:
    """Choose the prompt format for a model.

    Args:
        name: "chat", "raw", the path of a Jinja file, or None for the card's.
        card: The model's card.

    Raises:
        UsageError: There is no such file.
    """
    if name is None and card is not None and card.prompt is not None:
        return PromptFormat(pattern=card.prompt)
    if name in (None, CHAT):
        return PromptFormat()
    return PromptFormat(pattern=_BARE) if name == RAW else PromptFormat(template=read_template(str(name)))


def read_template(path: str) -> str:
    """Read the text of a chat template.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"--prompt-format {path}: neither {CHAT}, {RAW} nor the path of a chat template"
        ) from None


def stop_token_ids(tokenizer: Tokenizer, tokens: Sequence[str]) -> list[int]:
    """Return the ids of tokens that end a response.

    Raises:
        UsageError: The tokenizer has no such token, so that the model is not the one that the card is about.
    """
    ids = []
    for token in tokens:
        found = tokenizer.convert_tokens_to_ids(token)
        if found is None or (found == tokenizer.unk_token_id and token != tokenizer.unk_token):
            raise UsageError(
                f"the model's tokenizer has no {token}, with which its card says that responses end: "
                "give the folder another name if it contains another model"
            )
        ids.append(found)
    return ids
