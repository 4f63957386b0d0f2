"""Every metric there is: the built-in ones, and those that were added to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from longbench_write.errors import UsageError
from longbench_write.metrics.base import Metric
from longbench_write.metrics.length import S_L, S_L_RULE, S_L_UNICODE
from longbench_write.metrics.quality import CRITERIA, S_BAR, S_Q

HEADLINES = (S_BAR, S_L, S_Q)
BESIDE = (S_L_UNICODE, S_L_RULE)
"""Diagnostics, which never replace S_l."""
BUILT_IN = (*HEADLINES, *CRITERIA, *BESIDE)
"""In the order in which they are shown; each has keys of its own in every file."""

_NAMES = frozenset(metric.name for metric in BUILT_IN)
_added: dict[str, Metric] = {}


def add_metric(metric: Metric) -> None:
    """Add a metric for the rest of this process.

    Raises:
        UsageError: A built-in metric has its name, or it cannot be measured.
    """
    if metric.name in _NAMES:
        raise UsageError(f"the metric {metric.name!r} is built in: give yours another name")
    if metric.of is None and metric.combine is None:
        raise UsageError(f"the metric {metric.name!r} does not say what it is `of`")
    _added[metric.name] = metric


def all_metrics() -> tuple[Metric, ...]:
    """Every metric, the built-in ones first."""
    return (*BUILT_IN, *_added.values())


def is_built_in(name: str) -> bool:
    """Whether a metric has keys of its own in the files, and does not stand under `metrics`."""
    return name in _NAMES


def others(metrics: Iterable[Metric]) -> list[Metric]:
    """Those of the metrics that are not built in."""
    return [metric for metric in metrics if not is_built_in(metric.name)]


def read_declarations(metrics: Mapping[str, Mapping[str, Any]]) -> tuple[Metric, ...]:
    """The metrics that a file declares under `metrics`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: One of them is no declaration.
    """
    return tuple(Metric.declared(name, values) for name, values in metrics.items())


def merged(*lists: Sequence[Metric]) -> tuple[Metric, ...]:
    """The metrics of several lists, each once; the first to declare one wins."""
    return tuple(dict.fromkeys(metric for metrics in lists for metric in metrics))
