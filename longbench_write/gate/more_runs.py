"""What more runs a side buy: the drops that baselines of several runs find, and what moves whole runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from longbench_write.compare.components import Components, Parts
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.pooling import pooled
from longbench_write.compare.power import detectable_drop, first_level
from longbench_write.compare.run_spread import RunSpread, mean_squares
from longbench_write.compare.scores import RunScores
from longbench_write.errors import UsageError
from longbench_write.stats import t_quantile

SIDES = ((1, 1), (2, 1), (3, 1), (5, 1), (10, 1), (5, 5))
"""Runs of a baseline, and runs that are checked."""
_NIGHTS = 180


@dataclass(frozen=True)
class Gate:
    """A gate of which runs a side are planned.

    Attributes:
        prompts, samples, repeats: Of each run.
        gated: How many metrics it gates.
        max_drop: The smallest drop that it calls a regression, in the metric's unit.
    """

    prompts: int
    samples: int
    repeats: int
    gated: int
    max_drop: float

    def drop(self, parts: Parts, between: float, baseline: int, run: int) -> float:
        """Return the drop that is found with a chance of 80%, in the metric's unit.

        Args:
            parts: The variances of a prompt's difference.
            between: The variance of a model's runs as wholes.
            baseline: Runs of the baseline.
            run: Runs that are checked.
        """
        half, error = self._half_and_error(parts, between, baseline, run)
        return detectable_drop(error, self.prompts, gated=self.gated, max_drop=self.max_drop, half=half)

    def between(self, part: Components, between: float, baseline: int, run: int) -> tuple[float, float]:
        """Return the ends between which that drop lies: what samples make is noise of a run, too."""
        low, high = sorted(self.drop(parts, between, baseline, run) for parts in (part.least, part.most))
        return low, high

    def red_nights(self, parts: Parts, between: float) -> float:
        """Return on how many of 180 nights an unchanged model falls, against baselines of one run each."""
        half, error = self._half_and_error(parts, between, 1, 1)
        return _NIGHTS * NormalDist().cdf(-max(half, self.max_drop) / error) if error else 0.0

    def _half_and_error(self, parts: Parts, between: float, baseline: int, run: int) -> tuple[float, float]:
        """Return half the width of the interval at Holm's first level, and the true standard error."""
        sides = 1 / baseline + 1 / run
        noise = (parts.sample + parts.repeat / self.repeats) / self.samples / self.prompts
        error = math.sqrt(parts.interaction / self.prompts + sides * noise)
        level = first_level(self.gated)
        spread = RunSpread(between + noise, noise, baseline + run - 2, sides)
        if spread.freedom:
            half = spread.half_width(error, self.prompts, level)
        else:  # one run a side knows nothing of what moves whole runs
            half = t_quantile((1 + level) / 2, self.prompts - 1) * error
        return half, spread.total(error)


@dataclass(frozen=True)
class MoreRuns:
    """What more runs a side buy.

    Attributes:
        between: Per gated metric the variance of a model's runs as wholes; None where the runs cannot tell.
        drops: Per runs of baseline and check, the ends between which each metric's detectable drop lies.
        red: Per gated metric, nights of 180 on which an unchanged model would fall against single runs.

    A night is red where any gated metric falls: on as many nights as the one that falls most often at the
    least, and on as many as all of them together where no two fall on one night.
    """

    between: dict[MetricInRange, float | None]
    drops: dict[tuple[int, int], list[tuple[float, float]]]
    red: dict[MetricInRange, float]

    @classmethod
    def of(cls, runs: Sequence[RunScores], plans: Sequence[tuple[Components, Gate]]) -> MoreRuns:
        """Plan the runs of each side.

        Args:
            runs: At hand; those of one model tell what moves whole runs.
            plans: The gated metrics' variances, each with its gate.
        """
        models = _by_model(runs)
        between = {part.metric: _between(models, part.metric) for part, _ in plans}
        drops = {
            sides: [gate.between(part, between[part.metric] or 0.0, *sides) for part, gate in plans]
            for sides in SIDES
        }
        red = {
            part.metric: max(gate.red_nights(parts, variance) for parts in (part.least, part.most))
            for part, gate in plans
            if (variance := between[part.metric]) is not None
        }
        return cls(between, drops, red)

    def notes(self) -> list[str]:
        """Return what must be known of single runs."""
        if not self.red:
            return [
                "run: not estimated, as no two runs are of one model; at best nothing moves whole runs: name "
                "several of one model, five or more"
            ]
        metric, red = max(self.red.items(), key=lambda each: each[1])
        most = min(_NIGHTS, sum(self.red.values()))
        others = f", and up to {most:.0f} for any gated metric" if len(self.red) > 1 else ""
        return [
            f"what moves whole runs is in no interval of one run a side: of {_NIGHTS} nights of an unchanged "
            f"model, {red:.0f} would be red on average for {metric} alone{others}"
        ]


def _by_model(runs: Sequence[RunScores]) -> list[RunScores]:
    """Return the runs, those that are one model's as one."""
    groups: list[list[RunScores]] = []
    for run in runs:
        for group in groups:
            try:
                pooled([*group, run])
            except UsageError:
                continue
            group.append(run)
            break
        else:
            groups.append([run])
    return [pooled(group) for group in groups]


def _between(models: Sequence[RunScores], metric: MetricInRange) -> float | None:
    prompts = {prompt for model in models for prompt in metric.per_prompt(model)}
    found = mean_squares(models, metric, prompts)
    return None if found is None else max(0.0, found[0] - found[1])
