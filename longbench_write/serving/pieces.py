"""How long a text is in pieces, of which tokenizers make about one token each."""

from __future__ import annotations

import re
from typing import NamedTuple

from longbench_write.metrics.scripts import CJK

_IDEOGRAPHS = re.compile(rf"([{CJK}])(?:\1{{2,}})?")
_OTHERS = re.compile(rf"[^\W\d_{CJK}]+|\d{{1,3}}|_+|([^\w\s])\1*|\n+")


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
    """Count the pieces of a text."""
    return Pieces(len(_OTHERS.findall(text)), len(_IDEOGRAPHS.findall(text)))
