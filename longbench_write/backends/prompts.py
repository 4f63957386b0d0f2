"""From chat messages to the tokens that a model is given: its chat template, a pattern, or the bare text."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from longbench_write.backends.base import Message
from longbench_write.backends.model_cards import ModelCard
from longbench_write.backends.tokens import Encoder, Tokenizer
from longbench_write.errors import UsageError
from longbench_write.files.reading import read_text

CHAT, RAW = "chat", "raw"
"""The prompt formats that have a name; any other is the path of a chat template."""

_BARE = "{prompt}"
DAYS = (date(2001, 2, 3), date(2024, 12, 31))
"""Two days that differ in all that a template may show of them."""
_OPENING = (
    "<think>",
    "<thinking>",
    "<thought>",
    "<reasoning>",
    "<seed:think>",
    "[THINK]",
    "<|START_THINKING|>",
)
"""Tags of reasoning that a chat template may open."""
_DAY = "lbw_day"
CLOCK = (
    "{%- macro strftime_now(format) -%}{%- for part in format.split('%') -%}"
    "{%- if loop.first -%}{{ part }}"
    f"{{%- elif part[:1] == '-' -%}}{{{{ {_DAY}[part[:2]] ~ part[2:] }}}}"
    f"{{%- else -%}}{{{{ {_DAY}[part[:1]] ~ part[1:] }}}}{{%- endif -%}}"
    "{%- endfor -%}{%- endmacro -%}"
)
"""A macro in the place of transformers' `strftime_now`, to which it passes plain data but no function."""
_ANSWER = "\ue002answer\ue002"


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """How messages become a prompt.

    Attributes:
        pattern: The prompt with `{prompt}` for the messages' text; None where a chat template makes it.
        template: A Jinja chat template; None for the model's own.
        content_apart: Whether a pattern's parts and the messages' text are tokenized each by itself.
    """

    pattern: str | None = None
    template: str | None = None
    content_apart: bool = False


class TokenPrompt(NamedTuple):
    """What a model is given.

    Attributes:
        ids: Token ids.
        opened: The tag of a block of reasoning that the prompt ends in; "" for none.
    """

    ids: list[int]
    opened: str


