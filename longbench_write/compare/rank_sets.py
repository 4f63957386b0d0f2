"""Which of many runs are apart: paired differences of all pairs at once, under one critical value.

From what is apart follow simultaneous confidence sets of ranks (Mogstad, Romano, Shaikh and Wilhelm 2024,
"Inference for Ranks with Applications to Mobility across Neighbourhoods and Academic Achievement across
Countries", Review of Economic Studies 91): the best rank of a run is one more than the number of runs that
are above it, the worst the number of runs less those below it, and in 95% of all blocks no rank lies outside
its set.

Each hypothesis is that one run of a pair is not above the other. Those with a studentised mean difference
beyond the critical value are rejected and set aside, and a new critical value is taken over what is left,
until no more fall (the step-down of Romano and Wolf 2005). The critical value is the 95% quantile of the
greatest studentised difference that is left when all runs' prompts are resampled jointly, which keeps what
pairs have in common.

Before it is held to that, a studentised difference is corrected for the skewness of the pair's differences
(Hall 1992, "On the Removal of Skewness by Transformation", Journal of the Royal Statistical Society B 54),
where this brings it nearer to 0. A run that seldom fails and then badly looks too good on prompts of which
few failed, and has the smallest standard error there: of pairs with equal means, one with failures of a
twentieth and one without, 8% were parted on 120 prompts, 1% since. Failures of which the prompts at hand show
none are beyond any correction: on 31 prompts, that is one run in five of those.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from longbench_write.stats import t_quantile

Array = NDArray[np.float64]
Places = NDArray[np.intp]

MOST_RESAMPLED = 100
"""Runs up to which prompts are resampled. More are compared by t tests under Holm's correction, which is fast
and a little stricter, since it does not know what pairs have in common."""

_RESAMPLES = 10_000
_NUMBERS = 12_000_000
"""Resampled differences that are held at once: of 50 runs' pairs 10,000 resamples, of 100 runs' 2,400."""
_PART = 5_000
"""Pairs whose differences are in memory at once."""
_SAME = 1e-9
"""Means and errors below it are 0: sums of the same numbers in another order."""
_SURE = 50
"""Prompts from which on a difference that is the same in all of them is beyond every critical value."""


@dataclass(frozen=True)
class Apart:
    """The pairs of runs that are apart, an entry each; runs are columns of what was compared.

    Attributes:
        above: The better run.
        below: The other.
        t: How many standard errors lie between them.
        prompts: How many prompts both have.
    """

    above: Places
    below: Places
    t: Array
    prompts: Places


def apart(values: Array, worst: Array, best: Array, *, level: float = 0.95, seed: int = 0) -> Apart:
    """Find the pairs of runs of which one is above the other, whatever is missing.

    A pair is compared on the prompts that both have, and again on those that either has, with the upper run's
    missing values at their worst and the lower run's at their best: nobody rises by what is missing.

    Args:
        values: A run's value of each prompt, shape (prompts, runs), higher is better; NaN where it has none.
        worst: The same where everything is there; else the least that the value can be; NaN where a run can
            have no value, as the length score of a prompt that asks for no length.
        best: The most, likewise.
        level: The chance that nothing is called apart that is not.
        seed: Of the resampling.
    """
    runs = np.ascontiguousarray(values.T)
    first, second = np.triu_indices(len(runs), 1)
    if not (first.size and runs.shape[1]):
        return Apart(first[:0], first[:0], np.zeros(0), first[:0])
    found = _in_parts(first, second, lambda one, other: runs[one] - runs[other])
    resample = len(runs) <= MOST_RESAMPLED
    critical = _resampled(runs, first, second, found, level, seed) if resample else _holm(level)
    signs, bound = _step_down(found, critical)
    fallen = np.flatnonzero(signs)
    swapped = signs[fallen] < 0
    above = np.where(swapped, second[fallen], first[fallen])
    below = np.where(swapped, first[fallen], second[fallen])
    kept = _whatever_is_missing(values.T, worst.T, best.T, above, below, bound)
    t, prompts = np.abs(found.unskewed[fallen]), found.prompts[fallen]
    return Apart(above[kept], below[kept], t[kept], prompts[kept])


@dataclass(frozen=True)
class _Found:
    """Mean differences, one a pair, each with its standard error and skewness; 0 for fewer than two prompts.

    Attributes:
        prompts: That both runs have.
        skewness: Of the differences, over the root of their number.
    """

    prompts: Places
    mean: Array
    error: Array
    skewness: Array

    @property
    def t(self) -> Array:
        """In standard errors; a difference that is the same in all prompts is held to an exact sign test."""
        varies = self.error > _SAME
        signs = np.where(np.abs(self.mean) > _SAME, np.sign(self.mean), 0.0)
        alike = np.where(self.prompts >= 2, signs * _sign_scores(self.prompts), 0.0)
        return np.where(varies, self.mean / np.where(varies, self.error, 1.0), alike)

    @cached_property
    def unskewed(self) -> Array:
        """The same corrected for skewness, where that brings them nearer to 0: Hall's transform."""
        away, towards = np.abs(self.t), self.skewness * np.sign(self.mean)
        corrected = away + towards * away**2 / 3 + towards**2 * away**3 / 27 + towards / 6
        return np.asarray(np.sign(self.t) * np.clip(corrected, 0.0, away), dtype=np.float64)


