"""How long a text is in pieces, of which tokenizers make about one token each."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from longbench_write.metrics.scripts import CJK

_IDEOGRAPHS = re.compile(rf"([{CJK}])(?:\1{{2,}})?")
_OTHERS = re.compile(rf"[^\W\d_{CJK}]+|\d{{1,3}}|_+|([^\w\s])\1*")
_BREAKS = re.compile(r"\n+")

_LINES, _LINE = 4096, 4000
"""Lines that are remembered, and characters of the longest: a few megabytes as a rule."""


class Pieces(NamedTuple):
    """What a text is made of.

    Attributes:
        latin: Words, groups of up to three digits, punctuation marks, underscores and line breaks.
        ideographs: Chinese, Japanese and Korean characters.

    One mark, line break or ideograph many times in a row is one piece: tokenizers have tokens for such runs.
    """

    latin: int
    ideographs: int


def count_pieces(text: str) -> Pieces:
    """Count the pieces of a text.

    No piece but a run of line breaks goes beyond its line, and the prompts of a writer of many calls repeat
    theirs: the plan, and the text so far.
    """
    latin, ideographs = len(_BREAKS.findall(text)), 0
    for line in text.split("\n"):
        if line:
            others, characters = _count_cached(line) if len(line) <= _LINE else _count(line)
            latin += others
            ideographs += characters
    return Pieces(latin, ideographs)


def _count(line: str) -> tuple[int, int]:
    return len(_OTHERS.findall(line)), 0 if line.isascii() else len(_IDEOGRAPHS.findall(line))


_count_cached = lru_cache(_LINES)(_count)
