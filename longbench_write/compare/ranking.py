"""Which run stands where: places in a block, with ties where 95% intervals leave the order open."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from longbench_write.compare.collection import Block, Entry, blocks
from longbench_write.scoring.summary import Summary

Score = Literal["S_bar", "S_l", "S_q"]
SCORES: tuple[Score, ...] = ("S_bar", "S_l", "S_q")


@dataclass(frozen=True)
class Standing:
    """A run's place among those that it may be compared with.

    Attributes:
        best: The best rank that its interval leaves open, from 1; None without the score that is ranked by.
        worst: The worst such rank.
    """

    entry: Entry
    best: int | None
    worst: int | None

    @property
    def complete(self) -> bool:
        """Whether every response that was owed is there, and judged if the run has a judge."""
        summary = self.entry.summary
        return all(_missing(summary, score) == 0 for score in (SCORES if summary.judge else ("S_l",)))


@dataclass(frozen=True)
class Ranking:
    """A block of comparable runs in order.

    Attributes:
        title: What they share.
        score: What they are ranked by.
        standings: The best first; last those that lack this score.
    """

    title: str
    score: Score
    standings: list[Standing]


def leaderboard(entries: Iterable[Entry], *, sort: Score = "S_bar") -> list[Ranking]:
    """Rank runs with those that they may be compared with, the largest block first.

    The best rank of a run is one more than the number of runs whose interval lies wholly above its own, the
    worst is the number of runs less those wholly below. A run without an interval ties with all.

    An incomplete run gains nothing by what it lacks: it is ordered as if each missing response were worth
    0, and its interval is widened to what they would make of it at 0 and at 100.

    Args:
        entries: Of `collection.collect`.
        sort: The score to rank by; a block in which nobody has it is ranked by S_l.
    """
    return [_ranked(block, sort) for block in blocks(entries)]


def _ranked(block: Block, sort: Score) -> Ranking:
    score: Score = sort if any(_value(entry.summary, sort) is not None for entry in block.entries) else "S_l"
    with_score = [entry for entry in block.entries if _value(entry.summary, score) is not None]
    without = [entry for entry in block.entries if _value(entry.summary, score) is None]
    reaches = [_reach(entry.summary, score) for entry in with_score]
    lows, highs = (sorted(ends) for ends in zip(*reaches, strict=True)) if reaches else ([], [])
    standings = [
        Standing(entry, _above(lows, high) + 1, len(reaches) - _below(highs, low))
        for entry, (low, high) in zip(with_score, reaches, strict=True)
    ]
    standings.sort(key=lambda standing: (-_least(standing.entry.summary, score), *_names(standing.entry)))
    return Ranking(
        block.title, score, standings + [Standing(entry, None, None) for entry in sorted(without, key=_names)]
    )


def _above(lows: Sequence[float], high: float) -> int:
    return len(lows) - bisect_right(lows, high)


def _below(highs: Sequence[float], low: float) -> int:
    return bisect_left(highs, low)


def _names(entry: Entry) -> tuple[str, str]:
    return entry.label, entry.path.as_posix()


def _value(summary: Summary, score: Score) -> float | None:
    return cast("float | None", getattr(summary, score))


def _missing(summary: Summary, score: Score) -> float:
    """The share of the responses owed that are not in a score."""
    if score == "S_bar":
        return (_missing(summary, "S_l") + _missing(summary, "S_q")) / 2
    counts = summary.counts
    return 1 - counts["generated" if score == "S_l" else "judged"] / counts["owed"]


def _least(summary: Summary, score: Score) -> float:
    """The score if what is missing were worth 0, each response weighing the same."""
    if score == "S_bar":
        return (_least(summary, "S_l") + _least(summary, "S_q")) / 2
    return (_value(summary, score) or 0.0) * (1 - _missing(summary, score))


def _reach(summary: Summary, score: Score) -> tuple[float, float]:
    """The 95% interval, widened to what the missing responses would make of it at 0 and at 100."""
    if (interval := summary.ci[score]) is None:
        return -math.inf, math.inf
    low, high = interval
    lost = (_value(summary, score) or 0.0) - _least(summary, score)
    return low - lost, high + 100 * _missing(summary, score) - lost