def _sign_scores(prompts: Places) -> Array:
    """Return the normal quantile of the two-sided sign test's p-value where all of so many prompts agree."""
    numbers, places = np.unique(prompts, return_inverse=True)
    scores = [NormalDist().inv_cdf(1 - 0.5 ** min(max(int(n), 1), _SURE)) for n in numbers]
    return np.array(scores, dtype=np.float64)[places]


def _in_parts(first: Places, second: Places, change: Callable[[Places, Places], Array]) -> _Found:
    """Take the mean difference of pairs and its standard error, NaN left out.

    Args:
        first: One run of each pair.
        second: The other.
        change: Their differences prompt by prompt, shape (pairs, prompts).
    """
    parts = [
        _moments(change(first[start : start + _PART], second[start : start + _PART]))
        for start in range(0, len(first), _PART)
    ]
    return _Found(*(np.concatenate(found) for found in zip(*parts, strict=True)))


def _moments(change: Array) -> tuple[Places, Array, Array, Array]:
    """Return how many prompts each pair has, the mean difference, its standard error and its skewness."""
    known = ~np.isnan(change)
    prompts = known.sum(axis=1)
    whole = bool(known.all())
    mean = (change if whole else np.where(known, change, 0.0)).sum(axis=1) / np.maximum(prompts, 1)
    spread = change - mean[:, None]
    spread = spread if whole else np.where(known, spread, 0.0)
    number = np.maximum(prompts, 1)
    squares = np.einsum("ij,ij->i", spread, spread)
    varies = squares > _SAME
    cubes = np.einsum("ij,ij,ij->i", spread, spread, spread)
    skewness = np.where(varies, cubes / np.where(varies, squares, 1.0) ** 1.5, 0.0)
    return prompts, mean, np.sqrt(squares / np.maximum(prompts - 1, 1) / number), skewness


Critical = Callable[[NDArray[np.int8]], float]
"""Returns the critical value, as a normal quantile, over the hypotheses that are left: both of a pair whose
sign is 0, else the one that did not fall."""


def _step_down(found: _Found, critical: Critical) -> tuple[NDArray[np.int8], Callable[[Places], Array]]:
    """Return which pairs fell, by the sign of their difference, 0 for none, and the last bound by prompts."""
    t = found.unskewed
    signs = np.zeros(len(t), dtype=np.int8)
    while True:
        bound = _bounds(critical(signs))
        falls = (np.abs(t) > bound(found.prompts)) & (signs == 0)
        if not falls.any():
            return signs, bound
        signs[falls] = np.sign(t[falls]).astype(np.int8)


