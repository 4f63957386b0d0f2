"""What counts as a regression."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import Difference, Interval
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.length import S_L

ALPHA = 0.05
"""1 minus the level of the interval that a lone gated metric is held to; Holm's correction divides it."""


@dataclass(frozen=True)
class Rule:
    """What counts as a regression.

    A metric has regressed when its mean drop is at least its `max_drop` and the whole interval of its
    difference lies below zero, at a level that Holm's correction sets over the gated metrics: 1 - 5%/m for
    all m of them; those that fall are set aside, the m' left are held to 1 - 5%/m', until no more fall.
    Of a metric where lower is better, a rise is the drop, and what lies below zero lies above it.

    Attributes:
        metrics: The gated ones, each with a finite range; None gates S̄, S_l and S_q, as far as the baseline
            has them.
        max_drop: In the metric's unit; a drop of at least so much may be a regression. Metrics without an
            own take `drop`.
        drop: Percent of a metric's range for all other metrics: points, of a range of 0 to 100.
        floors: Where a metric's mean fails whatever the baseline says: below it, or above where lower is
            better.
        confident: Those of them that fail only where the 95% interval of the run's own mean lies wholly
            beyond the floor.
        max_missing: The share of responses that a gated metric may lack; beyond it nothing can be told.
        margins: Of non-inferiority, in the metric's unit: it passes only if the one-sided 95% bound of its
            difference says that it is worse by less. Gated metrics without an own take `non_inferiority`.
        non_inferiority: The margin of all other gated metrics, percent of their ranges; None asks for no such
            proof of them.
    """

    metrics: tuple[MetricInRange, ...] | None = None
    max_drop: Mapping[MetricInRange, float] = field(default_factory=dict)
    drop: float = 1.0
    floors: Mapping[MetricInRange, float] = field(default_factory=dict)
    max_missing: float = 0.05
    margins: Mapping[MetricInRange, float] = field(default_factory=dict)
    non_inferiority: float | None = None
    confident: frozenset[MetricInRange] = frozenset()

    def gated(self, known: Container[str]) -> list[MetricInRange]:
        """Return the gated metrics.

        Args:
            known: The names of the metrics that the baseline has a value of.
        """
        if self.metrics is not None:
            return list(self.metrics)
        return [MetricInRange(metric) for metric in HEADLINES if metric.name in known] or [MetricInRange(S_L)]

    def allowed(self, metric: MetricInRange) -> float | None:
        """Return the smallest drop that is a regression, in its unit; None if it has no finite range."""
        if metric.metric.width is None:
            return None
        return self.max_drop.get(metric, self.drop * (metric.metric.width / 100))

    def margin(self, metric: MetricInRange) -> float | None:
        """Return the margin of non-inferiority in a metric's unit; None if there is none."""
        if metric in self.margins:
            return self.margins[metric]
        if self.non_inferiority is None or metric.metric.width is None:
            return None
        return self.non_inferiority * (metric.metric.width / 100)

    def is_fall(self, change: Difference, alpha: float) -> bool:
        """Return whether a difference is a fall of more than is allowed, at 1 minus this level."""
        allowed = self.allowed(change.metric)
        return allowed is not None and (change.drop or 0) >= allowed and change.is_worse(1 - alpha)


def is_beyond(mean: float, floor: float, metric: MetricInRange) -> bool:
    """Return whether a mean is below a floor, or above it where lower is better."""
    return mean < floor if metric.metric.higher_is_better else mean > floor


def reaches(interval: Interval, floor: float, metric: MetricInRange) -> bool:
    """Return whether an interval has an end that is not beyond a floor."""
    return not all(is_beyond(end, floor, metric) for end in interval)
