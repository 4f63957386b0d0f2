"""Where the mean of values between two ends lies, from few of them and whatever their distribution.

The method is Gaffke's (2005, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a
nonnegative variable"; Learned-Miller and Thomas 2020, "A new confidence interval for the mean of a bounded
random variable"). Each value has the weight of an exponential draw, as in Rubin's Bayesian bootstrap, and so
has one value that was not seen. With it at the low end of the scale, the 2.5% quantile of the weighted means
is the interval's low end; with it at the high end, the 97.5% quantile is the high end. Few prompts that are
all good do not prove then that none is bad, which is what percentiles and t take them for.

For many values that would be wider than it need be: the value that was not seen has its whole weight up to
`WHOLE_WEIGHT` values, and so many of them divided by their number beyond. Strata share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from longbench_write.stats import RESAMPLES, summable

WHOLE_WEIGHT = 25
"""Values up to which the one that was not seen weighs as much as one that was."""

SMALLEST = 8
"""Prompts that each stratum needs where strata share that weight; with fewer each has all of it."""

_UNIT = 2.0**-12
"""Weights are multiples of it, so that their sums are exact and the order of adding shows nowhere."""

_HEAVIEST = 32.0
"""What no exponential draw exceeds: one in 10^13 would."""

_PART = 120_000
"""Weights that are drawn and used at once, so that little memory is needed beside the means."""

_KEPT = 150
"""Values up to which the weights are kept for the next group of as many."""

_Weights = tuple[NDArray[np.float64], NDArray[np.float64]]


def weighted_means(
    values: NDArray[np.float64],
    ends: NDArray[np.float64],
    strata: NDArray[np.int64],
    shares: Sequence[float] | None = None,
    *,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means under random weights, with the value that was not seen at the low and at the high end.

    The columns are weighted together, so that what is formed from them can be formed within each draw.

    Args:
        values: Shape (prompts, columns); NaN where a prompt has no value, but each column has one in each
            stratum that counts.
        ends: The ends of each column's scale, shape (columns, 2).
        strata: The stratum of each prompt, shape (prompts,): 0, 1, ...
        shares: What each stratum counts in a mean, adding up to 1; None for its share of the values.
        seed: Of the generator.

    Returns:
        Two arrays of shape (resamples, columns), in the unit of the values.
    """
    present = ~np.isnan(values)
    sizes = np.bincount(strata)
    counts = np.array([present[strata == one].sum(axis=0) for one in range(len(sizes))])
    parts = counts / counts.sum(axis=0) if shares is None else np.array(shares)[:, None] + 0.0 * counts
    unseen = min(1.0, WHOLE_WEIGHT / len(values)) / len(sizes) if min(sizes) >= SMALLEST else 1.0
    low = np.zeros((RESAMPLES, values.shape[1]))
    high = np.zeros_like(low)
    for one, part in enumerate(parts):
        chosen = strata == one
        below, above = _stratum(values[chosen], present[chosen], ends, unseen, seed + one)
        low += np.where(part > 0, part * below, 0.0)
        high += np.where(part > 0, part * above, 0.0)
    return low, high


def _stratum(
    values: NDArray[np.float64],
    present: NDArray[np.bool_],
    ends: NDArray[np.float64],
    unseen: float,
    seed: int,
) -> _Weights:
    """Return what `weighted_means` does of a single stratum, where `unseen` is that value's share of one."""
    filled = summable(np.where(present, values, 0.0), heaviest=_HEAVIEST, finest=_UNIT)
    counted = present.astype(np.float64)
    low, high = [], []
    for seen, other in _draws(len(values), unseen, seed):
        sums, weights = seen @ filled, seen @ counted + other[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            low.append((sums + other[:, None] * ends[:, 0]) / weights)
            high.append((sums + other[:, None] * ends[:, 1]) / weights)
    return np.concatenate(low), np.concatenate(high)


def _draws(number: int, unseen: float, seed: int) -> Iterator[_Weights]:
    """Yield weights of values, shape (draws, number), and of the one that was not seen, shape (draws,)."""
    return iter(_kept_draws(number, unseen, seed)) if number <= _KEPT else _drawn(number, unseen, seed)


@lru_cache(maxsize=32)
def _kept_draws(number: int, unseen: float, seed: int) -> list[_Weights]:
    return list(_drawn(number, unseen, seed))


def _drawn(number: int, unseen: float, seed: int) -> Iterator[_Weights]:
    rng = np.random.default_rng(seed)
    step = max(1, _PART // number)
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        yield (
            _rounded(rng.standard_exponential(size=(rows, number))),
            _rounded(rng.standard_gamma(unseen, size=rows)),
        )


def _rounded(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    # A weight of 0 would leave a mean of nothing.
    return np.maximum(np.round(np.minimum(weights, _HEAVIEST) / _UNIT), 1.0) * _UNIT


def ends_of(
    low: NDArray[np.float64], high: NDArray[np.float64], *, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a mean from its draws, as `weighted_means` gives them.

    Args:
        low: Shape (resamples,); what is formed from columns of its first array.
        high: What is formed from the same of its second.
        level: The share of intervals that are to cover the truth.

    Returns:
        Both ends, in the unit of the values.
    """
    tail = (1 - level) / 2
    return float(np.quantile(low, tail)), float(np.quantile(high, 1 - tail))
