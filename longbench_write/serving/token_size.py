"""How large a text is in tokens, but for what tokenizers differ in: finer than its pieces."""

from __future__ import annotations

import re

from longbench_write.metrics.scripts import CJK
from longbench_write.serving.pieces import Pieces

_IDEOGRAPHS = re.compile(f"[{CJK}]")
_WORDS = re.compile(rf"[^\W\d_{CJK}]+")
_DIGITS = re.compile(r"\d{1,3}")
_MARKS = re.compile(r"[^\w\s]+|_+")
_LINES = re.compile(r"(?<![^\w\s])(?<!\n)\n+")
"""Line ends that are tokens of their own: those behind a mark are part of its token."""

_LONG = 7
"""Letters from which on a word is often more than one token."""

_A_WORD, _A_LETTER, _A_CAPITAL, _SOME_DIGITS, _SOME_MARKS, _SOME_LINES = 0.97, 0.17, 0.16, 1.1, 1.25, 1.2
"""Tokens of a word, of each letter of it beyond those, of its capital, of up to three digits, of a row of
marks and of line ends: the mean over cl100k, o200k, qwen, tekken and claude on English prose, which differ
little. They leave a spread of 3% where pieces leave 6%."""


def sized(text: str) -> Pieces:
    """Return a text's size as pieces of which tokenizers make one token each, with fewer exceptions."""
    words = _WORDS.findall(text)
    latin = (
        _A_WORD * len(words)
        + _A_LETTER * sum(len(word) - _LONG for word in words if len(word) > _LONG)
        + _A_CAPITAL * sum(word[0].isupper() for word in words)
        + _SOME_DIGITS * len(_DIGITS.findall(text))
        + _SOME_MARKS * len(_MARKS.findall(text))
        + _SOME_LINES * len(_LINES.findall(text))
    )
    return Pieces(round(latin), len(_IDEOGRAPHS.findall(text)))
