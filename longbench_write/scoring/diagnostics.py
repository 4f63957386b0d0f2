"""Flags of a response that neither score shows: empty, looping, in the wrong language, a refusal.

Each takes time linear in the text and only says what is likely; no score depends on one.
"""

from __future__ import annotations

import functools
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import regex

from longbench_write.metrics.length import count_words, parted

WORD_GRAM = 6
"""Words in an n-gram of `repetition`."""
CHARACTER_GRAM = 10
"""Characters in an n-gram of `repetition`, where most of the text is Chinese, Japanese or Korean."""
REPEATED_SHARE = 0.2
"""A loop from this share of repeated text on. Varied long prose stays under 0.05."""
COMPRESSED_SHARE = 0.15
"""A loop if zlib leaves less than this share of the bytes. Varied prose leaves 0.3 to 0.5."""
COMPRESSIBLE_BYTES = 1000
"""UTF-8 bytes that a text must have for the compressed share to mean anything."""
REFUSAL_WORDS = 150
"""A refusal has at most so many words (official count)."""
REFUSAL_OPENING = 300
"""Characters in which a refusal has to begin to be seen."""

_CJK = r"\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
_UNIT = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_NUMBER = re.compile(r"\d+")
_ALPHANUMERIC = bytes(place if chr(place).isalnum() else ord(" ") for place in range(128)).ljust(256)
_ALPHABETIC = bytes(ord("a" if chr(place).isalpha() else " ") for place in range(128)).ljust(256)
"""What stands for each byte of an ASCII text where only its words are looked at."""


def is_empty(text: str) -> bool:
    """Return whether a text is nothing but white space."""
    return not text.strip()


@dataclass(frozen=True, slots=True)
class Repetition:
    """How much a text repeats itself.

    Attributes:
        share: The share of the text that lies inside n-grams which have occurred before, 0 to 1.
        start: Where the loop begins, as a share of the text: with the passage in which what is repeated
            exceeds by most what is not; None where no words repeat so much.
        compressed: The share of its UTF-8 bytes that zlib leaves; None for a text too short to say.
    """

    share: float
    start: float | None
    compressed: float | None

    @property
    def is_loop(self) -> bool:
        """Much of the text repeats itself word for word, or it compresses as no prose does.

        The second sign catches what the first cannot: rows of punctuation or emoji, endless single words.
        """
        compresses = self.compressed is not None and self.compressed < COMPRESSED_SHARE
        return compresses or self.share >= REPEATED_SHARE


def repetition(text: str) -> Repetition:
    """Measure how much a text repeats itself.

    The n-grams are of words (letter case aside, all numbers alike, so that a loop that numbers its turns is
    seen), or of characters where most units are CJK characters; a passage's first occurrence is not counted.
    """
    units = _units(_NUMBER.sub("0", text.lower()))
    cjk = sum(1 for unit in units if len(unit) == 1 and unit > "\u3000")
    n = CHARACTER_GRAM if 2 * cjk > len(units) else WORD_GRAM
    grams = zip(*(itertools.islice(units, i, None) for i in range(n)), strict=False)
    seen: dict[tuple[str, ...], int] = {}
    repeated: list[range] = []
    end = 0
    for start, first in enumerate(map(seen.setdefault, grams, itertools.count())):
        if first < start:
            repeated.append(range(max(start, end), start + n))
            end = start + n
    share = sum(map(len, repeated)) / len(units) if units else 0.0
    loop = _loop_start(repeated) / len(units) if share >= REPEATED_SHARE else None
    return Repetition(share, loop, _compressed(text))


def _units(text: str) -> list[str]:
    """Return words and CJK characters, in their order."""
    if text.isascii():
        return text.encode().translate(_ALPHANUMERIC).decode().split()
    return _UNIT.findall(text)


def _loop_start(repeated: Sequence[range]) -> int:
    """Return the first unit of the passage in which what is repeated exceeds by most what is not."""
    best = excess = start = first = end = 0
    for stretch in repeated:
        excess -= stretch.start - end
        if excess <= 0:
            excess, start = 0, stretch.start
        excess += len(stretch)
        if excess > best:
            best, first = excess, start
        end = stretch.stop
    return first


def _compressed(text: str) -> float | None:
    raw = text.encode("utf-8", "surrogatepass")
    return len(zlib.compress(raw)) / len(raw) if len(raw) >= COMPRESSIBLE_BYTES else None


