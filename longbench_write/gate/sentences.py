"""What findings say, in words."""

from __future__ import annotations

from collections.abc import Sequence

from longbench_write.compare.figures import signed, span
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import LEVEL, Difference, Interval
from longbench_write.gate.margin import bound_words, margin_words

NAMES = ("the baseline", "the run")
"""What the two sides are called in a finding, which may be read alone."""

AGAIN = "the run's own command asks again for what is owed, and with --retry-failed for what failed"
"""What helps where scores are missing."""


def limit_words(metric: MetricInRange) -> str:
    """Return on which side of a floor a metric fails."""
    return "below its floor" if metric.metric.higher_is_better else "above its ceiling"


def mean_words(mean: float, interval: Interval | None) -> str:
    """Return a mean with its own interval, if any."""
    if interval is None:
        return f"{mean:.1f}"
    low, high = interval
    return f"{mean:.1f} (95% interval {low:.1f} to {high:.1f})"


def drop_words(change: Difference, alpha: float, allowed: float, fell_in: Sequence[Difference]) -> str:
    """Return how far a metric fell, and in which length ranges."""
    where = f"; {_where(fell_in)}" if fell_in else ""
    return (
        f"{fell(change)} by {change.drop or 0:.1f} {change.metric.metric.unit}, {from_to(change)} "
        f"({interval_words(change, alpha)}, allowed {allowed:g}){where}"
    )


def _where(fell_in: Sequence[Difference]) -> str:
    parts = [f"{change.metric.range} by {change.drop or 0:.1f}" for change in fell_in]
    sure = all(change.is_worse(LEVEL) for change in fell_in)
    return f"it {fell(fell_in[0])} in {', '.join(parts)}" if sure else f"most in {', '.join(parts)}"


def fell(change: Difference) -> str:
    """Return the verb of what is worse: where lower is better, that is a rise."""
    return "fell" if change.metric.metric.higher_is_better else "rose"


def from_to(change: Difference) -> str:
    """Return both means."""
    return f"from {change.a:.1f} to {change.b:.1f}"


def interval_words(change: Difference, alpha: float) -> str:
    """Return the interval of a difference, with its level."""
    found = change.at(1 - alpha)
    return "no interval" if found is None else f"{100 * (1 - alpha):.3g}% interval {span(found)}"


def passed_words(
    change: Difference,
    alpha: float | None,
    floor: str = "",
    margin: float | None = None,
) -> str:
    """Return what became of a metric that passed.

    Args:
        change: The difference.
        alpha: 1 minus the level of its interval; None where it is not gated.
        floor: On which side of its floor it lies; "" for none.
        margin: Of non-inferiority; None likewise.
    """
    parts = []
    if alpha is not None and change.value is not None:
        what = f"changed by {signed(change.value)} {change.metric.metric.unit}, {from_to(change)}"
        if change.value == 0:
            what = f"is unchanged at {change.a:.1f}"
        parts.append(f"{what} ({interval_words(change, alpha)})")
    if margin is not None:
        parts.append(f"is worse by less than {margin_words(change, margin)} ({bound_words(change)})")
    if floor:
        parts.append(floor)
    return " and ".join(parts)
