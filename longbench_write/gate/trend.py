"""Whether a figure drifts from night to night, by an interval that may be looked at every night."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from longbench_write.compare.paired import Interval

FEWEST = 14
"""Nights without which no trend is told: the oldest week and another one."""

_EXPECTED = 0.3
"""A week's drift, in standard deviations of a night's figure, for which the intervals are the shortest.

They hold for every drift. Where nights vary by 0.7 points, it is 0.2 points a week; the intervals are the
shortest when such a drift has gone on for some six weeks.
"""


@dataclass(frozen=True)
class Trend:
    """A straight line through the figures of nights, by least squares.

    Attributes:
        nights: How many.
        per_week: The slope, in the metric's unit a week.
        start, end: The line's values at the first and at the last night.
        oldest, latest: The means of the nights of the first seven days, and of the last.
        error: The slope's standard error, from how far the nights lie off the line.
        spread: The sum of the squared times off their mean, in weeks squared.
    """

    nights: int
    per_week: float
    start: float
    end: float
    oldest: float
    latest: float
    error: float
    spread: float

    @property
    def change(self) -> float:
        """What has changed since the oldest week."""
        return self.latest - self.oldest

    def interval(self, level: float) -> Interval | None:
        """Return an interval of the slope that holds at all nights at once.

        In so many of all histories without end, it covers the true slope on every night. Nights are taken
        for independent and normal around the line, with a deviation that nobody knows. The interval is that
        of the mixture martingale of a linear model with intercept and deviation as nuisances (Lindon, Ham,
        Tingley and Bojinov, "Anytime-Valid Linear Models and Regression Adjusted Causal Inference in
        Randomized Experiments", arXiv 2210.08589).

        Args:
            level: The share of histories.

        Returns:
            None while it has no ends, as of few nights.
        """
        freedom = self.nights - 2
        if self.nights < FEWEST:
            return None
        precision = 1 / _EXPECTED**2
        share = precision / (precision + self.spread)
        grown = ((1 - level) ** 2 * share) ** (-1 / (freedom + 1))
        if share * grown >= 1:
            return None
        reach = self.error * math.sqrt(freedom * (grown - 1) / (1 - share * grown))
        return self.per_week - reach, self.per_week + reach


def trend_of(figures: Mapping[date, float]) -> Trend | None:
    """Return the trend of a figure by night; None for fewer than three nights.

    Args:
        figures: By the day of the night, in any order.
    """
    if len(figures) < 3:
        return None
    days = sorted(figures)
    weeks = np.array([(day - days[0]).days / 7 for day in days])
    values = np.array([figures[day] for day in days])
    off = weeks - weeks.mean()
    spread = float(off @ off)
    middle = float(values[0] if np.ptp(values) == 0 else values.mean())  # equal figures have no slope at all
    slope = float(off @ (values - middle)) / spread
    residuals = values - middle - slope * off
    start = middle - slope * float(weeks.mean())
    return Trend(
        nights=len(days),
        per_week=slope,
        start=start,
        end=start + slope * float(weeks[-1]),
        oldest=float(values[weeks < 1].mean()),
        latest=float(values[weeks > weeks[-1] - 1].mean()),
        error=math.sqrt(float(residuals @ residuals) / (len(days) - 2) / spread),
        spread=spread,
    )