def _bounds(critical: float) -> Callable[[Places], Array]:
    """Return what a critical value is of so many prompts: Student's t in place of the normal quantile."""
    tail = max(NormalDist().cdf(-critical), 1e-15)

    def bound(prompts: Places) -> Array:
        numbers, places = np.unique(prompts, return_inverse=True)
        quantiles = [t_quantile(1 - tail, int(n) - 1) if n >= 2 else math.inf for n in numbers]
        return np.array(quantiles, dtype=np.float64)[places]

    return bound


def _resampled(
    runs: Array, first: Places, second: Places, found: _Found, level: float, seed: int
) -> Critical:
    """Return the critical value by resampling prompts, the same for all pairs.

    The differences of many runs on few prompts vary less in resamples than they do: at the plain quantile, 8%
    of simulated blocks of 20 to 50 equal runs on 31 prompts had a wrong rank, 5 to 7% on 120. So of n prompts
    and m runs, n / (n + m - 2) of the level's tail is used, all of it for two runs.
    """
    change = runs[first] - runs[second]
    varies = found.error > _SAME
    scale = np.where(varies, found.error * np.sqrt(found.prompts * np.maximum(found.prompts - 1, 0)), np.inf)
    spread = np.where(np.isnan(change), 0.0, change - found.mean[:, None]) / scale[:, None]
    resamples = max(1, min(_RESAMPLES, _NUMBERS // len(first)))
    prompts = runs.shape[1]
    quantile = 1 - (1 - level) * prompts / (prompts + len(runs) - 2)
    moved = _drawn(prompts, resamples, seed) @ spread.T.astype(np.float32)
    alike = ~varies & (found.t != 0)
    of_signs = _holm(level)

    def critical(signs: NDArray[np.int8]) -> float:
        least = of_signs(signs[alike]) if alike.any() else 0.0  # what does not vary moves in no resample
        greatest = np.zeros(resamples, dtype=np.float32)
        for sign in (1, -1):
            of_hypotheses = moved[:, signs != sign]
            if of_hypotheses.shape[1]:
                ends = of_hypotheses.max(axis=1) if sign == 1 else -of_hypotheses.min(axis=1)
                greatest = np.maximum(greatest, ends)
        return max(least, float(np.quantile(greatest, quantile, method="higher")))

    return critical


@lru_cache(maxsize=4)
def _drawn(prompts: int, resamples: int, seed: int) -> NDArray[np.float32]:
    """Return how often more or less than once each resample draws each prompt, shape (resamples, prompts)."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(prompts, np.full(prompts, 1 / prompts), size=resamples)
    return (drawn - 1.0).astype(np.float32)


def _holm(level: float) -> Critical:
    """Return the critical value by Holm's correction over the hypotheses that are left."""

    def critical(signs: NDArray[np.int8]) -> float:
        left = 2 * len(signs) - int(np.count_nonzero(signs))
        return NormalDist().inv_cdf(1 - (1 - level) / left)

    return critical


def _whatever_is_missing(
    values: Array, worst: Array, best: Array, above: Places, below: Places, bound: Callable[[Places], Array]
) -> NDArray[np.bool_]:
    """Return which pairs stay apart with what the upper run lacks at its worst, the lower's at its best."""
    whole = ((worst == best) | np.isnan(worst)).all(axis=1)
    kept = np.ones(len(above), dtype=np.bool_)
    doubtful = np.flatnonzero(~(whole[above] & whole[below]))
    if doubtful.size:

        def change(one: Places, other: Places) -> Array:
            either = ~(np.isnan(values[one]) & np.isnan(values[other]))
            return np.where(either, worst[one] - best[other], np.nan)

        with np.errstate(invalid="ignore"):  # a metric without a range may be missing anything
            found = _in_parts(above[doubtful], below[doubtful], change)
            # The values at their ends are no sample: what skewness they make says nothing of other prompts.
            kept[doubtful] = found.t > bound(found.prompts)
    return kept
