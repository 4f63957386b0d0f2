"""The lengths that a prompt states, read from its English or Chinese text.

A statement is a number beside "words" or 字 (or after 字数), written in digits or in words: "1,200 words",
"a 500-word essay", "five hundred words", "2k words", 800字, 五千字, 1.5万字, 八百至一千字. What stands beside
it makes the rule:

- `range`: two numbers joined by "to", "and" or a dash, 到, 至 or 之间;
- `at_most`: "no more than", "at most", "under", "up to", "within", "maximum", "not exceed" ..., 不超过, 至多,
  以内, 以下 ...;
- `at_least`: "at least", "no less than", "no fewer than", "more than", "over", "or more", "500+" ..., 不少于,
  至少, 不低于, 超过, 以上 ...;
- `about`: anything else, "about 500 words", 500字左右 and the bare "500 words" alike.

A length of each of several parts ("five letters of 400 words each", 分两部分写，各写1000字) is one statement,
and the total that it makes another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ENGLISH = {word: n for n, word in enumerate(_ONES)} | {w: 20 + 10 * n for n, w in enumerate(_TENS)}
_ENGLISH_SCALES = {"hundred": 100, "thousand": 1000}
_CHINESE = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000, "k": 1000, "K": 1000, "万": 10_000}

_DIGITS = r"[0-9]+(?:[,，][0-9]{3})*(?:\.[0-9]+)?"
_SPELT = rf"(?:(?:{'|'.join([*_ENGLISH, *_ENGLISH_SCALES])})\b(?:[ -]|[ ]and[ ])?)+"
_ENGLISH_NUMBER = rf"(?:(?<![\w.,]){_DIGITS}[ ]?[kK]?|\b(?:an?[ ])?{_SPELT})"
_CHINESE_NUMBER = rf"(?:(?<![0-9.,]){_DIGITS}[ ]?[kK千百万]?|[零〇一二两三四五六七八九十百千万]+)"

_ENGLISH_STATED = re.compile(
    rf"(?:(?P<low>{_ENGLISH_NUMBER})(?:[ ]?words)?[ ]*(?:-|–|—|~|to|and)[ ]*)?"
    rf"(?P<high>{_ENGLISH_NUMBER})(?P<plus>\+?)(?:[ ]|-|‑)?[ ]?(?:English[ ])?words?\b",
    re.IGNORECASE,
)
_CHINESE_STATED = re.compile(
    rf"(?:(?P<low>{_CHINESE_NUMBER})\s*(?:字)?\s*(?:-|–|—+|~|～|至|到)\s*)?"
    rf"(?P<high>{_CHINESE_NUMBER})(?P<plus>\s*\+?)\s*(?:多|余)?个?(?:英文|英语|中文|汉)?(?:字|单词|词)"
    rf"|字数[^0-9零〇一二两三四五六七八九十百千万，。；\n]{{0,12}}"
    rf"(?:(?P<bare_low>{_CHINESE_NUMBER})\s*(?:-|–|—+|~|～|至|到)\s*)?(?P<bare>{_CHINESE_NUMBER})\s*字?"
)

_AT_LEAST_BEFORE = re.compile(
    r"""(?:
        (?:no|not|never)[ ](?:less|fewer|shorter)[ ]than | at[ ]least | minimum(?:[ ](?:of|length))? | min\.?
        | over | above | more[ ]than | longer[ ]than | upwards[ ]of | exceed(?:s|ing)?
        | 不(?:得|能|要)?少于 | 不低于 | 不小于 | 不下于 | 至少 | 起码 | 最少 | 多于 | 大于 | 超过 | 超出
    )[:：\ ]* (?:要有|写|为)? \s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_AT_MOST_BEFORE = re.compile(
    r"""(?:
        (?:no|not|never)[ ](?:more|longer|greater)[ ]than | (?:not|n't|n’t|never)[ ](?:exceed|over|above)
        | without[ ]exceeding | at[ ]most | up[ ]to | under | below | within
        | (?<!no[ ])(?<!not[ ])(?:less|fewer|shorter)[ ]than
        | maximum(?:[ ](?:of|length))? | max\.? | limit(?:ed)?(?:[ ](?:of|to))?
        | (?:不|别|勿)(?:得|能|要|可|可以|应)?(?:超过|超出|多于|大于)
        | (?<![不得能要])(?:少于|低于|小于) | 至多 | 最多 | 最长 | 顶多 | 上限
    )[:：\ ]* 为? \s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_AT_LEAST_AFTER = re.compile(
    r"""[ ,(，（]*(?:
        (?:or|and)[ ](?:more|above|over|longer|up|upwards)\b | at[ ](?:the[ ]very[ ])?least | minimum | min\b
        | 及?以上 | 起步 | 往上 | 打底
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_AT_MOST_AFTER = re.compile(
    r"""[ ,(，（]*(?:
        (?:or|and)[ ](?:less|fewer|under|below|shorter)\b | (?:and[ ])?not?[ ](?:one[ ]|a[ ]word[ ])?more
        | at[ ](?:the[ ]very[ ])?most | maximum | max\b | tops\b | limit\b
        | 及?以内 | 之内 | 及?以下 | 为限 | 封顶 | 内(?![容心])
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_ABOUT_BEFORE = re.compile(
    r"(?:about|around|approximately|roughly|some|nearly|circa|大约|大概|约|将近|差不多)[ ]?(?:要|写|为)?\s*$",
    re.IGNORECASE,
)
_ABOUT_AFTER = re.compile(
    r"[ ,]*(?:左右|上下|前后|or[ ]so\b|or[ ]thereabouts\b|give[ ]or[ ]take\b)", re.IGNORECASE
)
_HEDGES = {
    "at_most": (_AT_MOST_BEFORE, _AT_MOST_AFTER),
    "at_least": (_AT_LEAST_BEFORE, _AT_LEAST_AFTER),
    "about": (_ABOUT_BEFORE, _ABOUT_AFTER),
}
_BEFORE = 28

_CHINESE_PARTS = "部分|篇|封|则|章|节|段|幕|首|讲|份"
_ENGLISH_PARTS = "parts|sections|chapters|letters|stories|poems|paragraphs|entries|essays|scenes|acts|lessons"
_CHINESE_EACH = re.compile(rf"(?:各(?:写|占)?|每一?(?P<part>{_CHINESE_PARTS})(?:写|要)?)\s*$")
_ENGLISH_EACH_BEFORE = re.compile(r"\beach(?:[ ](?:one[ ])?(?:of|is|in|takes|has))?[ ]*$", re.IGNORECASE)
_ENGLISH_EACH_AFTER = re.compile(r"[ ,]*(?:each|apiece)\b", re.IGNORECASE)
_CHINESE_COUNT = re.compile(rf"(?P<number>{_CHINESE_NUMBER})\s*个?(?P<part>{_CHINESE_PARTS})")
_ENGLISH_COUNT = re.compile(
    rf"(?P<number>{_ENGLISH_NUMBER})[ ]*(?:[a-z]+[ ]){{0,2}}(?P<part>{_ENGLISH_PARTS})\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Stated:
    """A length that a prompt states.

    Attributes:
        rule: "about", "at_least", "at_most" or "range".
        low, high: The two ends of a range, in words or characters; else both the stated number.
        text: The words that state it.
        hedge: What stands beside it and makes the rule, such as "at least" or 左右; "" beside a bare number.
    """

    rule: str
    low: int
    high: int
    text: str
    hedge: str = ""

    def agrees(self, length: int, bounds: Sequence[int] | None = None) -> bool:
        """Return whether this is the required length that a record gives.

        Args:
            length: The record's single number; for a range anywhere within it.
            bounds: The two ends, where the record gives them.
        """
        if self.rule == "range":
            return self.low <= length <= self.high and (
                bounds is None or (self.low, self.high) == tuple(bounds)
            )
        return self.low == length


def stated_lengths(text: str) -> list[Stated]:
    """Return all lengths that a text states, English patterns first, each in the text's order."""
    found = []
    for pattern in (_ENGLISH_STATED, _CHINESE_STATED):
        for match in pattern.finditer(text):
            parts = match.groupdict()
            high = parts["high"] or parts["bare"]
            low = parts["low"] or parts.get("bare_low")
            if (numbers := _ends(low, high)) is not None:
                stated = _statement(text, match, numbers, is_range=low is not None)
                found.append(stated)
                if parts_of := _parts(text, match):
                    found.append(replace(stated, low=stated.low * parts_of, high=stated.high * parts_of))
    return found


def matching(text: str, length: int, bounds: Sequence[int] | None = None) -> Stated | None:
    """Return the first statement that agrees with a required length; None if there is none."""
    return next((stated for stated in stated_lengths(text) if stated.agrees(length, bounds)), None)


def _statement(text: str, match: re.Match[str], ends: tuple[int, int], *, is_range: bool) -> Stated:
    before = text[max(0, match.start() - _BEFORE) : match.start("high" if match["high"] else "bare")]
    after = text[match.end() : match.end() + _BEFORE]
    stated = " ".join(match[0].split())
    if is_range:
        return Stated("range", *ends, stated)
    plus = "+" if "+" in (match["plus"] or "") else ""
    for rule, (in_front, behind) in _HEDGES.items():
        found = in_front.search(before) or behind.match(after)
        if found or (plus and rule == "at_least"):
            return Stated(rule, *ends, stated, found[0].strip(" ,，(（:：") if found else plus)
    return Stated("about", *ends, stated)


def _parts(text: str, match: re.Match[str]) -> int:
    """Return how many parts have the stated length each: the last number of such parts before; 0 for none."""
    before, after = text[: match.start()], text[match.end() : match.end() + _BEFORE]
    before = re.sub(r"(?:约|大约|不少于|至少|about|around|at least)\s*$", "", before).rstrip()
    part, count = None, _ENGLISH_COUNT
    if each := _CHINESE_EACH.search(before[-_BEFORE:]):
        part, count = each["part"], _CHINESE_COUNT
    elif not (_ENGLISH_EACH_BEFORE.search(before[-_BEFORE:]) or _ENGLISH_EACH_AFTER.match(after)):
        return 0
    counts = [_number(found["number"]) for found in count.finditer(before) if part in (None, found["part"])]
    return next((number for number in reversed(counts) if number > 1), 0)


def _ends(low: str | None, high: str) -> tuple[int, int] | None:
    """Return both numbers, in 3-5千 on one scale; None where they are no lengths."""
    end = _number(high)
    if low is None:
        return (end, end) if end else None
    start = _number(low)
    scale = _CHINESE_SCALES.get(high.strip()[-1], 1)
    if start * scale < end and low.strip()[-1] not in _CHINESE_SCALES and start < 100 <= end:
        start *= scale
    return (start, end) if 0 < start < end else None


def _number(text: str) -> int:
    """Return the value of a number in digits, with or without a scale, or in words."""
    text = text.strip()
    digits = re.match(_DIGITS, text)
    if digits:
        value = float(re.sub("[,，]", "", digits[0]))
        scale = text[digits.end() :].strip()
        return round(value * (_CHINESE_SCALES[scale] if scale else 1))
    return _chinese(text) if text[0] in _CHINESE or text[0] in _CHINESE_SCALES else _english(text)


def _english(text: str) -> int:
    total = current = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _ENGLISH:
            current += _ENGLISH[word]
        elif word == "hundred":
            current = 100 * (current or 1)
        elif word == "thousand":
            total, current = total + 1000 * (current or 1), 0
    return total + current


def _chinese(text: str) -> int:
    """Return the value of a Chinese number: 两千五百 is 2500, 一万二 is 12000, 一二〇〇 is 1200."""
    if not any(character in _CHINESE_SCALES for character in text):
        return int("".join(str(_CHINESE[character]) for character in text))
    total = section = digit = 0
    last = 1
    for character in text:
        if character in _CHINESE:
            digit, last = _CHINESE[character], 1 if character in "零〇" else last
        elif character == "万":
            total, section, digit, last = (total + section + digit or 1) * 10_000, 0, 0, 10_000
        else:
            last = _CHINESE_SCALES[character]
            section, digit = section + (digit or 1) * last, 0
    return total + section + digit * max(1, last // 10)
