"""The language of an answer, beside the one that its prompt asks for.

Scripts are counted first. Languages of one script are told apart by py3langid (BSD-3-Clause, a model of 97
languages that comes with it); it is imported where a text is to be told from English, and not before.
"""

from __future__ import annotations

import functools
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

import regex

from longbench_write.metrics.length import parted

KANA_SHARE = 0.1
"""From this share of kana among ideographs and kana on, a text is Japanese and not Chinese."""
SAMPLES, SAMPLE = 3, 1000
"""Passages of a text that are identified, evenly spaced, and their characters."""
FEWEST_WORDS = 12
"""Words of a passage that can be identified."""
COMMON_SHARE = 0.15
"""The share of a passage's words from which the commonest English ones leave no doubt."""
REST = 0.25
"""The share of a text outside quotations and code below which what is inside them counts too."""

_ALPHABETIC = bytes(ord("a" if chr(place).isalpha() else " ") for place in range(128)).ljust(256)
"""What stands for each byte of an ASCII text where only its words are looked at."""
_COMMON_ENGLISH = "the and of to that with was for this you they have from not it her"
_COMMON = frozenset(_COMMON_ENGLISH.split())
"""The commonest English words that other languages do not have, or seldom."""
_ENGLISH = ("en", "sco", "pcm")
"""English, and languages that are near enough: Scots and Nigerian Pidgin."""
_CHARACTERS = ("zh", "kana", "hangul")
"""Scripts of which a unit is a character, and not a run of them."""
_ASIDE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`|“[^“”]*”|\"[^\"\n]*\"|«[^«»]*»|»[^«»\n]*«|„[^„“”]*[“”]|「[^「」]*」"
    r"|『[^『』]*』"
    r"|\*[^*\n]+\*|_[^_\n]+_|^>[^\n]*|\$[^$\n]+\$",
    re.DOTALL | re.MULTILINE,
)
"""What may be in another language: quotations, emphasis as of foreign words, code and formulas."""


@functools.cache
def _script_units() -> Any:
    """Return one match a run of characters of a script, or of several that are counted together."""
    return regex.compile(
        r"(?V1)(?P<zh>\p{Han}+)|(?P<en>\p{Latin}+)|(?P<kana>[\p{Hiragana}\p{Katakana}]+)"
        r"|(?P<hangul>\p{Hangul}+)|(?P<other>[\p{L}--[\p{Han}\p{Latin}\p{Hiragana}\p{Katakana}\p{Hangul}]]+)"
    )


def is_wrong_language(text: str, language: str) -> bool:
    """Return whether a text is in another language than the one asked for.

    Quotations and code do not count, unless there is little else. Another script than the language's own
    must dominate; units are counted, a word or a CJK character each, so that English terms in Chinese prose
    do not weigh by their letters. A text without letters is not wrong.

    Args:
        text: The response.
        language: "en" or "zh"; any other is never wrong.
    """
    if language not in ("en", "zh"):
        return False
    prose = _ASIDE.sub(" ", text)
    if len(prose) < REST * len(text):
        prose = text
    units = _units(prose)
    if units[language] < max(units.values(), default=0):
        return True
    if language == "zh":
        return units["kana"] > KANA_SHARE * (units["kana"] + units["zh"])
    return _is_not_english(prose)


def _units(text: str) -> Counter[str]:
    """Count words and CJK characters by script."""
    ascii_words, others = parted(text)
    units = Counter(en=(b" " + ascii_words.encode().translate(_ALPHABETIC)).count(b" a"))
    for match in _script_units().finditer(others):
        units[match.lastgroup] += match.end() - match.start() if match.lastgroup in _CHARACTERS else 1
    return units


def _is_not_english(text: str) -> bool:
    """Return whether most of the passages of a text in Latin script are in another language than English."""
    last = max(0, len(text) - SAMPLE)
    passages = {text[start : start + SAMPLE] for start in range(0, last + 1, max(1, last // (SAMPLES - 1)))}
    found = [
        _is_english(words) for passage in passages if len(words := passage.lower().split()) >= FEWEST_WORDS
    ]
    return 2 * sum(found) < len(found)


def _is_english(words: Sequence[str]) -> bool:
    """Return whether a passage, given as words in lower case, is English.

    Ordinary English is known by its commonest words: py3langid takes a second to load its model.

    Raises:
        OSError: It cannot load it.
    """
    if sum(map(_COMMON.__contains__, words)) >= COMMON_SHARE * len(words):
        return True
    return _detect(" ".join(words)) in _ENGLISH


def _detect(text: str) -> str:
    """Return the code of the language of a text.

    Raises:
        OSError: The detector's model, which is unpacked into a temporary file, cannot be loaded.
    """
    import py3langid

    try:
        return str(py3langid.classify(text)[0])
    except OSError as error:
        what = f"{error.strerror or error} (the language model of py3langid is unpacked there)"
        raise OSError(error.errno, what, tempfile.gettempdir()) from error


_NAMES_EN = "English|Chinese|Mandarin|French|German|Spanish|Italian|Portuguese|Russian|Japanese|Korean|Arabic"
_LANGUAGE_ZH = r"(英文|英语|中文|汉语|普通话|法语|法文|德语|德文|日语|日文|西班牙语|俄语|韩语)"
_CODES = {"english": "en", "英文": "en", "英语": "en"} | dict.fromkeys(
    ("chinese", "mandarin", "中文", "汉语", "普通话"), "zh"
)
_ASKED = re.compile(
    rf"\b(?:writ\w+|wrote|compos\w+|draft\w*|answer|reply|respond|produc\w+|translat\w+|turn|rewrite|prepare"
    rf"|realign)\b[^.?!\n]{{0,120}}?"
    rf"\b(?:in|into) (?:(?!(?:the|a|an|{_NAMES_EN})\b)[\w-]+ ){{0,4}}?({_NAMES_EN})(?=\s*(?:[^\w\s]|$)"
    rf"|\s+(?:and (?:also|then|keep|name|make|use|give)|about|on|of|for|with|that|which|to|please|using"
    rf"|within)\b)"
    rf"|(?:用|以){_LANGUAGE_ZH}(?:来)?(?:帮我|给我|为我)?(?:写|撰写|创作|作答|回答|完成|介绍|编写|起草|拟)"
    rf"|(?:写|译|翻|改)成{_LANGUAGE_ZH}|(?:写|作)[^，。？！\n]{{0,16}}?{_LANGUAGE_ZH}(?:作文|文章|短文"
    rf"|演讲稿|新闻稿?|书信|信|散文|小说|报道|报告|科普)"
    rf"|[字词]{_LANGUAGE_ZH}",
    re.IGNORECASE,
)


def language_asked(prompt: str) -> str | None:
    """Return the language that a prompt's words ask for; None where they name none, or several.

    Only requests in English and Chinese are read. Another language than these two is "other".
    """
    found = {
        _CODES.get(name.lower(), "other")
        for match in _ASKED.finditer(prompt)
        for name in match.groups()
        if name is not None
    }
    return found.pop() if len(found) == 1 else None
