"""Streams that are more than one answer, none, or one that is told in an odd way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from .answers import Answer

TOKENS = 412
"""Billed for no text."""

_PAST = 20
"""Times its limit that a stream goes on which has no end, should nobody close it."""


def odd_texts(answer: Answer, pieces: list[str], limit: int) -> list[str]:
    """Return the texts of the deltas of an answer, as its fault has them.

    Args:
        answer: What is streamed.
        pieces: Its text in pieces.
        limit: New tokens that were asked for.
    """
    words = answer.text.split()
    if answer.fault == "cumulative":
        return list(itertools.accumulate(pieces))
    if answer.fault == "replayed":
        return [*pieces, answer.text]
    if answer.fault == "stripped":
        return words
    if answer.fault == "endless":
        return [f"{word} " for word in itertools.islice(itertools.cycle(words), _PAST * limit)]
    return [] if answer.fault in ("tool_call", "billed") else pieces


def odd_choices(answer: Answer, texts: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the id and the choice of each frame that has a part of the text."""
    half = len(texts) // 2
    if answer.fault == "tool_call":
        yield "c-1", {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f"}}]}}
    for place, text in enumerate(texts):
        index = int(answer.fault == "two_choices" and place >= half)
        yield "c-1", {"index": index, "delta": {"content": text}}
        if answer.fault == "spliced" and place == half:
            break
    if answer.fault == "spliced":
        yield "c-2", {"index": 0, "delta": {"role": "assistant", "content": ""}}
        for text in texts:
            yield "c-2", {"index": 0, "delta": {"content": text}}
