"""How long a text is in pieces, of which tokenizers make about one token each."""

from __future__ import annotations

import re
from typing import NamedTuple

IDEOGRAPH = r"\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
"""Chinese, Japanese and Korean characters, as a regular expression has them between brackets."""

_IDEOGRAPHS = re.compile(rf"([{IDEOGRAPH}])(?:\1{{2,}})?")
_OTHERS = re.compile(rf"[^\W\d_{IDEOGRAPH}]+|\d{{1,3}}|_+|([^\w\s])\1*|\n+")


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
    return Pieces(sum(1 for _ in _OTHERS.finditer(text)), sum(1 for _ in _IDEOGRAPHS.finditer(text)))
