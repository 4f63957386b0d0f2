"""A fault of a suite."""

from __future__ import annotations

from dataclasses import dataclass

_NAMED = 5
"""Prompts that a fault names by their ids."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a suite.

    Attributes:
        check: The name of the check that found it, such as "length".
        ids: The prompts that it is about; none if it is about the whole list.
        text: What is wrong.
    """

    check: str
    ids: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        named = " and ".join(self.ids[:_NAMED])
        more = f" and {len(self.ids) - _NAMED} more" if len(self.ids) > _NAMED else ""
        return f"{self.check}: {named}{more}{': ' if self.ids else ''}{self.text}"
