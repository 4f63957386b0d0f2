"""Two runs' scores side by side: the differences, prompt by prompt, with intervals and p-values.

The unit is the prompt. A prompt's samples are averaged first and travel with it when prompts are resampled;
the variance of its samples is then already part of the variance between prompts' differences, and drawing
samples anew within each drawn prompt would count it twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from longbench_write.compare.metrics import MetricInRange, compared_metrics
from longbench_write.compare.run_spread import RunSpread, run_spread
from longbench_write.compare.scores import RunScores
from longbench_write.compare.unseen_pair import with_unseen_pair
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.scoring.flags import FLAGS
from longbench_write.stats import resampled_means, sign_flip_p, t_quantile, widened_interval
from longbench_write.suites.suite import LENGTH_RANGES

Interval = tuple[float, float]

LEVEL = 0.95
_TIE = 1e-9


class Evidence(Protocol):
    """What a difference's intervals and p-value come from."""

    def interval(self, level: float) -> Interval | None:
        """Return the interval that covers the truth in so many of all comparisons; None for a test alone."""
        ...

    def guarded(self, level: float) -> Interval | None:
        """Return that interval, no narrower than a pair that was not seen leaves it; None likewise."""
        ...

    def half(self, level: float) -> float | None:
        """Return half the width that normal values would give that interval; None for a test alone."""
        ...

    def p(self) -> float | None:
        """Return the p-value; None where there is no test."""
        ...


@dataclass(frozen=True)
class Difference:
    """What changed in one metric from A to B, in its unit.

    Attributes:
        n: Prompts that have a value in both runs; without pairs, the fewer prompts of the two.
        a: A's mean over them; None without any.
        b: B's.
        value: b - a.
        error: Its standard error; None for fewer than two prompts.
        wins: Prompts in which B is better; None without pairs.
        ties: Prompts in which both are the same, likewise.
        losses: Prompts in which B is worse, likewise.
        evidence: Behind its intervals and p-value; None for fewer than two prompts.
    """

    metric: MetricInRange
    n: int
    a: float | None
    b: float | None
    value: float | None
    error: float | None = None
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None
    evidence: Evidence | None = field(default=None, repr=False, compare=False)

    def at(self, level: float) -> Interval | None:
        """Return the interval at a level; None for fewer than two prompts."""
        return self.evidence.interval(level) if self.evidence else None

    def half(self, level: float) -> float | None:
        """Return half the width of the interval at a level, for a plan; None where there is none."""
        return self.evidence.half(level) if self.evidence else None

    @property
    def drop(self) -> float | None:
        """How much worse B is: how far it fell, or rose where lower is better; below 0 where it is better."""
        if self.value is None:
            return None
        return -self.value if self.metric.metric.higher_is_better else self.value

    def is_worse(self, level: float) -> bool:
        """Return whether the whole interval at this level says that B is worse."""
        if (found := self.at(level)) is None:
            return False
        return found[1] < 0 if self.metric.metric.higher_is_better else found[0] > 0

    def bound(self, level: float = LEVEL) -> float | None:
        """Return the one-sided bound at this level on the side where B is worse; None without an interval."""
        found = self.evidence.guarded(2 * level - 1) if self.evidence else None
        if found is None:
            return None
        return found[0] if self.metric.metric.higher_is_better else found[1]

    @cached_property
    def interval(self) -> Interval | None:
        """The 95% interval."""
        return self.at(LEVEL)

    @cached_property
    def p(self) -> float | None:
        """The two-sided p-value of the paired permutation test; None without pairs.

        Where a side is several runs it is no smaller than what varies from run to run leaves it. Of newly
        failed prompts, that of the one-sided sign test.
        """
        return self.evidence.p() if self.evidence else None


@dataclass(frozen=True)
class Moved:
    """A prompt that changed much.

    Attributes:
        a, b: Its value of the metric in both runs.
        words_a, words_b: Words written, the mean over its samples.
        line_a, line_b: Where it begins in the runs' predictions.jsonl, from 1; None where there is no run.
    """

    id: str
    length: int | None
    a: float
    b: float
    words_a: float
    words_b: float
    line_a: int | None
    line_b: int | None


