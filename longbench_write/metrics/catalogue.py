"""Every metric there is: the built-in ones, and those that other packages and notebooks add."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from longbench_write.errors import UsageError
from longbench_write.metrics.base import Metric
from longbench_write.metrics.length import S_L, S_L_RULE, S_L_UNICODE
from longbench_write.metrics.quality import CRITERIA, S_BAR, S_Q
from longbench_write.registry import Registry

_log = logging.getLogger(__name__)

HEADLINES = (S_BAR, S_L, S_Q)
BESIDE = (S_L_UNICODE, S_L_RULE)
"""Diagnostics, which never replace S_l."""
WITH_OWN_KEYS = (*HEADLINES, *CRITERIA, *BESIDE)
"""Metrics that have keys of their own in every file; all others stand under `metrics`."""
BUILT_IN: tuple[Metric, ...] = (*WITH_OWN_KEYS,)
"""In the order in which they are shown; a new metric is added here."""

_NAMES = frozenset(metric.name for metric in BUILT_IN)
_OWN_KEYS = frozenset(metric.name for metric in WITH_OWN_KEYS)
_added: dict[str, Metric] = {}


def _measurable(name: str, value: Any) -> Metric:
    """Return what another package declares, if it is a metric that can be measured.

    Raises:
        TypeError, ValueError: It is none.
    """
    if not isinstance(value, Metric):
        raise TypeError(f"it is no Metric but of type {type(value).__name__}")
    if value.name != name:
        raise ValueError(f"it calls itself {value.name!r}")
    if value.of is None and value.combine is None:
        raise ValueError("it does not say what it is `of`")
    return value


METRICS: Registry[Metric] = Registry(
    "metric",
    "longbench_write.metrics",
    lambda: {metric.name: metric for metric in BUILT_IN},
    _measurable,
)
"""The built-in metrics, and those of other packages' entry points."""


def add_metric(metric: Metric) -> None:
    """Add a metric for the rest of this process, as a notebook may.

    Raises:
        UsageError: A built-in metric has its name, or it cannot be measured.
    """
    if metric.name in _NAMES:
        raise UsageError(f"the metric {metric.name!r} is built in: give yours another name")
    try:
        _added[metric.name] = _measurable(metric.name, metric)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the metric {metric.name!r} cannot be measured: {error}") from None


def all_metrics() -> tuple[Metric, ...]:
    """Return every metric that can be measured, built-in ones first; warn of one that cannot be loaded."""
    outside: dict[str, Metric] = {}
    for entry in METRICS.listing():
        if entry.package is not None and entry.value is not None:
            outside[entry.name] = entry.value
        elif entry.problem:
            _log.warning(entry.problem)
    return (*BUILT_IN, *(outside | _added).values())


def has_own_keys(name: str) -> bool:
    """Return whether a metric has keys of its own in the files, and does not stand under `metrics`."""
    return name in _OWN_KEYS


def others(metrics: Iterable[Metric]) -> list[Metric]:
    """Return those of the metrics that stand under `metrics` in the files."""
    return [metric for metric in metrics if not has_own_keys(metric.name)]


def read_declarations(metrics: Mapping[str, Mapping[str, Any]]) -> tuple[Metric, ...]:
    """Return the metrics that a file declares under `metrics`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: One of them is no declaration.
    """
    return tuple(Metric.declared(name, values) for name, values in metrics.items())


def merged(*lists: Sequence[Metric]) -> tuple[Metric, ...]:
    """Return the metrics of several lists, each once; the first to declare one wins."""
    return tuple(dict.fromkeys(metric for metrics in lists for metric in metrics))
