"""The figures of a group of responses: every metric over them, with intervals and bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from longbench_write.metrics.base import Metric, mean_over_prompts, per_prompt
from longbench_write.metrics.catalogue import BESIDE, HEADLINES, has_own_keys, others
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import CRITERIA, S_Q
from longbench_write.scoring.flags import FLAGS
from longbench_write.scoring.rows import Row
from longbench_write.stats import bootstrap_means, interval

CI_METHOD = "bootstrap over prompts, 10,000 resamples, percentiles"
"""How the intervals of a summary are made."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A response that there is not: its generation failed."""

    id: str
    type: str
    language: str
    length: int | None
    scores: None = None
    values: Mapping[str, float] = field(default_factory=dict)


def figures(
    rows: Sequence[Row], lost: Sequence[Lost], metrics: Sequence[Metric], *, judged: bool
) -> dict[str, Any]:
    """Return the figures of a set of responses: the keys of a group of a summary.

    Args:
        rows: The responses.
        lost: Those that failed.
        metrics: What was measured.
        judged: Whether there is a judge.
    """
    return {
        "n": len(rows),
        "judged": sum(row.judged for row in rows),
        **{metric.name: metric.over(rows) for metric in HEADLINES},
        "S_l_bounds": _length_bounds(rows, lost),
        "S_q_bounds": _bounds(S_Q, rows) if judged else None,
        "ci": intervals(rows, HEADLINES),
        "dimensions": {metric.name: metric.over(rows) for metric in CRITERIA},
        **{metric.name: metric.over(rows) for metric in BESIDE},
        "metrics": {metric.name: _other(rows, metric) for metric in others(metrics)},
        **{flag: sum(flag in row.flags for row in rows) for flag in FLAGS},
    }


def _other(rows: Sequence[Row], metric: Metric) -> dict[str, Any]:
    """Return the figures of a metric that has no key of its own."""
    return {
        "value": metric.over(rows),
        "ci": intervals(rows, [metric])[metric.name],
        **metric.declaration(),
    }


def _bounds(metric: Metric, rows: Sequence[Row | Lost]) -> list[float | None]:
    """Return where a metric lies if each response without a value were worth an end of its range."""
    return [
        mean_over_prompts(rows, lambda row, end=end: row.values.get(metric.name, end))  # type: ignore[misc]
        for end in metric.range or ()
    ]


def _length_bounds(rows: Sequence[Row], lost: Sequence[Lost]) -> list[float | None] | None:
    """Return where S_l lies if each failed response were worth 0, or 100; None if no length is asked for."""
    every: list[Row | Lost] = [*rows, *lost]
    asked = [row for row in every if row.length is not None]
    return _bounds(S_L, asked) if asked else None


def intervals(rows: Sequence[Row], metrics: Sequence[Metric]) -> dict[str, list[float] | None]:
    """Return 95% bootstrap intervals over prompts; None where a metric has fewer than two of them.

    Metrics are resampled together, so that those formed from others are formed within each resample. An added
    metric with an aggregate of its own has none: it is no mean over prompts.
    """
    shown = [metric for metric in metrics if metric.aggregate is None or has_own_keys(metric.name)]
    plain = list(dict.fromkeys(part for metric in shown for part in metric.parts or (metric,)))
    values = {metric: per_prompt(rows, _value_of(metric)) for metric in plain}
    prompts = list(dict.fromkeys(row.id for row in rows))
    enough = {metric for metric in plain if len(values[metric]) >= 2}
    found: dict[str, list[float] | None] = dict.fromkeys(metric.name for metric in metrics)
    if not enough:
        return found
    columns = np.array([[values[metric].get(prompt, np.nan) for metric in plain] for prompt in prompts])
    means = dict(zip(plain, bootstrap_means(columns).T, strict=True))
    for metric in shown:
        if enough.issuperset(metric.parts or (metric,)):
            of_parts = [means[part] for part in metric.parts or (metric,)]
            ends = interval(metric.combine(*of_parts) if metric.combine else of_parts[0])
            found[metric.name] = list(ends) if ends else None
    return found


def _value_of(metric: Metric) -> Callable[[Any], float | None]:
    return lambda row: row.values.get(metric.name)


def grouped(
    rows: Iterable[Row],
    lost: Iterable[Lost],
    key: Callable[[Row | Lost], str | None],
    of: Callable[[Sequence[Row], Sequence[Lost]], dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return the figures of each group that has a response, by its name, sorted; leave out those without.

    Args:
        rows: The responses.
        lost: Those that failed.
        key: The group's name of a response; None for no group.
        of: A group's figures.
    """
    groups: dict[str, tuple[list[Row], list[Lost]]] = {}
    for row in rows:
        if (name := key(row)) is not None:
            groups.setdefault(name, ([], []))[0].append(row)
    for failed in lost:
        if (name := key(failed)) in groups:
            groups[name][1].append(failed)
    return {name: of(*groups[name]) for name in sorted(groups)}
