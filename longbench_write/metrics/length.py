"""Both word counts, the length score S_l (arXiv 2408.07055), and one that knows how a length was asked for.

S_l always rests on `count_words`, the frozen official count. `count_words_unicode` stands beside it as a
diagnostic. A response to a prompt that asks for no length has no length score.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Any

import regex

from longbench_write.metrics.base import Measurable, Metric, MetricRow, mean_over_prompts

LENGTH_RULES = ("about", "at_least", "at_most", "range")
"""How a prompt may word its required length."""

_IDEOGRAPHS = re.compile(r"[\u4e00-\u9fff]+")
_ENGLISH_WORD = re.compile(r"[a-zA-Z](?<!\w.)[a-zA-Z]*+(?!\w)")
"""Matches what `\\b[a-zA-Z]+\\b` matches; as it begins with a letter, it is tried at letters only."""

_ASCII = bytes(range(128))
_PARTS = bytes(
    ord("a" if char.isalpha() else "0" if char.isalnum() or char == "_" else " ") for char in map(chr, _ASCII)
).ljust(256, b"0")
"""What each byte of UTF-8 is to an English word: a letter of it, something that spoils it, or its end."""
_ENCLOSED = re.compile(rb"0aa*+(?=0)")

_MARK = re.compile(r"\W")
_MANY_MARKS = 40
"""Different marks, such as dashes and quotation marks, up to which it is faster to put blanks for them."""


def count_words(text: str) -> int:
    r"""Count words as the official scripts do.

    The matches of `[\u4e00-\u9fff]` plus the matches of `\b[a-zA-Z]+\b`: "don't" is 2, digits are 0, "GPT4"
    is 0, and a Latin word that touches an ideograph is not counted. Frozen.
    """
    others = beyond_ascii(text)
    return sum(map(len, _IDEOGRAPHS.findall(others))) + _count_english(text, others)


def beyond_ascii(text: str) -> str:
    """Return the characters of a text that are not ASCII, in their order."""
    if text.isascii():
        return ""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def _count_english(text: str, others: str) -> int:
    r"""Count the matches of `\b[a-zA-Z]+\b`; by bytes, which is faster, where most of the text is ASCII."""
    if 2 * len(others) > len(text):
        return len(_ENGLISH_WORD.findall(text))
    marks = set(_MARK.findall(others))
    if len(marks) > _MANY_MARKS:
        return len(_ENGLISH_WORD.findall(text))
    for mark in marks:
        text = text.replace(mark, " ")
    parts = b" " + text.encode("utf-8", "surrogatepass").translate(_PARTS)
    # Runs that begin at an end, less those that a spoiler follows; those between two spoilers began at none.
    return parts.count(b" a") - parts.count(b"a0") + len(_ENCLOSED.findall(parts))


def parted(text: str) -> tuple[str, str]:
    """Part what stands between white space: that in ASCII alone, and the rest."""
    pieces = text.split()
    return " ".join(filter(str.isascii, pieces)), " ".join(itertools.filterfalse(str.isascii, pieces))


_APART = {place: " " for place in range(128) if not (chr(place).isalnum() or chr(place) in "_.,;:'")}
"""ASCII that never stands inside a word of `count_words_unicode`."""
_JOINING = "ﾞﾟ\u202f"
"""Marks that belong to the ideograph before them, and the one white space that stands inside words."""


@functools.cache
def _unicode_patterns() -> tuple[Any, Any]:
    """Return what is taken out before the rest is parted, and Unicode's word boundaries."""
    taken = regex.compile(
        r"(?V1)(?P<one>[[\p{Ideographic}々\p{Hiragana}\p{Katakana}ーｰ]&&[\p{L}\p{N}]][ﾞﾟ]*"
        r"|\p{hst=L}+(?:[\p{hst=LV}\p{hst=LVT}]|\p{hst=V}*)\p{hst=T}*"
        r"|[\p{hst=LV}\p{hst=LVT}][\p{hst=V}\p{hst=T}]*)"
        r"|(?P<mark>[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]+)"
        r"|\p{Regional_Indicator}+"
    )
    return taken, regex.compile(r"\b", flags=regex.WORD | regex.V1)


