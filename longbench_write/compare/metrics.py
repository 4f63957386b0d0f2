"""What two runs are compared in: every metric over all prompts, and within a length range."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longbench_write.compare.scores import Response, RunScores
from longbench_write.errors import unknown_name
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES, METRICS, all_metrics, others
from longbench_write.metrics.quality import CRITERIA
from longbench_write.scoring.summary import Summary
from longbench_write.suites.suite import LENGTH_RANGES, length_range


@dataclass(frozen=True)
class MetricInRange:
    """A metric over all prompts, or over those of one length range.

    Attributes:
        metric: What is measured.
        range: The length range that it is about; None for all.
    """

    metric: Metric
    range: str | None = None

    def __str__(self) -> str:
        return self.metric.name + (self.range or "")

    def value(self, response: Response) -> float | None:
        """Return its value for a response; None where that has none, or is out of the range."""
        if self.range and _range_of(response.length) != self.range:
            return None
        return response.values.get(self.metric.name)

    def per_prompt(self, scores: RunScores) -> dict[str, float]:
        """Return the mean over each prompt's samples, by prompt id, of the prompts that have a value."""
        means = scores.prompt_means.get(self.metric.name, {})
        if self.range is None:
            return means
        return {
            prompt: mean for prompt, mean in means.items() if _range_of(scores.lengths[prompt]) == self.range
        }

    def mean(self, scores: RunScores) -> float | None:
        """Return the mean over the prompts that have a value; None without any."""
        values = self.per_prompt(scores)
        return sum(values.values()) / len(values) if values else None

    def group(self, summary: Summary) -> Mapping[str, Any]:
        """Return the group of a summary that it is about; empty where that has none of its range."""
        if self.range is None:
            return summary.overall
        return next((row for row in summary.by_length if row["range"] == self.range), {})


def _range_of(length: int | None) -> str | None:
    return None if length is None else length_range(length)


def compared_metrics(a: RunScores, b: RunScores, ranges: Sequence[str]) -> list[MetricInRange]:
    """Return the metrics in which two runs are compared, unless something else is asked for.

    The headlines over all and within each of these length ranges, the dimensions, and likewise what both were
    measured by besides.

    Args:
        a: The reference.
        b: The new run.
        ranges: Labels of length ranges, such as "[0,500)".
    """
    besides = [metric for metric in a.metrics if metric in b.metrics]
    return [
        *map(MetricInRange, HEADLINES),
        *(MetricInRange(metric, label) for metric in HEADLINES for label in ranges),
        *map(MetricInRange, CRITERIA),
        *map(MetricInRange, besides),
        *(MetricInRange(metric, label) for metric in besides for label in ranges),
    ]


def parse_metric(name: str, declared: Iterable[Metric] = ()) -> MetricInRange:
    """Return a metric by its name, such as S_l, S_q[2000,4000) or Clarity.

    Args:
        name: As a person wrote it.
        declared: Metrics that files know besides those that are installed.

    Raises:
        UsageError: There is no such metric (the nearest is named), or the package that has it cannot be
            imported.
    """
    metrics = dict.fromkeys([*all_metrics(), *others(declared)])
    known = {
        str(each): each
        for label in (None, *LENGTH_RANGES)
        for each in (MetricInRange(metric, label) for metric in metrics)
    }
    plain = re.sub(r"\s*([\[,>])\s*", r"\1", name.strip())
    if plain not in known:
        if (unusable := re.split(r"[\[>]", plain)[0]) in METRICS.names():
            METRICS.get(unusable)
        raise unknown_name("metric", name, known)
    return known[plain]
