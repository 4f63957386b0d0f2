"""A response that does not fit the judge's context, judged in consecutive parts that do."""

from __future__ import annotations

import itertools
import re

PARTS = (2, 4, 8, 16, 32, 64)
"""Into how many parts a response is cut, one after the other until each part fits."""

_ENDS = (r"\n\s*\n\s*", r"\n", r"[.!?。！？…]+[\"'”’」』)]*\s*", r"\s+")
"""What a part had best end with, the best first."""


def split(text: str, parts: int) -> list[str]:
    """Cut a text into consecutive parts of about the same length, at the ends of paragraphs or sentences.

    Joined, they are the text; fewer come back where the text is too short for so many.
    """
    share = len(text) / parts
    cuts = [0]
    for number in range(1, parts):
        cuts.append(max(cuts[-1], _cut(text, round(number * share), max(1, round(share / 4)))))
    cuts.append(len(text))
    return [text[start:end] for start, end in itertools.pairwise(cuts) if end > start]


def _cut(text: str, ideal: int, reach: int) -> int:
    """Find the best place to cut within reach of an ideal one."""
    start = max(0, ideal - reach)
    window = text[start : ideal + reach]
    for ending in _ENDS:
        if places := [start + match.end() for match in re.finditer(ending, window)]:
            return min(places, key=lambda place: abs(place - ideal))
    return ideal


def placed(part: str, number: int, parts: int) -> str:
    """Return a part as the judge gets it: with its place in the text, from 1."""
    return (
        f"[This is part {number} of {parts} of one long text, which is judged part by part. Do not mark it "
        f"down for what other parts hold, nor for where it begins and ends.]\n\n{part}"
    )
