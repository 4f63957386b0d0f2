"""Non-inferiority: whether a metric is shown to be worse by less than a margin."""

from __future__ import annotations

from collections.abc import Iterable

from longbench_write.compare.figures import signed
from longbench_write.compare.paired import Difference


def is_shown(change: Difference, margin: float) -> bool:
    """Return whether the one-sided 95% bound of a difference says that B is worse by less than a margin.

    This is the test of non-inferiority by a confidence bound (Piaggio et al. 2012, the CONSORT extension).
    All gated metrics must pass it, so that no correction for their number is needed (Berger 1982, the
    intersection-union test).

    Args:
        change: The difference.
        margin: In the metric's unit, 0 or more.
    """
    bound = change.bound()
    return bound is not None and (-bound if change.metric.metric.higher_is_better else bound) < margin


def margin_doubt(change: Difference, margin: float, others: Iterable[tuple[str, Difference]]) -> str:
    """Return why it is not shown; "" where it is.

    Args:
        change: The difference as it stands.
        margin: In the metric's unit.
        others: The difference as it would be otherwise, which must show it too, each with the words for it.
    """
    for where, each in (("", change), *others):
        if not is_shown(each, margin):
            return (
                f"cannot be told: it is not shown to be worse by less than {margin_words(change, margin)}"
                f"{where and f' {where}'}: it changed by {signed(each.value)} ({bound_words(each)}); more "
                "prompts or samples tell, and `lbw-eval power --non-inferiority` how many"
            )
    return ""


def margin_words(change: Difference, margin: float) -> str:
    """Return a margin with its unit."""
    return f"{margin:g} {change.metric.metric.unit}"


def bound_words(change: Difference) -> str:
    """Return the one-sided bound of a difference, with its level."""
    return f"one-sided 95% bound {signed(change.bound())}"
