"""How soon `check --history` finds a drift, and how often it finds one where there is none."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np

from benchmarks.validity.cells import Cell
from benchmarks.validity.shares import Share
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.rule import Rule
from longbench_write.gate.following import trends_held
from longbench_write.gate.trend import FEWEST
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR, S_Q

SPREADS = (0.5, 0.65, 0.8, 1.0)
"""The standard deviation of a night's S_q, in points; that of S_l is 1."""
DRIFT = 0.3
"""Points of S_q a week."""
SIX_WEEKS, HALF_YEAR = 42, 180
_FIRST = date(2026, 1, 1)


def is_found(
    rng: np.random.Generator, spread: float, *, nights: int, drift: float = 0.0, still: int = 0
) -> bool:
    """Return whether a drift is told on any of these nights, each looked at as it comes.

    Args:
        rng: Draws the nights.
        spread: Of S_q from night to night.
        nights: How many there are.
        drift: Points of S_q that are lost each week.
        still: Nights before the drift begins, on which nothing is looked at.
    """
    weeks = np.maximum(0, np.arange(nights) - still) / 7
    quality = 80 - drift * weeks + rng.normal(0, spread, nights)
    length = 75 + rng.normal(0, 1.0, nights)
    figures = {S_BAR: (quality + length) / 2, S_L: length, S_Q: quality}
    days = [_FIRST + timedelta(days=night) for night in range(nights)]
    return any(
        any(
            held.is_regression
            for held in trends_held(
                {
                    MetricInRange(metric): dict(zip(days[:seen], values[:seen].tolist(), strict=True))
                    for metric, values in figures.items()
                },
                Rule(),
            ).values()
        )
        for seen in range(max(FEWEST, still + 1), nights + 1)
    )


def found(spread: float, rng: np.random.Generator, trials: int) -> dict[str, Any]:
    """Return how often a drift is found within six weeks, at once and after months, and without one."""
    told: dict[str, list[float]] = {"at once": [], "late": [], "none": []}
    still = HALF_YEAR - SIX_WEEKS
    for _ in range(trials):
        told["at once"].append(is_found(rng, spread, nights=SIX_WEEKS, drift=DRIFT))
        told["late"].append(is_found(rng, spread, nights=HALF_YEAR, drift=DRIFT, still=still))
        told["none"].append(is_found(rng, spread, nights=HALF_YEAR))
    return {name: Share.of(of).to_dict() for name, of in told.items()}


def cells(quick: bool) -> list[Cell]:
    return [
        Cell({"spread": f"{spread:g}"}, 100 if quick else 500, partial(found, spread)) for spread in SPREADS
    ]
