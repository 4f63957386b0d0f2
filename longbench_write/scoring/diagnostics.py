"""Diagnostics of a response that neither score shows: is it empty, does it repeat itself?

Each takes time linear in the text and only says what is likely; no score depends on one.
"""

from __future__ import annotations

import itertools
import re
import statistics
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from longbench_write.metrics.scripts import CJK

WORD_GRAM = 6
"""Words in an n-gram of `Repetition.share`."""
CHARACTER_GRAM = 10
"""Characters in an n-gram, where most of the text is Chinese, Japanese or Korean."""
REPEATED_SHARE = 0.2
"""The share of repeated text from which all of it is searched for a loop. Varied prose stays under 0.05."""
COMPRESSIBLE_BYTES = 1000
"""UTF-8 bytes that a text must have for the compressed share to mean anything. Prose has 0.3 to 0.5."""

LOOP_TAIL = 1500
"""Units at the end of a text that are searched for a loop."""
TURNS = 4
"""How often a loop comes around at least, after its first turn."""
REPEATED_OF_RUN, REPEATED_OF_SHORT = 0.76, 0.86
"""The share of a loop's units that are repeated; in one of short turns more of them, since a litany
has a name for each answer."""
WORDS_OF_RUN = 0.5
"""The share of a loop's units that are repeated and no numbers. In a table it is less."""
COPIED_TURNS, COPIED_OF_RUN = 2, 0.95
"""How often it comes around at least if this share is copied, and it is twice as long as a loop has to be."""
COPIED_UNITS = 200
"""A passage that is copied to that share is a loop from this length on, though it stands only twice."""
COUNTERS, DIGITS = 4, 9
"""Numbers that one can count on from, and digits that it has at most."""
SAME_CHARACTERS, LONGEST_PERIOD = 200, 32
"""An end of so many characters that are at most so many over and over is a loop, whatever they are."""

_UNIT = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
_ALPHANUMERIC = bytes(place if chr(place).isalnum() else ord(" ") for place in range(128)).ljust(256)
"""What stands for each byte of an ASCII text where only its words are looked at."""


def is_empty(text: str) -> bool:
    """Return whether a text is nothing but white space."""
    return not text.strip()


@dataclass(frozen=True, slots=True)
class Repetition:
    """How much a text repeats itself.

    Attributes:
        share: The share of the text that lies inside n-grams which have occurred before, 0 to 1.
        start: Where the loop begins, as a share of the text: with the first passage that only repeats what
            stands before it; None where there is no loop.
        compressed: The share of its UTF-8 bytes that zlib leaves; None for a text too short to say.
    """

    share: float
    start: float | None
    compressed: float | None

    @property
    def is_loop(self) -> bool:
        """An unbroken run repeats itself.

        A refrain, clauses of one form or lessons under the same headings repeat as much, but something new
        stands between.
        """
        return self.start is not None


def repetition(text: str) -> Repetition:
    """Measure how much a text repeats itself.

    The n-grams of `share` are of words (letter case aside, all numbers alike), or of characters where most
    units are CJK characters; a passage's first occurrence is not counted.
    """
    raw = _units(text.lower())
    units = ["0" if unit.isdecimal() else unit for unit in raw]
    cjk = 2 * sum(1 for unit in units if len(unit) == 1 and unit > "\u3000") > len(units)
    n = CHARACTER_GRAM if cjk else WORD_GRAM
    seen: dict[tuple[str, ...], int] = {}
    repeated = end = 0
    for start, first in enumerate(map(seen.setdefault, _grams(units, n), itertools.count())):
        if first < start:
            repeated += start + n - max(start, end)
            end = start + n
    share = repeated / len(units) if units else 0.0
    return Repetition(share, _loop_start(text, raw, cjk, share), _compressed(text))


def _grams(units: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(itertools.islice(units, i, None) for i in range(n)), strict=False)


