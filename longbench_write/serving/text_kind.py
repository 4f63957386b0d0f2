"""What kind of text an answer is, as far as that tells how many tokens a tokenizer makes of its size."""

from __future__ import annotations

import re

from longbench_write.serving.pieces import Pieces

ENGLISH = "english"
CHINESE = "chinese"
LATIN = "latin"
STRUCTURED = "structured"
"""Code, tables, drawings, capitals throughout: their tokens do not follow their size."""

_LOOKED_AT = 5000
"""Characters of a text's beginning that tell its kind."""

_LETTERS = re.compile(r"[^\W\d_]")
_LATIN_LETTERS = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_WORDS = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")
_MARKS = re.compile(r"[^\w\s]")
_COMMON = re.compile(
    r"\b(?:the|of|and|to|a|in|that|it|is|was|i|he|for|with|as|his|on|be|at|by|had|not|but|from|have|were|her|she|"
    r"you|they|this|which|or|are|an|their|my)\b",
    re.IGNORECASE,
)
"""The most common English words."""

_ENGLISH_SHARE = 0.2
"""Of the words of a text in English prose, which is 0.35 to 0.5; code, tables, other languages have less."""

_CAPITALS_SHARE = 0.2
"""Of the words, in capitals throughout, which take two or three tokens for one."""

_MOST_MARKS = 1.0
"""Marks a word from which on a text is none of sentences: dialogues have up to 0.9."""

_MARKS_OF_PROSE = 0.6
"""The same for a text that is not English, as code is not; German and French prose has up to 0.45."""

_LATIN_SHARE = 0.9
_KANA_SHARE = 0.1
_MIXED_SHARE = 0.31
"""Pieces an ideograph that are none: prose has a mark for each six to ten."""


def kind_of(text: str, pieces: Pieces) -> str:
    """Return the kind of a text.

    "english", "chinese", "japanese", "korean"; "latin" for other prose in Latin letters, "mixed" for
    ideographs between those, "structured", or "other".

    Args:
        text: The text.
        pieces: Its size.
    """
    text = text[:_LOOKED_AT]
    if pieces.ideographs > pieces.latin:
        if pieces.latin > _MIXED_SHARE * pieces.ideographs:
            return "mixed"
        ideographs = len(_LETTERS.findall(text))
        if len(_HANGUL.findall(text)) > 0.5 * ideographs:
            return "korean"
        return "japanese" if len(_KANA.findall(text)) > _KANA_SHARE * ideographs else CHINESE
    if len(_LATIN_LETTERS.findall(text)) < _LATIN_SHARE * len(_LETTERS.findall(text)):
        return "other"
    words = max(1, len(_WORDS.findall(text)))
    marks = len(_MARKS.findall(text)) / words
    if marks >= _MOST_MARKS or len(_CAPITALS.findall(text)) > _CAPITALS_SHARE * words:
        return STRUCTURED
    if len(_COMMON.findall(text)) >= _ENGLISH_SHARE * words:
        return ENGLISH
    return LATIN if marks < _MARKS_OF_PROSE else STRUCTURED