def differences(a: RunScores, b: RunScores, *, judged: bool, seed: int = 0) -> list[Difference]:
    """Return the differences in every metric that these runs have prompts for.

    Args:
        a: The reference.
        b: The new run.
        judged: Whether what rests on judgements is to be compared.
        seed: Of the resampling.
    """
    ranges = [label for label in LENGTH_RANGES if label in a.ranges and label in b.ranges]
    metrics = compared_metrics(a, b, ranges)
    return [
        difference(a, b, metric, seed=seed) for metric in metrics if judged or not metric.metric.needs_judge
    ]


def difference(a: RunScores, b: RunScores, metric: MetricInRange, *, seed: int = 0) -> Difference:
    """Return the difference in one metric: in pairs, unless one of the runs is known by its summary alone.

    Args:
        a: The reference.
        b: The new run.
        metric: What is compared.
        seed: Of the resampling.
    """
    if a.summary or b.summary:
        return unpaired(a, b, metric)
    return paired(a, b, metric, seed=seed)


def paired(a: RunScores, b: RunScores, metric: MetricInRange, *, seed: int = 0) -> Difference:
    """Return the difference in one metric, over the prompts that have a value in both runs.

    The standard error is that of the mean of the prompts' differences, their standard deviation over the root
    of their number; where one of them is several runs, with what varies from run to run.

    Args:
        a: The reference.
        b: The new run.
        metric: What is compared.
        seed: Of the resampling.
    """
    before, after = metric.per_prompt(a), metric.per_prompt(b)
    spread = run_spread(a, b, metric, before.keys() & after.keys()) if a.runs > 1 or b.runs > 1 else None
    return paired_means(before, after, metric, spread=spread, seed=seed)


def paired_means(
    before: Mapping[str, float],
    after: Mapping[str, float],
    metric: MetricInRange,
    *,
    spread: RunSpread | None = None,
    seed: int = 0,
) -> Difference:
    """Do as `paired` does, of A's and B's values by prompt id.

    Args:
        before: A's.
        after: B's.
        metric: What is compared.
        spread: What varies from run to run; None for nothing, or where that is not known.
        seed: Of the resampling.
    """
    common = sorted(before.keys() & after.keys())
    if not common:
        return Difference(metric, 0, None, None, None)
    old, new = (np.array([values[prompt] for prompt in common]) for values in (before, after))
    change = new - old
    better = change if metric.metric.higher_is_better else -change
    found = Difference(
        metric,
        n=len(common),
        a=float(old.mean()),
        b=float(new.mean()),
        value=float(change.mean()),
        wins=int(np.count_nonzero(better > _TIE)),
        ties=int(np.count_nonzero(abs(change) <= _TIE)),
        losses=int(np.count_nonzero(better < -_TIE)),
    )
    if len(common) < 2:
        return found
    error = float(change.std(ddof=1)) / math.sqrt(len(common))
    evidence = _Pairs(change, seed, error, spread)
    return replace(found, error=spread.total(error) if spread else error, evidence=evidence)


@dataclass(frozen=True)
class _Pairs:
    """Differences prompt by prompt; they are resampled once, when an interval is first asked for.

    What varies from run to run lengthens the interval as it lengthens that of Student's t.
    """

    change: NDArray[np.float64]
    seed: int
    error: float
    spread: RunSpread | None

    @cached_property
    def _means(self) -> NDArray[np.float64]:
        return resampled_means(self.change, seed=self.seed)

    def interval(self, level: float) -> Interval:
        centre = float(self.change.mean())
        low, high = widened_interval(self._means, centre, len(self.change), level=level)
        if self.spread is None:
            return low, high
        half = self.half(level)
        over_prompts = t_quantile((1 + level) / 2, len(self.change) - 1) * self.error
        if over_prompts < _TIE:
            return centre - half, centre + half
        factor = half / over_prompts
        return centre + factor * (low - centre), centre + factor * (high - centre)

    def guarded(self, level: float) -> Interval:
        ends = zip(self.interval(level), with_unseen_pair(self.change, level), strict=True)
        (low, least), (high, most) = ends
        return min(low, least), max(high, most)

    def half(self, level: float) -> float:
        if self.spread is None:
            return t_quantile((1 + level) / 2, len(self.change) - 1) * self.error
        return self.spread.half_width(self.error, len(self.change), level)

    def p(self) -> float:
        over_prompts = sign_flip_p(self.change, seed=self.seed)
        if self.spread is None:
            return over_prompts
        return max(over_prompts, self.spread.p(float(self.change.mean()), self.error, len(self.change)))


