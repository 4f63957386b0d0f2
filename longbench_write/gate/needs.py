"""How many samples, or prompts, a margin of non-inferiority needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from longbench_write.compare.components import Components, Parts
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.power import showable_margin

_MOST = 2**20
"""Samples, or prompts, beyond which none are counted: nobody has so many."""


@dataclass(frozen=True)
class Need:
    """What shows with a chance of 80% that a run that is as good is worse by less than a margin.

    Attributes:
        metric: In which it is shown.
        margin: In its unit.
        samples: Between which numbers of samples lies what is needed at the plan's prompts; None where no
            number of samples is enough.
        prompts: Likewise of prompts, at the plan's samples.
    """

    metric: MetricInRange
    margin: float
    samples: tuple[int | None, int | None]
    prompts: tuple[int | None, int | None]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"margin": self.margin, "samples": self.samples, "prompts": self.prompts}

    def line(self) -> tuple[str, ...]:
        """Return the cells of a table line: metric, margin, samples, prompts."""
        return str(self.metric), f"{self.margin:g}", _between(self.samples), _between(self.prompts)


def need(part: Components, margin: float, *, samples: int, repeats: int, prompts: int) -> Need:
    """Return what a margin needs.

    Args:
        part: The variances of the metric.
        margin: In the metric's unit.
        samples: Responses per prompt of the plan.
        repeats: Judgements per response of the plan.
        prompts: Of the plan, at least two.
    """

    def shows(parts: Parts, samples: int, prompts: int) -> bool:
        error = math.sqrt(parts.variance(samples, repeats) / prompts)
        return showable_margin(error, prompts) <= margin

    def samples_for(parts: Parts) -> int | None:
        return _fewest(1, lambda count: shows(parts, count, prompts))

    def prompts_for(parts: Parts) -> int | None:
        return _fewest(2, lambda count: shows(parts, samples, count))

    return Need(
        part.metric,
        margin,
        (samples_for(part.least), samples_for(part.most)),
        (prompts_for(part.least), prompts_for(part.most)),
    )


def _fewest(start: int, is_enough: Callable[[int], bool]) -> int | None:
    """Return the smallest number from `start` on that is enough, where all larger ones are; None for none."""
    high = start
    while not is_enough(high):
        high *= 2
        if high > _MOST:
            return None
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return high


def _between(ends: tuple[int | None, int | None]) -> str:
    low, high = ("none" if end is None else f"{end:,}" for end in ends)
    if low == high:
        return "no number" if low == "none" else low
    return f"{low} or more" if high == "none" else f"{low}–{high}"
