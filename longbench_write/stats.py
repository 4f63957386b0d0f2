"""Resampling statistics over prompts; what draws random numbers takes its seed.

Means, intervals and differences have the unit of the values; levels, probabilities and p-values are 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)

RESAMPLES = 10_000
"""Bootstrap resamples behind every 95% interval."""

_PART = 120_000
"""Numbers that are drawn and summed at once, so that little memory is needed beside the means."""
_KEPT = 150
"""Prompts up to which the draws are kept for the next metric, or group of as many prompts."""


def bootstrap_means(
    columns: NDArray[np.float64], *, seed: int = 0, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Resample the prompts with replacement and take each column's mean, NaN left out.

    The nonparametric bootstrap (Efron 1979). The columns are resampled together, so that combinations of
    their means can be formed afterwards. Sums are exact, as in `resampled_means`.

    Args:
        columns: Shape (prompts, columns), at least one prompt; NaN where a prompt has no value.
        seed: Of the generator.
        resamples: Number of resamples.

    Returns:
        Shape (resamples, columns); NaN where a resample drew no value of a column.
    """
    present = ~np.isnan(columns)
    values = summable(np.where(present, columns, 0.0))
    weights = present.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate(
            [(drawn @ values) / (drawn @ weights) for drawn in _draws(len(columns), seed, resamples)]
        )


