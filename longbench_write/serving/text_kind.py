"""What kind of text an answer is, as far as that tells how many tokens a tokenizer makes of a piece."""

from __future__ import annotations

import re

from longbench_write.serving.pieces import Pieces

ENGLISH = "english"
LATIN = "latin"

_LOOKED_AT = 5000
"""Characters of a text's beginning that tell its kind."""

_LETTERS = re.compile(r"[^\W\d_]")
_LATIN_LETTERS = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_WORDS = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_COMMON = re.compile(
    r"\b(?:the|of|and|to|a|in|that|it|is|was|i|he|for|with|as|his|on|be|at|by|had|not|but|from|have|were|her|she|"
    r"you|they|this|which|or|are|an|their|my)\b",
    re.IGNORECASE,
)
"""The most common English words."""

_ENGLISH_SHARE = 0.2
"""Of the words of a text in English prose, which is 0.35 to 0.5; code, tables, other languages have less."""

_LATIN_SHARE = 0.9
_KANA_SHARE = 0.1


def kind_of(text: str, pieces: Pieces) -> str:
    """Return the kind of a text: "english", "latin", "chinese", "japanese", "korean" or "other".

    Args:
        text: The text.
        pieces: What it is made of.
    """
    text = text[:_LOOKED_AT]
    if pieces.ideographs > pieces.latin:
        if len(_HANGUL.findall(text)) > 0.5 * pieces.ideographs:
            return "korean"
        return "japanese" if len(_KANA.findall(text)) > _KANA_SHARE * pieces.ideographs else "chinese"
    if len(_LATIN_LETTERS.findall(text)) < _LATIN_SHARE * len(_LETTERS.findall(text)):
        return "other"
    words, common = len(_WORDS.findall(text)), len(_COMMON.findall(text))
    return ENGLISH if common >= _ENGLISH_SHARE * max(1, words) else LATIN
