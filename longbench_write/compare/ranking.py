"""Which run stands where: places in a block, with ties where paired differences leave the order open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from longbench_write.compare.collection import Block, Entry, blocks
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import paired_means
from longbench_write.compare.prompt_values import PromptValues, as_arrays, read_prompt_values
from longbench_write.compare.rank_sets import MOST_RESAMPLED, Apart, apart
from longbench_write.compare.rule import ALPHA, Rule
from longbench_write.errors import RunFolderError, unknown_name
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES, merged
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.scoring.summary import CONVENTION, Summary
from longbench_write.stats import holm, t_quantile


@dataclass(frozen=True)
class RankedRun:
    """A run's place among those that it may be compared with.

    Attributes:
        best: The best rank of its confidence set, from 1; None without the score that is ranked by.
        worst: The worst such rank.
        whatever: The best and the worst rank, whatever the suspects of the block's runs are worth; None where
            they leave its rank as it is.
    """

    entry: Entry
    best: int | None
    worst: int | None
    whatever: tuple[int, int] | None = None

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
        notes: Why runs cannot be told from any other, a sentence each.
    """

    title: str
    metric: Metric
    runs: list[RankedRun]
    notes: list[str] = field(default_factory=list)

    @property
    def method(self) -> str:
        """How ranks are found."""
        correction = "max-t step-down" if len(self.runs) <= MOST_RESAMPLED else "t tests, Holm's correction"
        return f"paired differences of all pairs, {correction}"


def leaderboard(entries: Iterable[Entry], *, sort: str = S_BAR.name) -> list[Ranking]:
    """Rank runs with those that they may be compared with, the largest block first.

    Runs of a block have their prompts in common, so each pair is compared by paired differences, all pairs
    under one critical value, for a chance of 5% that any rank of a block is wrong: see `rank_sets`. A pair
    that is apart here is apart in `lbw-eval check`, too, with the better run as the baseline.

    An incomplete run gains nothing by what it lacks: it is ordered as if each missing response were worth
    the worst end of the metric's range, and is above another only if it would be with that; what is below
    it would be so with the best end. A run that cannot be paired (without an interval, or whose scores.csv
    cannot be read) ties with all.

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
    with_score.sort(key=lambda entry: (-_least(entry.summary, metric), *_names(entry)))
    paired, notes = _paired(with_score, metric)
    sets = _rank_sets(paired, len(with_score), metric)
    doubtful = sets
    if any(run.suspect.any() for run in paired.values()):
        clear = {place: run.without_suspects() for place, run in paired.items()}
        doubtful = _rank_sets(clear, len(with_score), metric)
    runs = [
        RankedRun(entry, *places, whatever if whatever != places else None)
        for entry, places, whatever in zip(with_score, sets, doubtful, strict=True)
    ]
    runs += [RankedRun(entry, None, None) for entry in sorted(without, key=_names)]
    return Ranking(block.title, metric, runs, notes)


def _paired(entries: Sequence[Entry], metric: Metric) -> tuple[dict[int, PromptValues], list[str]]:
    """Return what runs have prompt by prompt, by their place, and why the others cannot be paired.

    Args:
        entries: In an order that does not depend on where they were found.
        metric: What they are ranked by.
    """
    runs: dict[int, PromptValues] = {}
    notes: list[str] = []
    if len(entries) < 2:
        return runs, notes
    for place, entry in enumerate(entries):
        if not _can_be_paired(entry.summary, metric):
            continue
        try:
            runs[place] = read_prompt_values(entry, metric)
        except RunFolderError as error:
            notes.append(f"{entry.label} ties with all: {error}")
    return runs, notes


def _rank_sets(runs: Mapping[int, PromptValues], count: int, metric: Metric) -> list[tuple[int, int]]:
    """Return each run's best and worst rank.

    Args:
        runs: Those that can be paired, by their place among all.
        count: How many there are in all.
        metric: What they are ranked by.
    """
    if count < 2:
        return [(1, 1)] * count
    paired = list(runs.values())
    found = apart(*as_arrays(paired, metric))
    sure = _are_clear(found)
    for pair in np.flatnonzero(~sure):
        sure[pair] = _is_worse(paired[found.above[pair]], paired[found.below[pair]], metric)
    places = np.array(list(runs), dtype=np.intp)
    best = 1 + np.bincount(places[found.below[sure]], minlength=count)
    worst = count - np.bincount(places[found.above[sure]], minlength=count)
    return list(zip(best.tolist(), worst.tolist(), strict=True))


def _can_be_paired(summary: Summary, metric: Metric) -> bool:
    """Return whether a run's value is the mean of its prompts' values, as we form them."""
    formed_alike = not metric.parts or summary.convention == CONVENTION
    return formed_alike and interval_in(summary.overall, metric) is not None


_CLEAR = 1.75
"""How many times the gate's strictest bound a difference has to be for its interval to be off zero anyhow."""


def _are_clear(found: Apart) -> NDArray[np.bool_]:
    """Return which pairs are so far apart that `check` cannot but find the same."""
    numbers, places = np.unique(found.prompts, return_inverse=True)
    strictest = [t_quantile(1 - ALPHA / len(HEADLINES) / 2, int(number) - 1) for number in numbers]
    return found.t > _CLEAR * np.array(strictest, dtype=np.float64)[places]


def _is_worse(above: PromptValues, below: PromptValues, metric: Metric) -> bool:
    """Return whether `check` finds that a run is worse: Holm's correction over what it gates by default."""
    ranked_by = MetricInRange(metric)
    known = {each.name for each in HEADLINES if _value(above.summary, each) is not None}
    gated = Rule().gated(known) if metric in HEADLINES else [ranked_by]
    changes = {each: paired_means(above.means(each.metric), below.means(each.metric), each) for each in gated}
    levels = holm(gated, lambda each, alpha: changes[each].is_worse(1 - alpha), alpha=ALPHA)
    return changes[ranked_by].is_worse(1 - levels[ranked_by])


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


def _least(summary: Summary, metric: Metric) -> float:
    """Return the signed value if what is missing were worth the worst end of the range, if it has one."""
    if metric.combine is not None:
        parts = [_sign(part) * _least(summary, part) for part in metric.parts]
        return _sign(metric) * float(metric.combine(*parts))
    value, missing = _sign(metric) * (_value(summary, metric) or 0.0), _missing(summary, metric)
    if not missing or metric.range is None:
        return value
    return value * (1 - missing) + min(_sign(metric) * end for end in metric.range) * missing