def _units(text: str) -> list[str]:
    """Return words and CJK characters, in their order."""
    if text.isascii():
        return text.encode().translate(_ALPHANUMERIC).decode().split()
    return _UNIT.findall(text)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a loop looks in words or in characters.

    Attributes:
        alike: Units in a row that have to be alike to count as repeated.
        slot: Units in a row that may differ from turn to turn.
        least: Units that a loop has at least.
        short: Units below which a turn is short.
    """

    alike: int
    slot: int
    least: int
    short: int


_WORDS = _Kind(alike=3, slot=3, least=30, short=10)
_CHARACTERS = _Kind(alike=3, slot=4, least=40, short=15)


@dataclass(slots=True)
class _Run:
    """A passage that repeats what stands before it, but for slots.

    Attributes:
        start, end: Its first unit, and the one behind its last.
        repeated: Units inside repeated n-grams.
        numbers: Those of them that are numbers, which are alike for no reason of their own.
        lags: How many units before each of the n-grams stood last.
    """

    start: int
    end: int
    repeated: int = 0
    numbers: int = 0
    lags: list[int] = field(default_factory=list)

    def add(self, place: int, gram: Sequence[str], lag: int) -> None:
        """Add an n-gram; those before it are added already."""
        new = gram[max(0, self.end - place) :]
        self.repeated += len(new)
        self.numbers += sum(map(str.isdecimal, new))
        self.end = place + len(gram)
        self.lags.append(lag)

    def is_loop(self, kind: _Kind) -> bool:
        """Whether it comes around often enough, or is one long copy, with few slots."""
        length = self.end - self.start
        if length < kind.least or self.repeated - self.numbers < WORDS_OF_RUN * length:
            return False
        turn = statistics.median(self.lags)
        if self.repeated < length * (REPEATED_OF_SHORT if turn < kind.short else REPEATED_OF_RUN):
            return False
        if length >= TURNS * turn or self.repeated < COPIED_OF_RUN * length:
            return length >= TURNS * turn
        return length >= COPIED_UNITS or length >= max(COPIED_TURNS * turn, 2 * kind.least)


def _loop_start(text: str, units: Sequence[str], cjk: bool, share: float) -> float | None:
    """Return where a loop begins, as a share of the units; None where there is none.

    Only the end is looked at, unless much of the text is repeated: a loop that a text has come out of again
    is one if it takes up as much.
    """
    if (same := _same_end(text)) is not None:
        return len(_units(text[:same])) / len(units) if units else 0.0
    first = len(units) - LOOP_TAIL if share < REPEATED_SHARE else 0
    while first > 0:
        start = _run_start(units[first:], cjk, 1.0)
        if start is None:
            return None
        if start > LOOP_TAIL // 4:
            return (first + start) / len(units)
        first -= len(units) - first  # it began before: look at twice as much
    start = _run_start(units, cjk, REPEATED_SHARE)
    return None if start is None else start / len(units)


def _counted(units: Iterable[str]) -> Iterator[str]:
    """Put one word for all numbers that count on from one of the last few; others tell units apart."""
    lately: deque[int] = deque(maxlen=COUNTERS)
    for unit in units:
        if not unit.isdecimal() or len(unit) > DIGITS:
            yield unit
            continue
        number = int(unit)
        yield "0" if number - 1 in lately else unit
        lately.append(number)


def _same_end(text: str) -> int | None:
    """Return where the end of a text begins to be a few characters over and over; None where it is not."""
    text = text.rstrip()
    for period in range(1, LONGEST_PERIOD + 1):
        place = len(text) - 1
        while place >= period and text[place] == text[place - period]:
            place -= 1
        if len(text) - 1 - place >= SAME_CHARACTERS and text[place + 1 :].strip():
            return place + 1
    return None


def _run_start(units: Sequence[str], cjk: bool, share: float) -> int | None:
    """Return the first unit of a run that only repeats; None where there is none.

    Units inside a short n-gram that stands earlier are repeated. A run goes on over slots of a few units that
    are not, such as names or numbers; longer new text ends it. It counts at the end of the text, or
    anywhere if it takes up `share` of it.
    """
    kind = _CHARACTERS if cjk else _WORDS
    long = max(kind.least, share * len(units))
    last: dict[tuple[str, ...], int] = {}
    run = _Run(0, 0)
    for place, gram in enumerate(_grams(list(_counted(units)), kind.alike)):
        before = last.get(gram)
        last[gram] = place
        if before is None:
            continue
        if place - run.end > kind.slot:
            if run.end - run.start >= long and run.is_loop(kind):
                return run.start
            run = _Run(place, place)
        run.add(place, gram, place - before)
    counts = len(units) - run.end <= kind.alike + kind.slot or run.end - run.start >= long
    return run.start if counts and run.is_loop(kind) else None


def _compressed(text: str) -> float | None:
    raw = text.encode("utf-8", "surrogatepass")
    return len(zlib.compress(raw)) / len(raw) if len(raw) >= COMPRESSIBLE_BYTES else None
