"""A plan of paragraphs: read from a model's reply, or made by rule.

A step is a line with a paragraph's number and a word count, in English or Chinese (LongWriter, arXiv
2408.07055, appendix on AgentWrite; the reference takes every line for a step).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_LINE = 4000
"""Characters of a line that is looked at; a longer one is no step."""

_DIGITS = "〇一二三四五六七八九"
_NUMERAL = r"[〇零一二两三四五六七八九十百千万]+"
_NUMBER = rf"(?:\d{{1,4}}|{_NUMERAL})"
_MARKS = r"[\s#*_>`~\-–—•·|\[(【]*"
"""Markdown and bullets that may stand before a label."""

_LABEL = re.compile(
    rf"""^{_MARKS}(?:
        (?:paragraph|section|part|step|chapter|para)\W{{0,3}}(?P<english>\d{{1,4}})\b
      | 第\s*(?P<ordinal>{_NUMBER})\s*(?:个)?(?:段落|自然段|段|部分|节|章|步)
      | (?:段落|部分|步骤|章节)\s*(?P<chinese>{_NUMBER})
      | (?P<bare>\d{{1,4}})\s*[.):、](?!\d)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_AMOUNT = rf"(?:\d+(?:,\d{{3}})+|\d+(?:\.\d+)?|{_NUMERAL})\s*(?:k\b|千|万)?"
_SPAN = rf"(?P<low>{_AMOUNT})(?:\s*(?:words?|字)?\s*(?:-|–|—|~|至|到|to|and)\s*(?P<high>{_AMOUNT}))?"
_ABOUT = r"(?:\s|[*_`:(\[<~≈]|about|around|approximately|approx\.?|roughly|circa|ca\.?|约|大约|大概)*"
_NAMED = re.compile(
    rf"(?:word\s*[-_]?\s*(?:count|target)|words|length|字数|篇幅){_ABOUT}{_SPAN}", re.IGNORECASE
)
_UNIT = re.compile(rf"{_SPAN}\s*(?:words?\b|个?字)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """A step of a plan.

    Attributes:
        number: Its place in the plan, from 1, whatever number the plan gives it.
        line: The plan's line, without white space around it.
        words: Planned words.
    """

    number: int
    line: str
    words: int


def read_plan(text: str) -> list[Section]:
    """Read the steps of a plan; what is no step is left out, and a line that is there twice counts once."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        if (stripped := line.strip()) and (words := _words_of(stripped)):
            found.setdefault(stripped, words)
    return [Section(number, line, words) for number, (line, words) in enumerate(found.items(), 1)]


def even_plan(length: int, language: str, *, least: int, most: int, sections: int) -> list[Section]:
    """Plan sections of equal length, for models that cannot plan.

    Args:
        length: Words of the whole text.
        language: Of the lines: "zh", or anything else for English.
        least: Words of a section at least, unless the whole text has fewer.
        most: Words of a section at most, unless more than `sections` would be needed.
        sections: Sections at most.

    Returns:
        As few sections as `most` allows; their words differ by one at most and sum up to `length`.
    """
    number = min(max(1, -(-length // most)), sections, max(1, length // least))
    words, more = divmod(length, number)
    shape = (
        "第{0}段 - 要点：全文{1}个部分中的第{0}部分 - 字数：{2}字"
        if language == "zh"
        else "Paragraph {0} - Main Point: part {0} of the {1} parts of the text - Word Count: {2} words"
    )
    counts = [words + (place < more) for place in range(number)]
    return [
        Section(place, shape.format(place, number, count), count) for place, count in enumerate(counts, 1)
    ]


def strip_label(text: str, section: Section) -> str:
    """Take from a paragraph what it repeats of its plan: the plan's line, its label, its point as a heading.

    A label is taken only where it stands alone on its line or a colon or dash follows it: "Paragraph 3 of the
    treaty" is text. What remains is never empty.
    """
    kept = text.strip()
    while True:
        first, _, rest = kept.partition("\n")
        if rest.strip() and _plain(first) in _headings(section):
            kept = rest.strip()
            continue
        label = _LABEL.match(kept)
        shorter = _after_label(kept, label, section) if label and not label["bare"] else kept
        if shorter == kept:
            return kept
        kept = shorter


def plan_text(plan: Sequence[Section]) -> str:
    """Write down a plan that nobody put into words: its lines."""
    return "\n".join(section.line for section in plan)


def _after_label(text: str, label: re.Match[str], section: Section) -> str:
    """Return the text behind its label; the text where the label is another paragraph's, or is no label."""
    if _value(next(filter(None, label.groups()))) not in (section.number, _own_number(section)):
        return text
    behind = text[label.end() :]
    if ended := re.match(r"[\s*_#`\])】]*(?:\n|[:：]|[-–—](?=\s))[\s*_`]*", behind):
        return behind[ended.end() :].strip() or text
    return text


def _own_number(section: Section) -> float | None:
    """Return the number that the plan gives a section."""
    label = _LABEL.match(_folded(section.line))
    return _value(next(filter(None, label.groups()))) if label else None


def _headings(section: Section) -> set[str]:
    """Return what a heading that repeats the plan may say: the line, or the point in it."""
    line = _folded(section.line)
    label, count = _LABEL.match(line), _count(line)
    point = line[label.end() if label else 0 : count.start() if count else len(line)]
    point = re.sub(r"^\W*(?:main\s+(?:point|idea)|要点|主旨|主要内容)\W*", "", point, flags=re.IGNORECASE)
    return {heading for heading in (_plain(line), _plain(point)) if heading}


def _plain(text: str) -> str:
    """Return what a heading says, for comparison."""
    return "".join(char for char in _folded(text).casefold() if char.isalnum())


def _words_of(line: str) -> int | None:
    """Return the planned words of a line; None where it is no step."""
    line = _folded(line)
    label = _LABEL.match(line) if len(line) <= LONGEST_LINE else None
    if not label or not (count := _count(line[label.end() :])):
        return None
    values = [_value(part) for part in count.group("low", "high") if part]
    words = round(sum(values) / len(values))
    return words if 0 < words < 10**9 else None


def _count(line: str) -> re.Match[str] | None:
    """Find the word count of a line: the last that is named, else the last with a unit."""
    for pattern in (_NAMED, _UNIT):
        if found := list(pattern.finditer(line)):
            return found[-1]
    return None


def _folded(text: str) -> str:
    """Return a text with full-width forms as plain ones."""
    return unicodedata.normalize("NFKC", text)


def _value(amount: str) -> float:
    """Return what an amount says: 400, 1,000, 1.5k, 1千, 一千二百, 三〇〇."""
    amount = amount.strip().lower().replace(",", "")
    scale = {"k": 1000, "千": 1000, "万": 10000}.get(amount[-1], 1)
    if scale > 1 and re.fullmatch(r"[\d.]+", head := amount[:-1].strip()):
        return float(head) * scale
    return float(amount) if re.fullmatch(r"[\d.]+", amount) else _numeral(amount.replace(" ", ""))


def _numeral(text: str) -> float:
    """Return what a Chinese numeral says."""
    text = text.replace("零", "〇").replace("两", "二")
    if all(char in _DIGITS for char in text):
        return float("".join(str(_DIGITS.index(char)) for char in text))
    total = part = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS.index(char)
        elif char == "万":
            total, part, digit = (total + part + digit) * 10000, 0, 0
        else:
            part, digit = part + (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char], 0
    return float(total + part + digit)
