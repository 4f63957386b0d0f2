"""The prompts of llama.cpp's server, known as it makes them: their ids, their end, and what day they show.

The server fills the chat template, and takes the text of a control token in a message for the token. Where a
message has any, the prompt is made of ids here: the messages are filled in with these texts disguised, and
what stands between the prompt's own control tokens is tokenized as text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any

from longbench_write.backends.base import Message
from longbench_write.backends.prompts import CLOCK, DAYS, may_read_clock, told_day
from longbench_write.backends.tokens import Disguise

Post = Callable[[str, dict[str, Any], str], Awaitable[Any]]
"""(path, body, field) -> what the server answers there."""


_DATE = "date_string"
"""A variable that the server sets to today for some families of models."""


def clock_template(template: str) -> str | None:
    """Return what is told a day in a template's place; None where that does not ask the clock for it."""
    return f"{CLOCK}{template}" if may_read_clock(template) else None


def may_show_day(template: str) -> bool:
    """Return whether a template may show the date, which it asks for or is given by the server."""
    return may_read_clock(template) or _DATE in template


def _told(day: date) -> dict[str, Any]:
    """Return the variables of a template that is told a day."""
    told = told_day(day)
    (shown,) = told.values()
    return told | {_DATE: f"{shown['d']} {shown['b']} {shown['Y']}"}


class LocalPrompts:
    """Makes the prompts of one model.

    Args:
        post: Asks the server.
        control: The model's control tokens, by their text.

    Attributes:
        day: The day that the prompts are made with; None where they do not depend on it.
    """

    def __init__(self, post: Post, control: Mapping[str, int]) -> None:
        self.day: date | None = None
        self._told: dict[str, Any] = {}
        self._post = post
        self._control = control
        self._disguise = Disguise(control)

    async def freeze(self, day: date | None) -> None:
        """Choose the day, for a template that may show one; a server has its `clock_template` instead.

        Args:
            day: The one to be told; None for today.
        """
        chat = [Message(role="user", content="?")]
        one, other = [await self._filled(chat, _told(each)) for each in DAYS]
        self.day = (day or date.today()) if one != other else None
        self._told = _told(self.day or DAYS[0])  # the template's macro wants one

    def variables(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables of the template: those of a request, and the day."""
        return {**self._told, **options}

    async def text(self, messages: Sequence[Message], options: Mapping[str, Any]) -> str:
        """Return a prompt as the server makes it."""
        return await self._filled(messages, self.variables(options))

    def has_control_text(self, messages: Sequence[Message]) -> bool:
        """Return whether the text of a control token stands in a message."""
        return any(self._disguise.found.search(message["content"]) for message in messages)

    async def ids(self, messages: Sequence[Message], options: Mapping[str, Any]) -> list[int]:
        """Return a prompt's token ids, in which the text of control tokens in messages is text."""
        hidden = [
            Message(role=message["role"], content=self._disguise.hide(message["content"]))
            for message in messages
        ]
        ids: list[int] = []
        for piece, token in self._disguise.pieces(await self._filled(hidden, self.variables(options))):
            ids += await self._tokens(piece) if piece else []
            ids += [] if token is None else [self._control[token]]
        begin = await self._tokens("", add_special=True)
        return ids if ids[: len(begin)] == begin else begin + ids

    async def whole(self, prompt: str) -> list[int]:
        """Return the ids of a prompt's text as the server makes them."""
        return await self._tokens(prompt, add_special=True, parse_special=True)

    async def _filled(self, messages: Sequence[Message], variables: Mapping[str, Any]) -> str:
        body: dict[str, Any] = {"messages": list(messages)}
        if variables:
            body["chat_template_kwargs"] = dict(variables)
        return str(await self._post("apply-template", body, "prompt"))

    async def _tokens(
        self, text: str, *, add_special: bool = False, parse_special: bool = False
    ) -> list[int]:
        body = {"content": text, "add_special": add_special, "parse_special": parse_special}
        return list(await self._post("tokenize", body, "tokens"))
