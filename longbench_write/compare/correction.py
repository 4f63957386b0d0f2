"""Many intervals in one table: how many exclude zero by chance, and which survive a correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import LEVEL, Difference, Interval
from longbench_write.stats import holm


@dataclass(frozen=True)
class Correction:
    """What the intervals of a table are worth together.

    Attributes:
        intervals: How many there are.
        excluding: Those that exclude zero.
        surviving: The metrics whose difference survives Holm's correction over all: the chance that any one
            of these is not there is 5%.
    """

    intervals: int
    excluding: frozenset[MetricInRange]
    surviving: frozenset[MetricInRange]

    @property
    def by_chance(self) -> float:
        """How many would exclude zero on average if nothing had changed."""
        return self.intervals * (1 - LEVEL)


def correct(differences: Sequence[Difference]) -> Correction:
    """Correct the differences of a table for how many they are (Holm 1979).

    The p-values of the paired test are corrected; without pairs, the intervals are widened instead. What
    survives has a 95% interval that excludes zero, too.
    """
    shown = {each.metric: each for each in differences if each.interval is not None}
    excluding = frozenset(metric for metric, each in shown.items() if _excludes_zero(each.interval))

    def rejects(metric: MetricInRange, alpha: float) -> bool:
        p = shown[metric].p
        return _excludes_zero(shown[metric].at(1 - alpha)) if p is None else p <= alpha

    levels = holm(shown, rejects, alpha=1 - LEVEL)
    surviving = frozenset(metric for metric in excluding if rejects(metric, levels[metric]))
    return Correction(len(shown), excluding, surviving)


def _excludes_zero(interval: Interval | None) -> bool:
    return interval is not None and not interval[0] <= 0 <= interval[1]
