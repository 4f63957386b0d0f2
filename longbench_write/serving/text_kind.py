"""What kind of text an answer is, as far as that tells how many tokens a tokenizer makes of its size."""

from __future__ import annotations

import re

from longbench_write.serving.pieces import Pieces

ENGLISH = "english"
CHINESE = "chinese"
LATIN = "latin"
PROSE = frozenset((ENGLISH, CHINESE, "japanese", "korean"))
"""Kinds of text whose tokens are much alike."""

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

_LATIN_SHARE = 0.9
_KANA_SHARE = 0.1
_MIXED_SHARE = 0.35
"""Pieces an ideograph that are none: prose has a mark for each six to ten."""


def kind_of(text: str, pieces: Pieces) -> str:
    """Return the kind of a text: one of `PROSE`, "mixed", "latin", or "other".

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
    english = len(_COMMON.findall(text)) >= _ENGLISH_SHARE * words
    plain = len(_MARKS.findall(text)) < words and len(_CAPITALS.findall(text)) <= _CAPITALS_SHARE * words
    return ENGLISH if english and plain else LATIN
