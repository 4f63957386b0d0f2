"""Means in which each length range counts a share that is not that of its responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.scoring.groups import length_range_of
from longbench_write.scoring.intervals import shared_intervals
from longbench_write.scoring.rows import Row
from longbench_write.suites.suite import LENGTH_RANGES

_FOUR = LENGTH_RANGES[:4]


def range_mean(
    rows: Sequence[Row], by_length: Mapping[str, Mapping[str, Any]], *, clustered: bool
) -> tuple[dict[str, float | None], dict[str, list[float] | None] | None]:
    """Return the unweighted mean of the four length ranges, by headline, and its intervals.

    Args:
        rows: The responses.
        by_length: The figures of each range.
        clustered: Whether prompts are not independent: their intervals are not made here.

    Returns:
        Means, None where a range has no value; intervals, None where there is none of any.
    """
    found: dict[str, float | None] = {}
    for metric in HEADLINES:
        values = [by_length[label][metric.name] if label in by_length else None for label in _FOUR]
        known = [value for value in values if value is not None]
        found[metric.name] = sum(known) / 4 if len(known) == 4 else None
    ends = {} if clustered else _intervals(rows, found, dict.fromkeys(_FOUR, 0.25))
    return found, {metric.name: ends.get(metric.name) for metric in HEADLINES} if ends else None


def weighted_mean(rows: Sequence[Row], prompts: Sequence[int]) -> dict[str, Any] | None:
    """Return the headlines by a suite's own shares of the length ranges.

    Args:
        rows: The responses to a selection of its prompts, or to all.
        prompts: How many the suite has in each of `LENGTH_RANGES`.

    Returns:
        The headlines, their intervals as `ci`, and how many `prompts` the suite has; None where a range that
        it has lacks a response.
    """
    shares = {
        label: number / sum(prompts) for label, number in zip(LENGTH_RANGES, prompts, strict=True) if number
    }
    within = {label: [row for row in rows if length_range_of(row) == label] for label in shares}
    if not all(within.values()):
        return None
    found: dict[str, Any] = {}
    for metric in HEADLINES:
        values = [metric.over(within[label]) for label in shares]
        known = [value for value in values if value is not None]
        complete = len(known) == len(shares)
        found[metric.name] = (
            sum(value * share for value, share in zip(known, shares.values(), strict=True))
            if complete
            else None
        )
    ends = _intervals(rows, found, shares)
    return found | {
        "ci": {metric.name: ends.get(metric.name) for metric in HEADLINES},
        "prompts": sum(prompts),
    }


def _intervals(
    rows: Sequence[Row], means: Mapping[str, float | None], shares: Mapping[Any, float]
) -> dict[str, list[float] | None]:
    """Return the intervals of those headlines that have a mean."""
    metrics: list[Metric] = [metric for metric in HEADLINES if means[metric.name] is not None]
    within = [row for row in rows if length_range_of(row) in shares]
    return shared_intervals(within, metrics, stratum=length_range_of, shares=shares) if metrics else {}
