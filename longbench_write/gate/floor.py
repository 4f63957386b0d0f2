"""A run held against a floor."""

from __future__ import annotations

from dataclasses import dataclass

from longbench_write.compare.floors import chance_beyond, mean_interval
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import Interval
from longbench_write.compare.rule import Rule, is_beyond, reaches
from longbench_write.compare.scores import RunScores
from longbench_write.gate.sentences import limit_words, mean_words


@dataclass(frozen=True)
class FloorCheck:
    """A run's mean and the floor that it is held against.

    Attributes:
        metric: Whose mean it is.
        mean: The run's.
        floor: In the same unit.
        confident: Whether only an interval that lies wholly beyond it breaks it.
        interval: The 95% interval of the mean, of a confident floor; None where there is none.
        chance: How often another run would be beyond it, as `chance_beyond` has it.
    """

    metric: MetricInRange
    mean: float
    floor: float
    confident: bool
    interval: Interval | None
    chance: float | None

    @classmethod
    def of(
        cls, a: RunScores, b: RunScores, metric: MetricInRange, mean: float | None, rule: Rule
    ) -> FloorCheck | None:
        """Hold a run against its floor; None where it has no value, or the metric no floor.

        Args:
            a: The baseline, which says how far runs differ.
            b: The run.
            metric: Whose floor it is.
            mean: The run's mean.
            rule: Which has the floors.
        """
        floor = rule.floors.get(metric)
        if floor is None or mean is None:
            return None
        confident = metric in rule.confident
        interval = mean_interval(b, metric) if confident else None
        return cls(metric, mean, floor, confident, interval, chance_beyond(a, b, metric, floor))

    @property
    def is_beyond(self) -> bool:
        """Whether the mean is beyond the floor."""
        return is_beyond(self.mean, self.floor, self.metric)

    @property
    def is_broken(self) -> bool:
        """Whether the floor is broken."""
        if not self.confident:
            return self.is_beyond
        return self.interval is not None and not reaches(self.interval, self.floor, self.metric)

    def doubt(self) -> str:
        """Return why it cannot be told whether the floor is broken; "" where it can."""
        if not self.confident or self.interval or not self.is_beyond:
            return ""
        return f"cannot be told: it {self.words()}, and has no interval, which its floor asks for"

    def words(self) -> str:
        """Return on which side of the floor the mean lies, in words."""
        beyond = limit_words(self.metric)
        side = beyond if self.is_beyond else f"not {beyond}"
        said = f"is {mean_words(self.mean, self.interval)}, {side} of {self.floor:g}"
        if self.confident and self.is_beyond and self.interval and not self.is_broken:
            said += ", which its interval reaches"
        if self.chance is None:
            return said
        where = "below" if self.metric.metric.higher_is_better else "above"
        return f"{said} ({_share(self.chance)} of runs of this model would be {where} it)"


def _share(chance: float) -> str:
    """Return a chance in percent, none as 0 or 100."""
    percent = round(100 * chance)
    if percent < 1:
        return "under 1%"
    return "over 99%" if percent > 99 else f"{percent}%"
