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
        judge: Whose scores S_q rests on; "" where the source does not say.
        convention: What is published: "mean" (S̄ is the mean of S_l and S_q), "20 x the score" or "quality
            alone"; "" where the source does not say.
        derived: The headlines that no source has, but that follow from the row's other two.
        source: Where the figures were read.
        read_on: When, an ISO date.
    """

    model: str
    suite: str
    origin: str
    scores: PublishedScores
    by_length: dict[str, PublishedScores]
    range_mean: PublishedScores
    judge: str
    convention: str
    derived: tuple[str, ...]
    source: str
    read_on: str


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
        judge=line["judge"],
        convention=line["convention"],
        derived=tuple(line["derived"].split()),
        source=line["source"],
        read_on=line["read_on"],
    )


def _scores(line: Mapping[str, str], suffix: str) -> PublishedScores:
    cells = {metric.name: line.get(f"{metric.name}{suffix}") for metric in HEADLINES}
    return {name: float(cell) if cell else None for name, cell in cells.items()}