def count_words_unicode(text: str) -> int:
    """Count words as Unicode sees them; a diagnostic that never replaces `count_words`.

    Each ideograph, kana (with the prolonged sound mark, full or half width) and Hangul syllable block is one;
    of the rest, each segment between the default word boundaries of UAX #29 that holds a letter or a number
    ("don't", "3.14" and "GPT4" are 1, "state-of-the-art" is 4). Canonically equivalent texts count the same.

    Limits: scripts that part words by dictionary only (Thai, Lao, Khmer, Burmese) have no boundaries of their
    own there, so their letters count one by one.
    """
    if any(mark in text for mark in _JOINING):
        return _count_by_boundaries(text)
    ideographs = sum(map(len, _IDEOGRAPHS.findall(beyond_ascii(text))))
    text = text.translate(_APART) if text.isascii() else _IDEOGRAPHS.sub(" ", text)
    pieces = text.split()
    others = [piece for piece in pieces if not (piece.isascii() and piece.isalnum())]
    return ideographs + len(pieces) - len(others) + _count_by_boundaries(" ".join(others))


def _count_by_boundaries(text: str) -> int:
    """Count the same by the rules alone."""
    taken, boundary = _unicode_patterns()
    count = 0

    def take(match: Any) -> str:
        nonlocal count
        count += match["one"] is not None
        return "" if match["mark"] else " "

    # Marks bound nothing (rule WB4), but the engine errs on some; rows of flags take it quadratic time.
    rest = taken.sub(take, text)
    return count + sum(1 for segment in boundary.split(rest) if _has_letter_or_number(segment))


def _has_letter_or_number(segment: str) -> bool:
    return segment.isalnum() or any(map(str.isalnum, segment))


def length_score(required: int, actual: int) -> float:
    """Return S_l of one response, 0 to 100.

    Linear on both sides of the required length: 0 from four times too long and from three times too short.
    The operations stand in the reference's order, so results agree to the last bit.

    Args:
        required: Words asked for, positive.
        actual: Words written, by `count_words`; 0 gives 0.

    Raises:
        ValueError: `required` is not positive or `actual` is negative.
    """
    if required <= 0 or actual < 0:
        raise ValueError(f"no length score for required={required}, actual={actual}")
    if actual == 0:
        return 0.0
    if actual > required:
        return 100 * max(0.0, 1.0 - (actual / required - 1) / 3)
    return 100 * max(0.0, 1.0 - (required / actual - 1) / 2)


def rule_length_score(rule: str, required: int, actual: int, bounds: Sequence[int] | None = None) -> float:
    """Return the rule-aware length score of one response, 0 to 100, a figure beside S_l, never in its place.

    100 inside what the prompt asked for; outside, `length_score` against the nearest edge. An empty response
    has 0 under every rule.

    Args:
        rule: One of `LENGTH_RULES`. "about" gives S_l itself.
        required: The required length: of "at_least" the lower edge, of "at_most" the upper one.
        actual: Words written, by `count_words`.
        bounds: Both edges of a "range".

    Raises:
        ValueError: The rule is unknown, a range has no bounds, or a number is out of range.
    """
    edges: dict[str, tuple[int | None, int | None]] = {
        "about": (required, required),
        "at_least": (required, None),
        "at_most": (None, required),
    }
    if rule == "range" and bounds is not None:
        edges["range"] = (bounds[0], bounds[1])
    if rule not in edges:
        raise ValueError(f"no length score for the rule {rule!r} with bounds {bounds}")
    low, high = edges[rule]
    if low is not None and actual < low:
        return length_score(low, actual)
    if high is not None and (actual > high or actual <= 0):
        return length_score(high, actual)
    return 100.0


def _length(response: Measurable) -> float | None:
    return None if response.length is None else length_score(response.length, response.response_length)


def _unicode(response: Measurable) -> float | None:
    if response.length is None:
        return None
    return length_score(response.length, response.response_length_unicode)


def _by_rule(response: Measurable) -> float | None:
    if response.length is None or response.length_rule is None:
        return None
    return rule_length_score(
        response.length_rule, response.length, response.response_length, response.length_bounds
    )


def _by_every_rule(rows: Sequence[MetricRow]) -> float | None:
    """Return the mean if every response has one: a mean over some of the rules would be of other prompts."""
    if any(S_L_RULE.name not in row.values for row in rows):
        return None
    return mean_over_prompts(rows, lambda row: row.values[S_L_RULE.name])


S_L = Metric("S_l", "S_l", title="length", headline=True, of=_length)
"""The length score."""

S_L_UNICODE = Metric(
    "S_l_unicode", "S_l, Unicode", title="length by the Unicode-aware word count", of=_unicode
)
"""The length score that the Unicode-aware count would give."""

S_L_RULE = Metric(
    "S_l_rule",
    "S_l, by the rule",
    title="length by the rule that each prompt states",
    of=_by_rule,
    aggregate=_by_every_rule,
)
"""The rule-aware length score."""
