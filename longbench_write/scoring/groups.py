"""The figures of a group of responses: every metric over them, with intervals and bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from longbench_write.metrics.base import Metric, mean_over_prompts
from longbench_write.metrics.catalogue import BESIDE, HEADLINES, others
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import CRITERIA, S_Q
from longbench_write.scoring.flags import FLAGS
from longbench_write.scoring.intervals import Stratum, intervals
from longbench_write.scoring.rows import Row
from longbench_write.suites.suite import length_range


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
    rows: Sequence[Row],
    lost: Sequence[Lost],
    metrics: Sequence[Metric],
    *,
    judged: bool,
    cluster: Stratum | None = None,
) -> dict[str, Any]:
    """Return the figures of a set of responses: the keys of a group of a summary.

    Args:
        rows: The responses.
        lost: Those that failed.
        metrics: What was measured.
        judged: Whether there is a judge.
        cluster: What prompts that are not independent have in common, as in `intervals`.
    """
    found = intervals(rows, metrics, stratum=length_range_of, cluster=cluster)
    return {
        "n": len(rows),
        "judged": sum(row.judged for row in rows),
        **{metric.name: metric.over(rows) for metric in HEADLINES},
        "S_l_bounds": _length_bounds(rows, lost),
        "S_q_bounds": _bounds(S_Q, rows) if judged else None,
        "ci": {
            **{metric.name: found.get(metric.name) for metric in (*HEADLINES, *BESIDE)},
            "dimensions": {metric.name: found.get(metric.name) for metric in CRITERIA},
            "range_mean": None,
        },
        "dimensions": {metric.name: metric.over(rows) for metric in CRITERIA},
        **{metric.name: metric.over(rows) for metric in BESIDE},
        "metrics": {
            metric.name: {"value": metric.over(rows), "ci": found[metric.name], **metric.declaration()}
            for metric in others(metrics)
        },
        **{flag: sum(flag in row.flags for row in rows) for flag in FLAGS},
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


def length_range_of(row: Row | Lost) -> str | None:
    """Return the label of a response's length range; None where no length is asked for."""
    return None if row.length is None else length_range(row.length)


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
