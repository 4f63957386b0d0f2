"""Figures read from a group of a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from longbench_write.metrics.base import Metric
from longbench_write.metrics.quality import DIMENSIONS


def value_in(group: Mapping[str, Any], metric: Metric) -> float | None:
    """Return a metric's value in a group of a summary, or in `Summary.overall`; None where it has none."""
    found: float | None
    if metric.name in group.get("metrics", {}):
        found = group["metrics"][metric.name]["value"]
    elif metric.name in DIMENSIONS:
        found = group["dimensions"][metric.name]
    else:
        found = group.get(metric.name)
    return found


def interval_in(group: Mapping[str, Any], metric: Metric) -> tuple[float, float] | None:
    """Return a metric's 95% interval in such a group, its ends; None where it has none."""
    other = group.get("metrics", {}).get(metric.name)
    of_group = group["ci"].get("dimensions", {}) if metric.name in DIMENSIONS else group["ci"]
    ends: Sequence[float] | None = other["ci"] if other else of_group.get(metric.name)
    return (ends[0], ends[1]) if ends else None
