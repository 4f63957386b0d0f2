"""The contamination gap: how much better a model does on public prompts than on unseen ones of the same form.

The two suites share no prompt, so nothing is paired. Both are cut into the same cells, of one type, language
and length range each; the gap of a cell is the difference of its two means, and the gap of a length range the
mean of its cells' gaps, each weighted by its prompts. So neither suite gains by having more of what is easy.

Its interval comes from resampling a range's cells, each with its prompts of both suites. Most cells hold one
or two prompts a suite, too few to show their own variance by resampling within them. Between cells, the
variance of the gaps contains that of the prompts, and that of the true gaps, which makes the interval wider,
never narrower: the collapsed strata of survey sampling (Cochran, "Sampling Techniques", ch. 5A).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.scoring.rows import Row
from longbench_write.scoring.summary import RunInfo
from longbench_write.stats import RESAMPLES, widened_interval
from longbench_write.suites.suite import LENGTH_RANGES, length_range

PUBLIC = ("longbench-write", "longbench-write-en")
UNSEEN = "lbw-open"

CellKey = tuple[str, str, str]
"""Length range, type and language."""


@dataclass(frozen=True)
class Gap:
    """The difference in one metric, over everything or one length range, in its unit.

    Attributes:
        measure: The metric's name.
        range: The length range; None for all of them.
        public, unseen: The two means, both weighted alike; None where no cell has prompts of both suites.
        value: public - unseen.
        interval: Its 95% interval; None with fewer than two cells.
        cells: Cells that have prompts of both suites.
        prompts: Prompts in them, of the public suite and of the unseen one.
        left_out: Prompts in cells that one suite alone has.
    """

    measure: str
    range: str | None
    public: float | None
    unseen: float | None
    value: float | None
    interval: tuple[float, float] | None
    cells: int
    prompts: tuple[int, int]
    left_out: int


def is_gap(public: RunInfo, unseen: RunInfo) -> bool:
    """Return whether two runs are of one model, on a public suite and on the unseen one."""
    return public.model == unseen.model and public.suite in PUBLIC and unseen.suite == UNSEEN


def contamination_gap(
    public: Sequence[Row], unseen: Sequence[Row], *, metrics: Sequence[Metric] = HEADLINES, seed: int = 0
) -> list[Gap]:
    """Return the gaps of one model between two suites: in each metric over all, then by length range.

    Args:
        public: The rows of its run on the public suite (longbench-write).
        unseen: Those of its run on the unseen suite (lbw-open).
        metrics: What is compared.
        seed: Of the resampling.
    """
    gaps = []
    for measure in (metric.name for metric in metrics):
        cells = _cells(public, measure), _cells(unseen, measure)
        present = {label for side in cells for label, _, _ in side}
        if not present:
            continue
        gaps.append(_gap(measure, None, *cells, seed))
        gaps += [_gap(measure, label, *cells, seed) for label in LENGTH_RANGES if label in present]
    return gaps


def _cells(rows: Iterable[Row], measure: str) -> dict[CellKey, list[float]]:
    """Return the prompts' values, each the mean over its samples, by cell; skip those without a length."""
    samples: dict[tuple[CellKey, str], list[float]] = defaultdict(list)
    for row in rows:
        if row.length is not None and (found := row.values.get(measure)) is not None:
            samples[(length_range(row.length), row.type, row.language), row.id].append(found)
    cells: dict[CellKey, list[float]] = defaultdict(list)
    for (cell, _), values in samples.items():
        cells[cell].append(sum(values) / len(values))
    return cells


def _gap(
    measure: str,
    label: str | None,
    public: dict[CellKey, list[float]],
    unseen: dict[CellKey, list[float]],
    seed: int,
) -> Gap:
    inside = [cell for cell in sorted(public.keys() | unseen.keys()) if label in (None, cell[0])]
    shared = [cell for cell in inside if cell in public and cell in unseen]
    alone = sum(len(side.get(cell, ())) for cell in inside if cell not in shared for side in (public, unseen))
    prompts = sum(len(public[cell]) for cell in shared), sum(len(unseen[cell]) for cell in shared)
    if not shared:
        return Gap(measure, label, None, None, None, None, 0, prompts, alone)
    weights = np.array([min(len(public[cell]), len(unseen[cell])) for cell in shared], dtype=np.float64)
    means = np.array([[np.mean(side[cell]) for cell in shared] for side in (public, unseen)])
    old, new = (float(np.average(side, weights=weights)) for side in means)
    ranges = [cell[0] for cell in shared]
    found = _interval(means[0] - means[1], weights, ranges, old - new, seed)
    return Gap(measure, label, old, new, old - new, found, len(shared), prompts, alone)


def _interval(
    gaps: NDArray[np.float64], weights: NDArray[np.float64], ranges: Sequence[str], value: float, seed: int
) -> tuple[float, float] | None:
    """Return the interval of the weighted mean, cells resampled within each range that has two or more."""
    rng = np.random.default_rng(seed)
    total = np.zeros(RESAMPLES)
    freedom = 0
    for label in dict.fromkeys(ranges):
        of_range = np.array([each == label for each in ranges])
        cells = int(of_range.sum())
        drawn = rng.multinomial(cells, np.full(cells, 1 / cells), size=RESAMPLES).astype(np.float64)
        share = weights[of_range]
        total += (drawn @ (share * gaps[of_range])) / (drawn @ share) * (share.sum() / weights.sum())
        freedom += cells - 1
    return widened_interval(total, value, freedom + 1) if freedom else None
