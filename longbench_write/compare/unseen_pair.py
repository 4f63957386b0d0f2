"""Where a mean difference lies, with a pair that was not seen: one-sided bounds that hold for few prompts.

Student's t and percentiles of resamples know the pairs at hand alone. Of skewed differences on few prompts,
and of length ranges that vary more than others, their one-sided 95% bounds are passed by 5 to 8% of
simulations. So one more pair is added, as far off as the farthest that was seen, with the weight that a value
which was not seen has in the intervals of a summary (see `scoring.bounded_mean`): at 12 to 120 prompts, 3 to
5% pass. Runs that are alike in all pairs stay so.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from longbench_write.scoring.bounded_mean import WHOLE_WEIGHT
from longbench_write.stats import t_quantile


def unseen_weight(pairs: int) -> float:
    """Return what the pair that was not seen weighs beside so many that were, each of which weighs 1."""
    return min(1.0, WHOLE_WEIGHT / pairs)


def with_unseen_pair(change: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the ends of t's interval of a mean difference, each with another pair on its side.

    Args:
        change: The differences, shape (pairs,), at least two.
        level: The share of intervals that are to cover the truth.

    Returns:
        Both ends, in the unit of the differences.
    """
    pairs = len(change)
    weights = np.append(np.ones(pairs), unseen_weight(pairs))
    quantile = t_quantile((1 + level) / 2, pairs - 1)
    ends = []
    for sign, farthest in ((-1, change.min()), (1, change.max())):
        values = np.append(change, farthest)
        centre = float(np.average(values, weights=weights))
        variance = float(weights @ (values - centre) ** 2) / (weights.sum() - 1)
        ends.append(centre + sign * quantile * math.sqrt(variance / weights.sum()))
    return ends[0], ends[1]


def expected_half(error: float, pairs: int, quantile: float) -> float:
    """Return how far such an end lies from the mean on average, of normal differences: for a plan.

    Args:
        error: The standard error of the mean difference.
        pairs: Behind it, at least two.
        quantile: Of t, that the end is to have.
    """
    weight = unseen_weight(pairs)
    farthest = NormalDist().inv_cdf(pairs / (pairs + 1))
    return error * (
        weight * farthest / math.sqrt(pairs) + quantile * math.sqrt(1 + weight * farthest**2 / pairs)
    )
