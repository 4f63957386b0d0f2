"""What counts as a regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from longbench_write.compare.metrics import Metric

ALPHA = 0.05
"""1 minus the level of the interval that a lone gated metric is held to; Holm's correction divides it."""


@dataclass(frozen=True)
class Rule:
    """What counts as a regression.

    A metric has regressed when its mean drop is at least its `max_drop` and the whole interval of its
    difference lies below zero, at a level that Holm's correction sets over the gated metrics: 1 - 5%/m for
    all m of them; those that fall are set aside, the m' left are held to 1 - 5%/m', until no more fall.

    Attributes:
        metrics: The gated ones; None gates S̄, S_l and S_q, or S_l alone where the baseline has no judge.
        max_drop: Points; a drop of at least so many may be a regression. Metrics without an own take `drop`.
        drop: Points for all other metrics.
        floors: Points below which a metric's mean fails whatever the baseline says.
        max_missing: The share of responses that a gated metric may lack; beyond it nothing can be told.
    """

    metrics: tuple[Metric, ...] | None = None
    max_drop: Mapping[Metric, float] = field(default_factory=dict)
    drop: float = 1.0
    floors: Mapping[Metric, float] = field(default_factory=dict)
    max_missing: float = 0.05

    def gated(self, *, judged: bool) -> list[Metric]:
        """The gated metrics, for a baseline that is judged or is not."""
        if self.metrics is not None:
            return list(self.metrics)
        return [Metric("S_bar"), Metric("S_l"), Metric("S_q")] if judged else [Metric("S_l")]

    def allowed(self, metric: Metric) -> float:
        """The smallest drop that is a regression, in points."""
        return self.max_drop.get(metric, self.drop)
