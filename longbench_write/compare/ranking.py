"""Which run stands where: places in a block, with ties where 95% intervals leave the order open."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from longbench_write.compare.collection import Block, Entry, blocks
from longbench_write.errors import unknown_name
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES, merged
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.scoring.summary import Summary


@dataclass(frozen=True)
class RankedRun:
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
        return all(
            _missing(summary, metric) == 0 for metric in HEADLINES if summary.judge or not metric.needs_judge
        )


@dataclass(frozen=True)
class Ranking:
    """A block of comparable runs in order.

    Attributes:
        title: What they share.
        metric: What they are ranked by.
        runs: The best first; last those that lack its value.
    """

    title: str
    metric: Metric
    runs: list[RankedRun]


def leaderboard(entries: Iterable[Entry], *, sort: str = S_BAR.name) -> list[Ranking]:
    """Rank runs with those that they may be compared with, the largest block first.

    The best rank of a run is one more than the number of runs whose interval lies wholly above its own, the
    worst is the number of runs less those wholly below. A run without an interval ties with all.

    An incomplete run gains nothing by what it lacks: it is ordered as if each missing response were worth
    the worst end of the metric's range, and its interval is widened to what they would make of it at both.

    Args:
        entries: Of `collection.collect`.
        sort: The metric to rank by: a headline, or one that a run was measured by besides. A block in which
            nobody has it is ranked by S_l.

    Raises:
        UsageError: No run has such a metric; the nearest is named.
    """
    entries = list(entries)
    metrics = {metric.name: metric for metric in ranked_metrics(entry.summary for entry in entries)}
    if sort not in metrics:
        raise unknown_name("score to rank by", sort, metrics)
    return [_ranked(block, metrics[sort]) for block in blocks(entries)]


def ranked_metrics(summaries: Iterable[Summary]) -> tuple[Metric, ...]:
    """Return the headlines, and what any of these runs was measured by besides."""
    return merged(HEADLINES, *(summary.others for summary in summaries))


def _ranked(block: Block, sort: Metric) -> Ranking:
    metric = sort if any(_value(entry.summary, sort) is not None for entry in block.entries) else S_L
    with_score = [entry for entry in block.entries if _value(entry.summary, metric) is not None]
    without = [entry for entry in block.entries if _value(entry.summary, metric) is None]
    reaches = [_reach(entry.summary, metric) for entry in with_score]
    lows, highs = (sorted(ends) for ends in zip(*reaches, strict=True)) if reaches else ([], [])
    runs = [
        RankedRun(entry, _above(lows, high) + 1, len(reaches) - _below(highs, low))
        for entry, (low, high) in zip(with_score, reaches, strict=True)
    ]
    runs.sort(key=lambda ranked: (-_least(ranked.entry.summary, metric), *_names(ranked.entry)))
    return Ranking(
        block.title,
        metric,
        runs + [RankedRun(entry, None, None) for entry in sorted(without, key=_names)],
    )


def _above(lows: Sequence[float], high: float) -> int:
    return len(lows) - bisect_right(lows, high)


def _below(highs: Sequence[float], low: float) -> int:
    return bisect_left(highs, low)


def _names(entry: Entry) -> tuple[str, str]:
    return entry.label, entry.path.as_posix()


def _value(summary: Summary, metric: Metric) -> float | None:
    return value_in(summary.overall, metric)


def _sign(metric: Metric) -> int:
    """Return the sign that makes higher better."""
    return 1 if metric.higher_is_better else -1


def _missing(summary: Summary, metric: Metric) -> float:
    """Return the share of the responses owed that are not in a metric's value."""
    if metric.parts:
        return sum(_missing(summary, part) for part in metric.parts) / len(metric.parts)
    counts = summary.counts
    return 1 - counts["judged" if metric.needs_judge else "generated"] / counts["owed"]


def _if_missing_were(summary: Summary, metric: Metric, *, best: bool) -> float:
    """Return the signed value if what is missing were worth an end of the range; responses weigh alike."""
    if metric.combine is not None:
        parts = [_sign(part) * _if_missing_were(summary, part, best=best) for part in metric.parts]
        return _sign(metric) * float(metric.combine(*parts))
    value, missing = _sign(metric) * (_value(summary, metric) or 0.0), _missing(summary, metric)
    if not missing:
        return value
    if metric.range is None:
        return math.inf if best else value
    ends = sorted(_sign(metric) * end for end in metric.range)
    return value * (1 - missing) + ends[best] * missing


def _least(summary: Summary, metric: Metric) -> float:
    return _if_missing_were(summary, metric, best=False)


def _reach(summary: Summary, metric: Metric) -> tuple[float, float]:
    """Return the signed 95% interval, widened to what missing responses would make of it at their ends."""
    if (interval := interval_in(summary.overall, metric)) is None:
        return -math.inf, math.inf
    low, high = sorted(_sign(metric) * end for end in interval)
    value = _sign(metric) * (_value(summary, metric) or 0.0)
    most = _if_missing_were(summary, metric, best=True)
    return (-math.inf if most == math.inf else low - (value - _least(summary, metric))), high + (most - value)