class Prompts:
    """Makes a model's prompts.

    Args:
        tokenizer: The model's.
        prompt_format: How messages become a prompt.
        day: What a template that asks for the date is told; None for today.

    Attributes:
        day: The date that the prompts are made with; None where they do not depend on it.
        control: The tokenizer's control tokens, by their text.
    """

    def __init__(self, tokenizer: Tokenizer, prompt_format: PromptFormat, day: date | None = None) -> None:
        self._tokenizer = tokenizer
        self._format = prompt_format
        self._template = None if prompt_format.pattern else prompt_format.template or _own(tokenizer)
        self._encoder = Encoder(tokenizer, self._template)
        self.control = self._encoder.control
        self.day: date | None = None
        if self._reads_the_clock():
            self.day = day or date.today()

    def text(self, messages: Sequence[Message], options: Mapping[str, Any] | None = None) -> str:
        """Make a prompt as text, without what the tokenizer puts before it.

        Args:
            messages: The chat.
            options: Variables for the chat template.

        Raises:
            UsageError: The model has no chat template, or the template cannot be filled.
        """
        return self._encoder.disguise.shown(self._render(self._disguised(messages), options or {}))

    def make(self, messages: Sequence[Message], options: Mapping[str, Any] | None = None) -> TokenPrompt:
        """Make a prompt; what begins a text stands once before them.

        A chat template says itself how a text begins. Before any other prompt stands what the tokenizer puts
        before a text, unless the prompt has it already.

        Args:
            messages: The chat.
            options: Variables for the chat template.

        Raises:
            UsageError: See `text`.
        """
        disguised = self._disguised(messages)
        pattern = self._format.pattern
        if pattern is None:
            text = self._render(disguised, options or {})
            return TokenPrompt(self._encoder.ids(text), opened_at_end(text))
        if self._format.content_apart:
            before, _, after = pattern.partition(_BARE)
            parts = [before, _joined(disguised), after]
        else:
            parts = [self._render(disguised, {})]
        ids = [number for part in parts if part for number in self._encoder.ids(part)]
        begin = self._encoder.begin
        return TokenPrompt(ids if ids[: len(begin)] == begin else begin + ids, "")

    @cached_property
    def end_of_turn(self) -> str | None:
        """The control token that the chat template puts behind an answer; None where it puts none."""
        if self._format.pattern is not None:
            return None
        chat = [Message(role="user", content="?"), Message(role="assistant", content=_ANSWER)]
        try:
            shown = self._apply(chat, {}, add_generation_prompt=False)
        except UsageError:
            return None  # a template for single turns
        behind = shown.partition(_ANSWER)[2]
        tokens = [(place, text) for text in self.control if (place := behind.find(text)) >= 0]
        return min(tokens)[1] if tokens else None

    def about(self) -> dict[str, Any]:
        """Return what run.yaml says of the prompts: hash of the template, date, and one prompt."""
        made = self._format.pattern or self._template
        return {
            "template_sha256": hashlib.sha256(made.encode()).hexdigest() if made else None,
            "date": self.day.isoformat() if self.day else None,
            "sample": self.text([Message(role="user", content=_BARE)]),
        }

    def _disguised(self, messages: Sequence[Message]) -> list[Message]:
        return [
            Message(role=message["role"], content=self._encoder.disguise.hide(message["content"]))
            for message in messages
        ]

    def _render(self, messages: Sequence[Message], options: Mapping[str, Any]) -> str:
        if self._format.pattern is not None:
            return self._format.pattern.replace(_BARE, _joined(messages))
        return self._apply(messages, options)

    def _apply(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        *,
        add_generation_prompt: bool = True,
        day: date | None = None,
    ) -> str:
        import jinja2

        template, frozen = self._format.template, {}
        if day := day or self.day:
            template, frozen = f"{CLOCK}{self._template}", told_day(day)
        try:
            text: str = self._tokenizer.apply_chat_template(
                list(messages),
                chat_template=template,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **{**frozen, **options},
            )
        except (ValueError, TypeError, jinja2.TemplateError) as error:
            if self._template is not None:
                fix = "fix --prompt-format" if self._format.template else "give another with --prompt-format"
                raise UsageError(f"the chat template cannot be filled ({error}): {fix}") from None
            raise UsageError(
                "the model has no chat template: take --prompt-format raw for a model that continues texts,"
                " or give the path of a chat template there"
            ) from None
        return text

    def _reads_the_clock(self) -> bool:
        chat = [Message(role="user", content="?")]
        if self._format.pattern is not None or not may_read_clock(self._template or ""):
            return False
        one, other = (self._apply(chat, {}, day=day) for day in DAYS)
        return one != other


def _joined(messages: Sequence[Message]) -> str:
    return "\n\n".join(message["content"] for message in messages)


def opened_at_end(prompt: str) -> str:
    """Return the tag of a block of reasoning that a prompt ends in; "" for none."""
    return next((tag for tag in _OPENING if prompt.rstrip().endswith(tag)), "")


def may_read_clock(template: str) -> bool:
    """Return whether a chat template names the function that reads the clock."""
    return "strftime_now" in template


def told_day(day: date) -> dict[str, Any]:
    """Return the variable by which a template behind `CLOCK` knows a day: what strftime shows of its noon."""
    noon = datetime.combine(day, time(12))
    letters = "aAbBcdHIjmMpSUwWxXyYZz"
    padded = {letter: noon.strftime(f"%{letter}") for letter in letters}
    bare = {f"-{letter}": padded[letter].lstrip("0") or "0" for letter in "dHIjmMSUWy"}
    return {_DAY: padded | bare}


def _own(tokenizer: Tokenizer) -> str | None:
    """Return the chat template that a tokenizer takes by itself."""
    template = getattr(tokenizer, "chat_template", None)
    return template.get("default") if isinstance(template, dict) else template


def choose_format(name: str | None, card: ModelCard | None) -> PromptFormat:
    """Choose the prompt format for a model.

    Args:
        name: "chat", "raw", the path of a Jinja file, or None for the card's.
        card: The model's card.

    Raises:
        UsageError: There is no such file.
    """
    if name is None and card is not None and card.prompt is not None:
        return PromptFormat(pattern=card.prompt, content_apart=card.content_apart)
    if name in (None, CHAT):
        return PromptFormat()
    return PromptFormat(pattern=_BARE) if name == RAW else PromptFormat(template=read_template(str(name)))


def read_template(path: str) -> str:
    """Read the text of a chat template.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return read_text(Path(os.path.expanduser(path)))
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
