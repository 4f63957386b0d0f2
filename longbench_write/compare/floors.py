"""A run against a floor: where its mean lies, and how often another run of its model would be beyond."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import Interval
from longbench_write.compare.run_spread import run_spread
from longbench_write.compare.scores import RunScores
from longbench_write.scoring.figures import interval_in
from longbench_write.scoring.groups import length_range_of
from longbench_write.scoring.intervals import intervals
from longbench_write.stats import t_cdf
from longbench_write.suites.cards import card_of_file

_SAME = 1e-9
"""Standard errors below it are 0: sums of the same numbers in another order."""


def mean_interval(scores: RunScores, metric: MetricInRange) -> Interval | None:
    """Return the 95% interval of a run's mean, over prompts as a summary has it (see `scoring.intervals`).

    Args:
        scores: The run; where it is several, an interval that knows nothing of what varies between them.
        metric: Whose mean it is.

    Returns:
        None for fewer than two prompts, for a metric that is no mean over prompts, and of a suite whose
        prompts are not independent, since their clusters are not at hand.
    """
    if scores.summary:
        group = metric.group(scores.summary)
        return interval_in(group, metric.metric) if group else None
    card = card_of_file(scores.info.suite_sha256) if scores.info else None
    if card and card.cluster_by:
        return None
    rows = [response for response in scores.responses.values() if metric.value(response) is not None]
    ends = intervals(rows, [metric.metric], stratum=length_range_of)[metric.metric.name]
    return (ends[0], ends[1]) if ends else None


def chance_beyond(a: RunScores, b: RunScores, metric: MetricInRange, floor: float) -> float | None:
    """Return how often the mean of another run would be below a floor, or above it where lower is better.

    The two are taken for one model. Then what a prompt's values differ by is the noise of both sides, and
    another run of as many prompts, samples and runs as `b` differs from `b` by noise of the same kind: by a
    Student's t with the prompts' degrees of freedom around b's mean, a prediction interval's (Hahn 1969,
    "Factors for Calculating Two-Sided Prediction Intervals for Samples from a Normal Distribution"). Where a
    side is several runs, what varies from run to run is added as in the intervals of differences
    (`RunSpread`); where each is one, nobody knows that. A prompt's noise is taken to fall with the number of
    its samples, and that of a mean with the number of prompts.

    Args:
        a: The baseline.
        b: The run.
        metric: Whose mean it is.
        floor: In its unit.

    Returns:
        From 0 to 1. None for fewer than two common prompts, where no prompt's value changed beside another's,
        and where one side is known by its summary alone, which does not tell noise from prompts.
    """
    if a.summary or b.summary:
        return None
    before, after = metric.per_prompt(a), metric.per_prompt(b)
    common = sorted(before.keys() & after.keys())
    if len(common) < 2:
        return None
    noise = float(np.std([after[prompt] - before[prompt] for prompt in common], ddof=1))
    if noise < _SAME:
        return None
    ours, theirs = (_samples(scores, metric, set(common)) for scores in (b, a))
    error = noise * math.sqrt(2 * theirs / (ours + theirs) / len(after))
    margin = math.fsum(after.values()) / len(after) - floor
    margin = margin if metric.metric.higher_is_better else -margin
    spread = run_spread(a, b, metric, set(common))
    if spread is None:
        return t_cdf(-margin / error, len(common) - 1)
    tail = replace(spread, sides=2 / b.runs).p(margin, error, len(common)) / 2
    return tail if margin > 0 else 1 - tail


def _samples(scores: RunScores, metric: MetricInRange, prompts: Collection[str]) -> float:
    """Return how many values of a metric these prompts have on average."""
    values = (metric.value(each) for each in scores.responses.values() if each.id in prompts)
    return sum(value is not None for value in values) / len(prompts)
