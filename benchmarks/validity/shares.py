"""Shares of trials with their standard errors, and what they are held to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

AT_LEAST = 0.93
"""Of intervals that cover the truth; less two standard errors."""
AT_MOST = 0.05
"""Of false alarms; plus two standard errors."""


@dataclass(frozen=True)
class Share:
    """How often something was so.

    Attributes:
        value: Of all trials, 0 to 1.
        error: Its standard error.
        trials: How many there were.
    """

    value: float
    error: float
    trials: int

    @classmethod
    def of(cls, trials: Sequence[float]) -> Share:
        """Take the mean over independent trials, each a share of its own, or 0 or 1.

        What one trial holds (the six dimensions, the groups of a run) is not independent: it is one trial.
        Where all trials are alike, half a success and half a failure are added: no number of trials is sure.
        """
        number, mean = len(trials), statistics.fmean(trials)
        if number > 1 and (spread := statistics.stdev(trials)):
            return cls(mean, spread / math.sqrt(number), number)
        near = (number * mean + 0.5) / (number + 1)
        return cls(mean, math.sqrt(near * (1 - near) / number), number)

    @classmethod
    def read(cls, values: dict[str, Any]) -> Share:
        """Return what `to_dict` gave."""
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return what a line of JSON keeps of it."""
        return asdict(self)

    def is_at_least(self, bound: float) -> bool:
        """Return whether it reaches a bound, less two standard errors."""
        return self.value + 2 * self.error >= bound

    def is_at_most(self, bound: float) -> bool:
        """Return whether it stays within a bound, plus two standard errors."""
        return self.value - 2 * self.error <= bound

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} ± {100 * self.error:.1f}"


def marked(text: str, *, met: bool) -> str:
    """Return a cell of a table, bold where its bound is missed."""
    return text if met else f"**{text}**"
