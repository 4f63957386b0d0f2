"""The variance of a comparison by source, and what it will be with other samples and repeats.

The difference of one prompt between two runs has the variance interaction + 2 (sample + repeat / R) / K: how
the two models differ from prompt to prompt, how responses to one prompt differ (K of them in each run), and
how judgements of one response differ (R of each). That of the mean difference of N prompts is the N-th part.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import paired
from longbench_write.compare.power import detectable_drop
from longbench_write.compare.rule import Rule
from longbench_write.compare.scores import RunScores
from longbench_write.metrics.catalogue import all_metrics
from longbench_write.records import Judgement, Key


@dataclass(frozen=True)
class JudgedRun:
    """A run's scores, and every judgement behind them.

    Attributes:
        scores: The run's.
        repeats: Per response the scores of each valid judgement; a response without any is absent.
    """

    scores: RunScores
    repeats: Mapping[Key, Sequence[Mapping[str, int]]]


class Parts(NamedTuple):
    """The variance components of a prompt's difference, in points squared.

    Attributes:
        interaction: Between prompts, of the true difference of two runs.
        sample: Between responses to one prompt.
        repeat: Between judgements of one response.
    """

    interaction: float
    sample: float
    repeat: float

    def variance(self, samples: int, repeats: int) -> float:
        """Return the variance of one prompt's difference, both runs having so many samples and repeats."""
        return self.interaction + 2 * (self.sample + self.repeat / repeats) / samples


@dataclass(frozen=True)
class Components:
    """Variances of one metric.

    Attributes:
        prompts: How many the estimates rest on.
        interaction, sample, repeat: As in `Parts`; None where the runs at hand cannot tell.
        least: The parts if what cannot be told is whatever samples and repeats lower most.
        most: The parts if it is what they do not lower.
    """

    metric: MetricInRange
    prompts: int
    interaction: float | None
    sample: float | None
    repeat: float | None
    least: Parts
    most: Parts

    def detectable(
        self, *, samples: int, repeats: int, prompts: int, rule: Rule, gated: int
    ) -> tuple[float, float]:
        """Return between which drops the one lies that a gate finds with a chance of 80%.

        Args:
            samples: Responses per prompt, in both runs.
            repeats: Judgements per response, in both runs.
            prompts: At least two.
            rule: The gate's.
            gated: How many metrics it gates.
        """
        low, high = (
            detectable_drop(
                math.sqrt(parts.variance(samples, repeats) / prompts),
                prompts,
                gated=gated,
                max_drop=rule.allowed(self.metric) or 0.0,
            )
            for parts in (self.least, self.most)
        )
        return low, high


def repeats_of(judgements: Iterable[Judgement], judge: str | None) -> dict[Key, list[Mapping[str, int]]]:
    """Return the scores of one judge's valid judgements, by response."""
    found: dict[Key, list[Mapping[str, int]]] = defaultdict(list)
    for judgement in judgements:
        if judgement.judge == judge and judgement.scores is not None:
            found[judgement.key].append(judgement.scores)
    return dict(found)


def components(runs: Sequence[JudgedRun], metric: MetricInRange) -> Components:
    """Estimate the variance components of a metric on runs of the same prompts.

    Method of moments: pooled variances within responses and within prompts, and over all pairs of runs the
    variance of the prompts' differences less what samples put into it, never below 0. Of one run, the
    variance between prompts bounds the interaction: two runs whose scores had nothing in common would have
    twice that.
    """
    repeat, per_response = _repeat(runs, metric)
    spread = _sample(runs, metric)
    total = _total(runs, metric)
    noise = (repeat or 0.0) / per_response
    if spread is not None:
        per_sample = sum(_per_sample(run, metric) for run in runs) / len(runs)
        left = max(0.0, total - 2 * spread * per_sample)
        sample = max(0.0, spread - noise)
        told = repeat is not None or not metric.metric.needs_judge
        interaction = left if len(runs) > 1 else None
        return Components(
            metric,
            _prompts(runs, metric),
            interaction=interaction,
            sample=sample,
            repeat=repeat,
            least=Parts(interaction or 0.0, sample, repeat or 0.0)
            if told
            else Parts(interaction or 0.0, 0.0, spread),
            most=Parts(left, sample, repeat or 0.0),
        )
    unseen = max(0.0, total / 2 - noise) if len(runs) > 1 else 0.0
    told = repeat is not None or not metric.metric.needs_judge
    return Components(
        metric,
        _prompts(runs, metric),
        interaction=None,
        sample=None,
        repeat=repeat,
        least=Parts(0.0, unseen, repeat or 0.0) if told else Parts(0.0, 0.0, unseen),
        most=Parts(max(0.0, total - 2 * noise), 0.0, repeat or 0.0),
    )


def _prompts(runs: Sequence[JudgedRun], metric: MetricInRange) -> int:
    return max((len(metric.per_prompt(run.scores)) for run in runs), default=0)


def _pooled(groups: Iterable[Sequence[float]]) -> float | None:
    """Return the variance within groups, over those of two values or more."""
    squares, freedom = 0.0, 0
    for group in groups:
        if len(group) > 1:
            squares += float(np.var(group)) * len(group)
            freedom += len(group) - 1
    return squares / freedom if freedom else None


def _repeat(runs: Sequence[JudgedRun], metric: MetricInRange) -> tuple[float | None, float]:
    """Return the variance between judgements of a response, and their number (the harmonic mean)."""
    groups: list[list[float]] = []
    metrics = all_metrics()
    for run in runs if metric.metric.needs_judge else ():
        for key, repeats in run.repeats.items():
            if response := run.scores.responses.get(key):
                groups.append(
                    [
                        value
                        for scores in repeats
                        if (value := metric.value(response.judged_by(scores, metrics))) is not None
                    ]
                )
    counts = [len(group) for group in groups if group]
    mean = len(counts) / sum(1 / count for count in counts) if counts else 1.0
    return _pooled(groups), mean


def _sample(runs: Sequence[JudgedRun], metric: MetricInRange) -> float | None:
    """Return the variance between responses to a prompt, their judgements' share included."""
    groups: dict[tuple[int, str], list[float]] = defaultdict(list)
    for number, run in enumerate(runs):
        for response in run.scores.responses.values():
            if (value := metric.value(response)) is not None:
                groups[number, response.id].append(value)
    return _pooled(groups.values())


def _total(runs: Sequence[JudgedRun], metric: MetricInRange) -> float:
    """Return the variance of the prompts' differences, the mean over pairs; of one run, its bound."""
    if len(runs) == 1:
        means = list(metric.per_prompt(runs[0].scores).values())
        return 2 * float(np.var(means, ddof=1)) if len(means) > 1 else 0.0
    changes = [paired(one.scores, other.scores, metric) for one, other in combinations(runs, 2)]
    found = [change.error**2 * change.n for change in changes if change.error is not None]
    return sum(found) / len(found) if found else 0.0


def _per_sample(run: JudgedRun, metric: MetricInRange) -> float:
    """Return the mean over prompts of 1 / samples."""
    counts: dict[str, int] = defaultdict(int)
    for response in run.scores.responses.values():
        counts[response.id] += metric.value(response) is not None
    known = [1 / count for count in counts.values() if count]
    return sum(known) / len(known) if known else 1.0
