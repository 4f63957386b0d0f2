"""S_q and its six dimensions (arXiv 2408.07055), and S̄, which S_l and S_q form together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from longbench_write.errors import unknown_name
from longbench_write.metrics.base import Measurable, Metric, MetricRow, Rubric, mean_over_prompts
from longbench_write.metrics.length import S_L

SIX = Rubric(
    "longbench-write",
    ("Relevance", "Accuracy", "Coherence", "Clarity", "Breadth and Depth", "Reading Experience"),
)
"""The judge's six dimensions, in the official order and spelling, each from 1 to 5."""

DIMENSIONS = SIX.criteria

RUBRICS: Mapping[str, Rubric] = {SIX.name: SIX}
"""Every rubric, by the name that records know it by."""


def rubric_named(name: str) -> Rubric:
    """Return a rubric by its name.

    Raises:
        UsageError: There is none of that name; the nearest is named.
    """
    if name not in RUBRICS:
        raise unknown_name("rubric", name, RUBRICS)
    return RUBRICS[name]


def _dimension(name: str) -> Metric:
    """Make one of the six a metric: its mean score on the scale of 0 to 100, as the reference has it."""

    def score(row: Measurable | MetricRow) -> float | None:
        return None if row.scores is None else row.scores.get(name)

    def of(response: Measurable) -> float | None:
        found = score(response)
        return None if found is None else SIX.points(found)

    def aggregate(rows: Sequence[MetricRow]) -> float | None:
        mean = mean_over_prompts(rows, score)
        return None if mean is None else SIX.points(mean)

    return Metric(name, name, title=name, needs_judge=True, of=of, aggregate=aggregate)


CRITERIA = tuple(map(_dimension, DIMENSIONS))
"""The six dimensions, 0 to 100 each."""


def _quality(response: Measurable) -> float | None:
    return None if response.scores is None else response.rubric.quality(response.scores)


def _mean_quality(rows: Sequence[MetricRow]) -> float | None:
    """Return the mean of the six dimensions' means, or the mean of responses judged by other criteria."""
    means = [metric.over(rows) for metric in CRITERIA]
    by_six = [mean for mean in means if mean is not None]
    others = any(S_Q.name in row.values and not set(DIMENSIONS) <= set(row.scores or ()) for row in rows)
    if others or not by_six:
        return mean_over_prompts(rows, lambda row: row.values.get(S_Q.name))
    return sum(by_six) / len(by_six)


S_Q = Metric(
    "S_q",
    "S_q",
    title="quality",
    needs_judge=True,
    headline=True,
    of=_quality,
    aggregate=_mean_quality,
)
"""The mean of the six dimensions."""

MEAN = "mean"
"""The convention of S̄: the mean of S_l and S_q, as in the paper; others multiply them."""
FORMULA = "(S_l + S_q) / 2"


def _mean_score(length: Any, quality: Any) -> Any:
    return (length + quality) / 2


def partner(mean: float, one: float) -> float:
    """Return the one of S_l and S_q with which the other gives this S̄."""
    return 2 * mean - one


S_BAR = Metric(
    "S_bar",
    "S̄",
    title="",
    needs_judge=True,
    headline=True,
    parts=(S_L, S_Q),
    combine=_mean_score,
)