@functools.cache
def _script_units() -> Any:
    """Return one match a run of characters of a script, or of several that are counted together."""
    return regex.compile(
        r"(?V1)(?P<zh>\p{Han}+)|(?P<en>\p{Latin}+)|(?P<kana>[\p{Hiragana}\p{Katakana}]+)"
        r"|(?P<hangul>\p{Hangul}+)|(?P<other>[\p{L}--[\p{Han}\p{Latin}\p{Hiragana}\p{Katakana}\p{Hangul}]]+)"
    )


_CHARACTERS = ("zh", "kana", "hangul")
"""Scripts of which a unit is a character, and not a run of them."""


def is_wrong_language(text: str, language: str) -> bool:
    """Return whether another script than the language's own dominates.

    Units are counted, a word or a CJK character each, so that English terms in Chinese prose do not weigh by
    their letters. A text without letters is not wrong. Another Latin-script language passes for English.

    Args:
        text: The response.
        language: "en" or "zh"; any other is never wrong.
    """
    if language not in ("en", "zh"):
        return False
    ascii_words, others = parted(text)
    units = Counter(en=(b" " + ascii_words.encode().translate(_ALPHABETIC)).count(b" a"))
    for match in _script_units().finditer(others):
        units[match.lastgroup] += match.end() - match.start() if match.lastgroup in _CHARACTERS else 1
    return units[language] < max(units.values())


_SORRY_EN = (
    r"(?:(?:i'm|i am|we're|we are) (?:\w+ )?(?:sorry|afraid)|sorry|apologies|i apologi[sz]e|unfortunately)"
    r"(?:\W{1,3}(?:but|that|and|however))?\W{1,3}"
)
_AS_AI_EN = r"as an? [^.,]{1,60}, "
_CANNOT_EN = (
    r"(?:i|we)(?: |(?='))(?:\w+ ){0,2}"
    r"(?:can(?:no|')t|can not|won't|will not|(?:am |'m |are |'re )?(?:not able|unable) to|must decline to) "
    r"(?:\w+ ){0,3}(?:help|assist|comply|fulfill?|engage|continue|support|do that|"
    r"(?:write|create|provide|generate|produce|complete|answer|share) "
    r"(?:you|your|this|that|such|a|an|any|content|the))\b"
)
_DECLINE_EN = r"(?:i|we) (?:have to|must|need to|will have to) (?:respectfully )?(?:decline|refuse)\b"
_SORRY_ZH = (
    r"(?:我?们?(?:非常|很|十分|实在|真的|感到)*)(?:抱歉|对不起|不好意思)[，,。！! ]{0,3}"
    r"(?:但是?|作为[^，,。]{1,20}[，,])?"
)
_AS_AI_ZH = r"(?:作为|身为)[^，,。]{0,8}(?:AI|人工智能|语言模型|助手)[^，,。]{0,10}[，,]?"
_CANNOT_ZH = (
    r"我?们?[^。！？]{0,10}(?:无法|不能|不便|不可以|没有?办法|拒绝)[^。！？]{0,8}"
    r"(?:帮助?[您你]|协助|撰写|创作|生成|回答|满足[您你]|写"
    r"|(?:完成|提供|继续|处理|讨论)(?:这|此|该|[您你]|相关|有关|任何|包含|涉及))"
)
_CANNOT_BARE_ZH = (
    r"我们?(?:无法|不能|不可以|没有?办法|拒绝)(?:为您|为你|帮|协助|提供|撰写|写这|写出|创作|生成|满足|回答)"
)
_REFUSAL = re.compile(
    rf"(?:{_SORRY_EN})?(?:{_AS_AI_EN})?{_CANNOT_EN}|{_DECLINE_EN}"
    rf"|{_SORRY_ZH}{_CANNOT_ZH}|{_AS_AI_ZH}{_CANNOT_ZH}|{_CANNOT_BARE_ZH}",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Return whether a short response opens by declining the task, in English or Chinese.

    A story in which somebody refuses is none: its refusal stands in quotation marks or further on, or it is
    long.
    """
    if len(text) > 20 * REFUSAL_WORDS or count_words(text) > REFUSAL_WORDS:
        return False
    opening = text.lstrip("*#>_ \t\r\n")[:REFUSAL_OPENING].replace("’", "'")
    return _REFUSAL.match(" ".join(opening.split())) is not None