def _draws(prompts: int, seed: int, resamples: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each resample draws each prompt, in parts of about `_PART` numbers."""
    parts = _kept_draws(prompts, seed, resamples) if prompts <= _KEPT else _drawn(prompts, seed, resamples)
    return (part.astype(np.float64) for part in parts)


@lru_cache(maxsize=16)
def _kept_draws(prompts: int, seed: int, resamples: int) -> list[NDArray[np.uint16]]:
    return [part.astype(np.uint16) for part in _drawn(prompts, seed, resamples)]


def _drawn(prompts: int, seed: int, resamples: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    step = max(1, _PART // prompts)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        places = rng.integers(prompts, size=(rows, prompts)) + prompts * np.arange(rows)[:, None]
        yield np.bincount(places.ravel(), minlength=rows * prompts).reshape(rows, prompts)


def interval(means: NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float] | None:
    """Return the percentile interval of resampled means (Efron and Tibshirani 1993, ch. 13).

    Args:
        means: Shape (resamples,); NaN is left out.
        level: The share of the means inside.

    Returns:
        Both ends, in the unit of the means; None without any mean.
    """
    kept = means[~np.isnan(means)]
    if not kept.size:
        return None
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


FLIPS = 10_000
"""Random sign flips behind a p-value, where there are more than so many in all."""

_SAME = 1e-9
"""Means that differ by less are ties: sums of the same numbers in another order."""
_DECIMALS = 9
"""Of the ends of an inverted test, for the same reason."""


def resampled_means(values: NDArray[np.float64], *, seed: int = 0) -> NDArray[np.float64]:
    """Return means of `RESAMPLES` resamples, with replacement, of one value a prompt.

    The values are rounded first so that every sum of them is exact. The order of adding then changes nothing:
    any machine and any library of linear algebra gives the same means to the last bit.

    Args:
        values: Shape (prompts,), none NaN.
        seed: Of the generator; the same seed draws the same prompts for every metric of as many prompts.

    Returns:
        Shape (RESAMPLES,), sorted, in the unit of the values.
    """
    prompts = len(values)
    rounded = summable(values)
    sums = np.concatenate([drawn @ rounded for drawn in _draws(prompts, seed, RESAMPLES)])
    return np.sort(sums / prompts)


def summable(
    values: NDArray[np.float64], *, heaviest: float = 1.0, finest: float = 1.0
) -> NDArray[np.float64]:
    """Round values, of shape (prompts, ...), so that as many of them, whichever, add up without rounding.

    All become multiples of one power of 2, so small that a double holds the largest sum to be had: for 120
    differences of up to 100 points that is 2**-38.

    Args:
        values: None NaN.
        heaviest: The largest weight that a value may have in a sum.
        finest: The power of 2 that all weights are multiples of.
    """
    largest = math.frexp(max(1.0, len(values) * heaviest * float(np.max(np.abs(values)))))[1]
    unit = math.ldexp(1.0, largest - np.finfo(np.float64).nmant) / finest
    return np.round(values / unit) * unit


def widened_interval(
    means: NDArray[np.float64], centre: float, prompts: int, *, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile interval, its distances from the mean lengthened to what few prompts need.

    A percentile interval is too short for few prompts: its spread is that of the values around their own
    mean, and it knows no t distribution. Its distances from the mean are multiplied by
    t * sqrt(n / (n - 1)) / z, the correction that Hesterberg (2015, "What Teachers Should Know About the
    Bootstrap") makes to the percentiles; made to the distances, it also holds for six prompts.

    Args:
        means: Resampled means, shape (resamples,).
        centre: The mean itself.
        prompts: How many prompts it is the mean of, at least two.
        level: The share of intervals that are to cover the truth.

    Returns:
        Both ends, in the unit of the means.
    """
    tail = (1 - level) / 2
    factor = t_quantile(1 - tail, prompts - 1) / NormalDist().inv_cdf(1 - tail)
    factor *= math.sqrt(prompts / (prompts - 1))
    low, high = np.quantile(means, [tail, 1 - tail])
    return centre + factor * (float(low) - centre), centre + factor * (float(high) - centre)


def sign_flip_p(differences: NDArray[np.float64], *, seed: int = 0) -> float:
    """Return the two-sided p-value of a paired permutation test: A and B may be exchanged in each prompt.

    The test is Fisher's (1935, "The Design of Experiments", sec. 21): exact where there are at most `FLIPS`
    ways to exchange them; otherwise of `FLIPS` random ones, the one at hand counted in (Phipson and Smyth
    2010), so that it is never 0.

    Args:
        differences: One a prompt, shape (prompts,).
        seed: Of the generator.

    Returns:
        The share of exchanges whose mean lies as far from 0 or further, above 0 to 1.
    """
    prompts = len(differences)
    signs, exact = _signs(prompts, seed)
    sums = np.abs(signs @ differences)
    as_far = int(np.count_nonzero(sums >= abs(float(differences.sum())) - _SAME))
    return as_far / len(sums) if exact else (as_far + 1) / (len(sums) + 1)


def sign_test_p(losses: int, wins: int) -> float:
    """Return the p-value of the exact one-sided sign test (Dixon and Mood 1946), ties left out.

    Args:
        losses: Pairs that changed for the worse.
        wins: Pairs that changed for the better.

    Returns:
        The chance of as many losses or more where either is as likely, above 0 to 1.
    """
    pairs = losses + wins
    as_many: int = sum(math.comb(pairs, count) for count in range(losses, pairs + 1))
    return float(as_many / 2**pairs)


def sign_flip_interval(
    differences: NDArray[np.float64], *, level: float = 0.95, seed: int = 0
) -> tuple[float, float] | None:
    """Return the shifts of paired differences that `sign_flip_p` does not refuse: its test, inverted.

    Where the differences are symmetric about the truth, as those between two samples of one distribution are,
    the interval covers it at least as often as `level` says for any number of pairs and any distribution
    (Lehmann and Romano 2005, "Testing Statistical Hypotheses", sec. 5.8-5.10).

    Args:
        differences: One a pair, shape (pairs,).
        level: The share of intervals that are to cover the truth.
        seed: Of the generator.

    Returns:
        Both ends, in the unit of the differences; None where so few pairs bound nothing (five at 95%).
    """
    pairs, centre = len(differences), float(differences.mean())
    signs, exact = _signs(pairs, seed)
    around, ones = signs @ (differences - centre), signs.sum(axis=1)
    whole = np.abs(ones) == pairs
    with np.errstate(divide="ignore", invalid="ignore"):
        up, down = around / (pairs - ones), around / (pairs + ones)
    ends = []
    for farthest in (np.maximum(up, -down), np.maximum(-up, down)):
        # A flip of all that is left of a shift below (or above) the mean lies as far from 0 up to this shift.
        shifts = np.sort(np.where(whole, np.inf, farthest))[::-1]
        least = math.floor((1 - level) * (len(shifts) + (not exact)) + _SAME) + exact
        ends.append(float(shifts[least - 1]))
    low, high = (round(centre + sign * end, _DECIMALS) for sign, end in zip((-1, 1), ends, strict=True))
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


@lru_cache(maxsize=8)
def _signs(prompts: int, seed: int) -> tuple[NDArray[np.float64], bool]:
    """Return rows of +1 and -1, shape (flips, prompts), and whether they are all that there are."""
    if 2**prompts <= FLIPS:
        rows = (np.arange(2**prompts)[:, None] >> np.arange(prompts)) & 1
    else:
        rows = np.random.default_rng(seed).integers(0, 2, size=(FLIPS, prompts))
    return np.where(rows, 1.0, -1.0), 2**prompts <= FLIPS


def holm(names: Iterable[K], rejects: Callable[[K, float], bool], *, alpha: float) -> dict[K, float]:
    """Apply Holm's step-down procedure to tests that say yes or no at a level.

    Every hypothesis is held to alpha / m; those rejected are set aside, the m' that are left are held to
    alpha / m', and so on until none more is rejected. This is Holm (1979) in the words of intervals.

    Args:
        names: The hypotheses.
        rejects: Whether a hypothesis is rejected at a level.
        alpha: The family-wise error rate: the chance of one wrong rejection or more.

    Returns:
        For each hypothesis the level at which it was decided last: rejected at it, or not.
    """
    levels: dict[K, float] = {}
    left = list(names)
    while left:
        level = alpha / len(left)
        levels |= dict.fromkeys(left, level)
        kept = [name for name in left if not rejects(name, level)]
        if len(kept) == len(left):
            break
        left = kept
    return levels


def t_half_width(values: Sequence[float], *, level: float = 0.95) -> float:
    """Return how far each end of Student's t interval lies from the mean of two values or more."""
    quantile = t_quantile((1 + level) / 2, len(values) - 1)
    return quantile * float(np.std(values, ddof=1)) / math.sqrt(len(values))


@lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: int) -> float:
    """Return the quantile of Student's t: the distribution function, inverted by bisection.

    Args:
        probability: From 1/2 to below 1.
        freedom: Degrees of freedom, at least one.
    """
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < probability:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_cdf(middle, freedom) < probability else (low, middle)
    return high


def t_cdf(t: float, freedom: int) -> float:
    """Return Student's distribution function (Abramowitz and Stegun 26.7.3, 26.7.4; both are odd in t)."""
    angle = math.atan(t / math.sqrt(freedom))
    square = math.cos(angle) ** 2
    odd = freedom % 2
    term = total = 1.0
    for number in range(2 + odd, freedom - 1, 2):
        term *= square * (number - 1) / number
        total += term
    if not odd:
        return 0.5 + math.sin(angle) * total / 2
    total = math.sin(angle) * math.cos(angle) * total if freedom > 1 else 0.0
    return 0.5 + (angle + total) / math.pi
