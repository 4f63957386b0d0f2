"""What varies from run to run of one model: a night or a server moves all prompts together a little."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.scores import RunScores
from longbench_write.stats import t_quantile


@dataclass(frozen=True)
class RunSpread:
    """What runs that differ as wholes add to the error of a difference between two sides.

    Attributes:
        variance: Of the difference, in the metric's unit squared; above 0.
        freedom: Degrees of freedom behind it.
    """

    variance: float
    freedom: int

    def total(self, error: float) -> float:
        """Return the standard error of the difference, that over prompts being `error`."""
        return math.sqrt(error**2 + self.variance)

    def half_widths(self, error: float, prompts: int, level: float) -> tuple[float, float]:
        """Return half the width of t's interval with what varies from run to run, and without it.

        The degrees of freedom of the sum are Satterthwaite's (1946, "An Approximate Distribution of Estimates
        of Variance Components").

        Args:
            error: The standard error over prompts.
            prompts: How many there are, at least two.
            level: The share of intervals that are to cover the truth.
        """
        share = error**4 / (prompts - 1) + self.variance**2 / self.freedom
        freedom = max(1, math.floor((error**2 + self.variance) ** 2 / share))
        tail = (1 + level) / 2
        return (
            t_quantile(tail, freedom) * self.total(error),
            t_quantile(tail, prompts - 1) * error,
        )


def run_spread(
    a: RunScores, b: RunScores, metric: MetricInRange, prompts: Collection[str]
) -> RunSpread | None:
    """Return what varies from run to run, estimated from the sides that have more runs than one.

    In a table of runs by prompts the mean square of runs is n times what varies from run to run, plus the
    residual one (two-way analysis of variance without replication); both sides are taken for alike.

    Args:
        a: The reference.
        b: The new run.
        metric: What is compared.
        prompts: Those that the two have in common.

    Returns:
        None where neither has more runs than one, or where they vary no more than prompts make them.
    """
    between, freedom = 0.0, 0
    for scores in (a, b):
        table = _table(scores, metric, prompts)
        runs, columns = table.shape
        if runs < 2 or columns < 2:
            continue
        rows = table.mean(axis=1, keepdims=True)
        residual = table - rows - table.mean(axis=0, keepdims=True) + table.mean()
        noise = float((residual**2).sum()) / (runs - 1) / (columns - 1)
        between += (runs - 1) * (float(rows.var(ddof=1)) - noise / columns)
        freedom += runs - 1
    if between <= 0:
        return None
    sides = sum(1 / max(1, len(scores.run_samples)) for scores in (a, b))
    return RunSpread(between / freedom * sides, freedom)


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
