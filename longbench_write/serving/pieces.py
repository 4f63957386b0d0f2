"""How long a text is in pieces, of which tokenizers make about one token each."""

from __future__ import annotations

import re
from typing import NamedTuple

_IDEOGRAPH = r"\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
_IDEOGRAPHS = re.compile(f"[{_IDEOGRAPH}]")
_OTHERS = re.compile(rf"[^\W\d_{_IDEOGRAPH}]+|\d{{1,3}}|_|[^\w\s]|\n")


class Pieces(NamedTuple):
    """What a text is made of.

    Attributes:
        latin: Words, groups of up to three digits, punctuation marks, underscores and line breaks.
        ideographs: Chinese, Japanese and Korean characters.
    """

    latin: int
    ideographs: int


def count_pieces(text: str) -> Pieces:
    """Count the pieces of a text."""
    return Pieces(len(_OTHERS.findall(text)), len(_IDEOGRAPHS.findall(text)))
