"""The minimum detectable drop of a comparison, and of another one like it."""

from __future__ import annotations

from longbench_write.compare.paired import Difference
from longbench_write.compare.rule import ALPHA
from longbench_write.compare.unseen_pair import expected_half
from longbench_write.stats import t_quantile

POWER = 0.8
"""The chance with which the gate is to close on a drop of the size that is reported."""

_LIKE_NORMAL = 1000
"""Degrees of freedom from which on t's quantiles are within 0.1% of the normal ones, which take less time."""


def first_level(gated: int) -> float:
    """Return the level of the intervals that Holm's correction begins with.

    Args:
        gated: How many metrics it is made over.
    """
    return 1 - ALPHA / gated


def detectable_drop(
    error: float, prompts: int, *, gated: int, max_drop: float, half: float | None = None
) -> float:
    """Return the smallest true drop that the gate's rule finds with a chance of 80%.

    The gate closes where the mean drop is at least both t * error, t being that of the interval at Holm's
    first level, and `max_drop`. A true drop larger than that by the 80% quantile times the error gets there
    in 80% of comparisons. Holm's later levels only widen what is found. This is the minimum detectable effect
    of a paired t test (Bloom 1995): (t at 1 - alpha / 2 + t at the power) * error, `max_drop` aside.

    Args:
        error: The standard error of the mean difference, in points.
        prompts: Pairs behind it, at least two.
        gated: How many metrics Holm's correction is made over.
        max_drop: The smallest drop that the rule calls a regression, in points.
        half: Half the width of the interval at `first_level`, in points; None for t's over prompts.

    Returns:
        The drop, in points, above 0.
    """
    if half is None:
        half = t_quantile((1 + first_level(gated)) / 2, prompts - 1) * error
    return max(half, max_drop) + t_quantile(POWER, prompts - 1) * error


def detectable_change(change: Difference, *, gated: int, max_drop: float) -> float | None:
    """Return `detectable_drop` for a difference's prompts and variance; None if that is 0 or unknown.

    Args:
        change: The difference.
        gated: As for `detectable_drop`.
        max_drop: Likewise.
    """
    if not change.error:
        return None
    half = change.half(first_level(gated))
    return detectable_drop(change.error, change.n, gated=gated, max_drop=max_drop, half=half)


def showable_margin(error: float, prompts: int) -> float:
    """Return the smallest margin of non-inferiority that is shown with a chance of 80%.

    Where the two runs do not truly differ, the one-sided bound at 1 - `ALPHA` lies inside the margin in 80%
    of comparisons if that is as wide as both quantiles of t, at 1 - `ALPHA` and at the power, times the error
    (Julious 2004, "Sample sizes for clinical trials with normal data"), and further by what a pair that was
    not seen adds.

    Args:
        error: The standard error of the mean difference, in points.
        prompts: Pairs behind it, at least two.
    """
    freedom = min(prompts - 1, _LIKE_NORMAL)
    bound = expected_half(error, prompts, t_quantile(1 - ALPHA, freedom))
    return bound + t_quantile(POWER, freedom) * error
