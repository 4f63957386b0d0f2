"""What varies from run to run of one model: a night or a server moves all prompts together a little."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.scores import RunScores
from longbench_write.stats import t_quantile

_POINTS = 400
_PRECISION = 1e-6
"""Of half widths, relative."""
_LEAST_P = 1e-12
_FARTHEST = 8.0
"""Standard deviations beyond which a normal value never lies."""


@dataclass(frozen=True)
class RunSpread:
    """What runs that differ as wholes add to the error of a difference between two sides.

    Attributes:
        mean_square: The variance of the means of a model's runs over the same prompts, in the metric's unit
            squared.
        noise: What of it prompts and their samples make.
        freedom: Degrees of freedom behind it.
        sides: The sum over both sides of 1 / runs.
    """

    mean_square: float
    noise: float
    freedom: int
    sides: float

    @property
    def variance(self) -> float:
        """Of the difference, by what moves whole runs; never below 0."""
        return self.sides * max(0.0, self.mean_square - self.noise)

    def total(self, error: float) -> float:
        """Return the standard error of the difference, that over prompts being `error`."""
        return math.sqrt(error**2 + self.variance)

    def half_width(self, error: float, prompts: int, level: float) -> float:
        """Return half the width of an interval that knows what varies from run to run.

        Few runs say little about how far runs vary, and where they happen to lie together they say nothing of
        it. So the interval is a generalized one (Weerahandi 1993, "Generalized Confidence Intervals"): the
        difference is normal, with a variance that is drawn from what a chi-squared mean square with so many
        degrees of freedom leaves open, less the part that prompts explain. It is Student's t over prompts
        where runs cannot vary, and Student's t over runs where nothing else does. (t with Satterthwaite's
        degrees of freedom is too narrow: they are most where the variance of runs was underestimated.)

        Args:
            error: The standard error over prompts.
            prompts: How many there are, at least two.
            level: The share of intervals that are to cover the truth.
        """
        scales, weights = self._scales(error, prompts, level)
        if not scales.size:
            return 0.0
        low, high = 0.0, _FARTHEST * float(scales.max())
        while high - low > _PRECISION * high:
            half = (low + high) / 2
            low, high = (half, high) if _outside(half, scales, weights) > 1 - level else (low, half)
        return high

    def p(self, change: float, error: float, prompts: int) -> float:
        """Return the two-sided p-value of a mean difference: 1 less the level whose interval ends at zero.

        Args:
            change: The mean difference.
            error: As for `half_width`.
            prompts: Likewise.

        Returns:
            At least `_LEAST_P`, at most 1.
        """
        low, high = _LEAST_P, 1.0
        while high - low > _PRECISION * high:
            p = math.sqrt(low * high)
            outside = _outside(abs(change), *self._scales(error, prompts, 1 - p))
            low, high = (p, high) if outside > p else (low, p)
        return high

    def _scales(
        self, error: float, prompts: int, level: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the standard deviations that the difference may have, above 0, with their weights."""
        tail = (1 + level) / 2
        over_prompts = error * t_quantile(tail, prompts - 1) / NormalDist().inv_cdf(tail)
        inverse, weights = _open_variances(self.freedom)
        runs = self.sides * np.maximum(0.0, self.mean_square * inverse - self.noise)
        scales = np.sqrt(over_prompts**2 + runs)
        return scales[scales > 0], weights[scales > 0]


def _outside(half: float, scales: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return how often a normal value lies farther off than `half`, its deviation one of some scales."""
    return float(np.interp(half / scales, *_normal_tails()) @ weights)


@lru_cache(maxsize=1)
def _normal_tails() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return distances in standard deviations, and how often a normal value lies farther off on any side."""
    distances = np.linspace(0, _FARTHEST, 8001)
    return distances, np.array([math.erfc(distance / math.sqrt(2)) for distance in distances.tolist()])


@lru_cache(maxsize=32)
def _open_variances(freedom: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by what factors the true mean square may differ from the one that was found, with weights.

    They are freedom / chi-squared, at equal steps of its logarithm, where the trapezoidal rule is exact to
    many digits.
    """
    logs = np.linspace(-50.0 / freedom - 2.5, math.log(4 + 80.0 / freedom), _POINTS) + math.log(freedom)
    density = np.exp(freedom / 2 * logs - np.exp(logs) / 2 - (freedom / 2) * (math.log(freedom) - 1))
    return freedom / np.exp(logs), density / density.sum()


def run_spread(
    a: RunScores, b: RunScores, metric: MetricInRange, prompts: Collection[str]
) -> RunSpread | None:
    """Return what varies from run to run, estimated from the sides that have more runs than one.

    Args:
        a: The reference.
        b: The new run.
        metric: What is compared.
        prompts: Those that the two have in common.

    Returns:
        None where neither has more runs than one.
    """
    found = mean_squares([a, b], metric, prompts)
    if found is None:
        return None
    sides = sum(1 / max(1, len(scores.run_samples)) for scores in (a, b))
    return RunSpread(*found, sides)


def mean_squares(
    sides: Sequence[RunScores], metric: MetricInRange, prompts: Collection[str]
) -> tuple[float, float, int] | None:
    """Return the variance of runs' means, what of it prompts and samples make, and the degrees of freedom.

    In a table of runs by prompts the mean square of runs is n times what varies from run to run, plus the
    residual one (two-way analysis of variance without replication); all sides are taken for alike.

    Args:
        sides: Each of one model's runs.
        metric: Whose values they are.
        prompts: Those that count.

    Returns:
        None where none has more runs than one, and two prompts.
    """
    between, within, freedom = 0.0, 0.0, 0
    for scores in sides:
        if scores.runs < 2:
            continue
        table = _table(scores, metric, prompts)
        runs, columns = table.shape
        if columns < 2:
            continue
        rows = table.mean(axis=1, keepdims=True)
        residual = table - rows - table.mean(axis=0, keepdims=True) + table.mean()
        between += (runs - 1) * float(rows.var(ddof=1))
        within += float((residual**2).sum()) / (columns - 1) / columns
        freedom += runs - 1
    return (between / freedom, within / freedom, freedom) if freedom else None


def _table(scores: RunScores, metric: MetricInRange, prompts: Collection[str]) -> NDArray[np.float64]:
    """Return the mean of each prompt's samples in each run, shape (runs, prompts that all runs have)."""
    run_of = [run for run, samples in enumerate(scores.run_samples) for _ in range(samples)]
    found: dict[str, dict[int, list[float]]] = {}
    for (prompt, sample), response in scores.responses.items():
        if prompt in prompts and sample < len(run_of) and (value := metric.value(response)) is not None:
            found.setdefault(prompt, {}).setdefault(run_of[sample], []).append(value)
    runs = len(scores.run_samples)
    columns = [
        [sum(values[run]) / len(values[run]) for run in range(runs)]
        for _, values in sorted(found.items())
        if len(values) == runs
    ]
    return np.array(columns, dtype=np.float64).reshape(len(columns), runs).T