def unpaired(a: RunScores, b: RunScores, metric: MetricInRange) -> Difference:
    """Return the difference in one metric from figures alone, where a run is known by its summary.

    The two intervals' variances are added, as if the runs had nothing in common. The same prompts make both
    runs high or low together, so this is wider than what pairs would give.

    Args:
        a: The reference.
        b: The new run.
        metric: What is compared.
    """
    (mean_a, error_a, n_a), (mean_b, error_b, n_b) = (_figure(scores, metric) for scores in (a, b))
    n = min(n_a, n_b)
    if mean_a is None or mean_b is None:
        return Difference(metric, n, mean_a, mean_b, None)
    value = mean_b - mean_a
    if error_a is None or error_b is None or n < 2:
        return Difference(metric, n, mean_a, mean_b, value)
    error = math.hypot(error_a, error_b)
    return Difference(metric, n, mean_a, mean_b, value, error=error, evidence=_Figures(value, error, n))


def shifted(change: Difference, by: float) -> Difference:
    """Return a difference without pairs as if B's mean were another.

    Args:
        change: As `unpaired` returned it, with both means.
        by: How much is added to B's mean.
    """
    value = (change.value or 0.0) + by
    evidence = None if change.error is None else _Figures(value, change.error, change.n)
    return replace(change, b=(change.b or 0.0) + by, value=value, evidence=evidence)


@dataclass(frozen=True)
class _Figures:
    """A difference and its standard error alone."""

    value: float
    error: float
    n: int

    def interval(self, level: float) -> Interval:
        half = self.half(level)
        return self.value - half, self.value + half

    def guarded(self, level: float) -> Interval:
        return self.interval(level)

    def half(self, level: float) -> float:
        return t_quantile((1 + level) / 2, self.n - 1) * self.error

    def p(self) -> None:
        return None


def _figure(scores: RunScores, metric: MetricInRange) -> tuple[float | None, float | None, int]:
    """Return a metric's mean, the standard error of that, and over how many prompts."""
    if scores.summary is None:
        values = list(metric.per_prompt(scores).values())
        if len(values) < 2:
            return (values[0] if values else None), None, len(values)
        return float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values)), len(values)
    summary = scores.summary
    group = metric.group(summary)
    if not group:
        return None, None, 0
    prompts = round(group["judged" if metric.metric.needs_judge else "n"] / summary.samples)
    ci = interval_in(group, metric.metric)
    error = None if ci is None else (ci[1] - ci[0]) / 2 / 1.96
    return value_in(group, metric.metric), error, prompts


def most_moved(
    a: RunScores, b: RunScores, metric: MetricInRange, *, count: int = 5
) -> tuple[list[Moved], list[Moved]]:
    """Return the prompts that fell most and those that rose most in a metric, the furthest first.

    Args:
        a: The reference.
        b: The new run.
        metric: What they moved in.
        count: How many of each at most.

    Raises:
        RunFolderError: The records of a run, whose lines are named, cannot be read.
    """
    before = metric.per_prompt(a)
    after = metric.per_prompt(b)
    words_a, words_b = (_words(scores) for scores in (a, b))
    moved = [
        Moved(
            id=prompt,
            length=a.lengths[prompt],
            a=before[prompt],
            b=after[prompt],
            words_a=words_a[prompt],
            words_b=words_b[prompt],
            line_a=a.lines.get(prompt),
            line_b=b.lines.get(prompt),
        )
        for prompt in sorted(before.keys() & after.keys())
    ]
    moved.sort(key=lambda prompt: prompt.b - prompt.a)
    fallen = [prompt for prompt in moved if prompt.b - prompt.a < -_TIE]
    risen = [prompt for prompt in reversed(moved) if prompt.b - prompt.a > _TIE]
    return fallen[:count], risen[:count]


def _words(scores: RunScores) -> dict[str, float]:
    words: dict[str, list[int]] = {}
    for response in scores.responses.values():
        words.setdefault(response.id, []).append(response.words)
    return {prompt: sum(counts) / len(counts) for prompt, counts in words.items()}


def flag_counts(scores: RunScores) -> dict[str, int]:
    """Return how many responses carry each flag."""
    if scores.summary:
        return {flag: scores.summary.counts[flag] for flag in FLAGS if flag in scores.summary.counts}
    return {flag: sum(flag in response.flags for response in scores.responses.values()) for flag in FLAGS}
