"""Results that others published: read from results/published.csv, shown beside runs, never ranked."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from longbench_write.files.resources import data_root
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.suites.suite import LENGTH_RANGES

PublishedScores = dict[str, float | None]
"""Each headline by its name; None where nothing was read."""


@dataclass(frozen=True)
class Published:
    """One published result.

    Attributes:
        origin: "paper" for the benchmark's own paper, "others" for re-runs.
        scores: Over all responses.
        by_length: Per length range.
        range_mean: The unweighted mean of the four length ranges.
        source: Where the figures were read.
    """

    model: str
    suite: str
    origin: str
    scores: PublishedScores
    by_length: dict[str, PublishedScores]
    range_mean: PublishedScores
    source: str


def published() -> list[Published]:
    """Return the reference rows, in their file's order."""
    path = data_root("results") / "published.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(line) for line in csv.DictReader(file)]


def _row(line: Mapping[str, str]) -> Published:
    return Published(
        model=line["model"],
        suite=line["suite"],
        origin=line["origin"],
        scores=_scores(line, ""),
        by_length={label: _scores(line, f" {label}") for label in LENGTH_RANGES[:4]},
        range_mean=_scores(line, " range_mean"),
        source=line["source"],
    )


def _scores(line: Mapping[str, str], suffix: str) -> PublishedScores:
    cells = {metric.name: line.get(f"{metric.name}{suffix}") for metric in HEADLINES}
    return {name: float(cell) if cell else None for name, cell in cells.items()}
