"""The contamination gap: how much better a model does on public prompts than on unseen ones of the same form.

Where each unseen prompt names the public one whose form it has (`mirrors`), the two are a pair: alike in
type, language, length, rule and wording of the length. The gap is the mean of the pairs' differences; its
interval holds the gaps that a paired permutation test at 4% does not refuse. A model that obeys the form
alone has differences that are symmetric about 0, so that at most 5% of its intervals leave 0 out, in every
length range of six pairs or more and for any metric.

The first version of lbw-open names no mirrors. There both suites are cut into the same cells, of one type,
language and length range each; the gap of a cell is the difference of its two means, and the gap of a length
range the mean of its cells' gaps, each weighted by its prompts. The interval comes from resampling a range's
cells: the collapsed strata of survey sampling (Cochran, "Sampling Techniques", ch. 5A). It covers the
difference between the two suites, which is not 0 for a model that obeys their length rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.scoring.rows import Row
from longbench_write.scoring.summary import RunInfo
from longbench_write.stats import RESAMPLES, sign_flip_interval, widened_interval
from longbench_write.suites.cards import card_of_file
from longbench_write.suites.suite import LENGTH_RANGES, length_range, load_suite

PUBLIC = ("longbench-write", "longbench-write-en")
UNSEEN = "lbw-open"

_TEST_LEVEL = 0.96
"""A point above the promised 95%: some flips stand for all, and differences are symmetric only nearly."""

CellKey = tuple[str, str, str]
"""Length range, type and language."""


@dataclass(frozen=True)
class Gap:
    """The difference in one metric, over everything or one length range, in its unit.

    Attributes:
        measure: The metric's name.
        range: The length range; None for all of them.
        public, unseen: The two means, both weighted alike; None where the suites have nothing in common.
        value: public - unseen.
        interval: Its 95% interval; None with fewer than six pairs or two cells.
        pairs: Prompts and their mirrors that both have a value; None where the suites are compared by cells.
        cells: Cells that have prompts of both suites; None where prompts are paired.
        prompts: Prompts compared, of the public suite and of the unseen one.
        left_out: Prompts without a mirror, or in cells that one suite alone has.
    """

    measure: str
    range: str | None
    public: float | None
    unseen: float | None
    value: float | None
    interval: tuple[float, float] | None
    pairs: int | None
    cells: int | None
    prompts: tuple[int, int]
    left_out: int


def is_gap(public: RunInfo, unseen: RunInfo) -> bool:
    """Return whether two runs are of one model, on a public suite and on the unseen one."""
    return public.model == unseen.model and public.suite in PUBLIC and unseen.suite == UNSEEN


def mirrored(public: RunInfo, unseen: RunInfo) -> dict[str, str]:
    """Return the id of the public run's prompt that each of the unseen run's prompts mirrors, by its id.

    longbench-write-en has the English prompts of longbench-write in their order, under ids of its own.

    Raises:
        AssetError: The shipped suite that was unseen has been changed.
    """
    card = card_of_file(unseen.suite_sha256)
    if card is None or not card.file:
        return {}
    prompts = [prompt for prompt in load_suite(card.full_name).prompts if prompt.mirrors]
    if public.suite == PUBLIC[0]:
        return {prompt.id: prompt.mirrors for prompt in prompts}
    english = [prompt for prompt in prompts if prompt.language == "en"]
    return {prompt.id: f"lbw-en-{number}" for number, prompt in enumerate(english, start=1)}


def contamination_gap(
    public: Sequence[Row],
    unseen: Sequence[Row],
    *,
    mirrors: Mapping[str, str] | None = None,
    metrics: Sequence[Metric] = HEADLINES,
    seed: int = 0,
) -> list[Gap]:
    """Return the gaps of one model between two suites: in each metric over all, then by length range.

    Args:
        public: The rows of its run on the public suite (longbench-write).
        unseen: Those of its run on the unseen suite (lbw-open).
        mirrors: The id of the public prompt that an unseen one mirrors; without any, cells are compared.
        metrics: What is compared.
        seed: Of the resampling.
    """
    gaps = []
    for measure in (metric.name for metric in metrics):
        if mirrors:
            gaps += _paired_gaps(measure, public, unseen, mirrors, seed)
            continue
        cells = _cells(public, measure), _cells(unseen, measure)
        present = {label for side in cells for label, _, _ in side}
        if not present:
            continue
        gaps.append(_gap(measure, None, *cells, seed))
        gaps += [_gap(measure, label, *cells, seed) for label in LENGTH_RANGES if label in present]
    return gaps


def _paired_gaps(
    measure: str, public: Sequence[Row], unseen: Sequence[Row], mirrors: Mapping[str, str], seed: int
) -> list[Gap]:
    """Return a measure's gap over all, then by length range; none without any value."""
    old, new = _by_prompt(public, measure), _by_prompt(unseen, measure)
    lengths = {row.id: row.length for rows in (public, unseen) for row in rows if row.length is not None}
    ranges = {name: length_range(lengths[name]) for name in (*old, *new)}
    present = [label for label in LENGTH_RANGES if label in ranges.values()]
    return [
        _paired_gap(measure, label, _within(old, ranges, label), _within(new, ranges, label), mirrors, seed)
        for label in ((None, *present) if present else ())
    ]


def _within(values: Mapping[str, float], ranges: Mapping[str, str], label: str | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if label in (None, ranges[name])}


def _paired_gap(
    measure: str,
    label: str | None,
    public: Mapping[str, float],
    unseen: Mapping[str, float],
    mirrors: Mapping[str, str],
    seed: int,
) -> Gap:
    pairs = sorted((mirrors[name], name) for name in unseen if mirrors.get(name) in public)
    prompts, alone = (len(pairs), len(pairs)), len(public) + len(unseen) - 2 * len(pairs)
    if not pairs:
        return Gap(measure, label, None, None, None, None, 0, None, prompts, alone)
    both = np.array([(public[one], unseen[other]) for one, other in pairs])
    differences = both[:, 0] - both[:, 1]
    old, new = (float(mean) for mean in both.mean(axis=0))
    found = sign_flip_interval(differences, level=_TEST_LEVEL, seed=seed)
    return Gap(measure, label, old, new, old - new, found, len(pairs), None, prompts, alone)


def _by_prompt(rows: Iterable[Row], measure: str) -> dict[str, float]:
    """Return the prompts' values, each the mean over its samples; skip those without a length."""
    samples: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.length is not None and (found := row.values.get(measure)) is not None:
            samples[row.id].append(found)
    return {name: sum(values) / len(values) for name, values in samples.items()}


def _cells(rows: Sequence[Row], measure: str) -> dict[CellKey, list[float]]:
    """Return the prompts' values by cell."""
    of = {
        row.id: (length_range(row.length), row.type, row.language) for row in rows if row.length is not None
    }
    cells: dict[CellKey, list[float]] = defaultdict(list)
    for name, value in _by_prompt(rows, measure).items():
        cells[of[name]].append(value)
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
        return Gap(measure, label, None, None, None, None, None, 0, prompts, alone)
    weights = np.array([min(len(public[cell]), len(unseen[cell])) for cell in shared], dtype=np.float64)
    means = np.array([[np.mean(side[cell]) for cell in shared] for side in (public, unseen)])
    old, new = (float(np.average(side, weights=weights)) for side in means)
    ranges = [cell[0] for cell in shared]
    found = _interval(means[0] - means[1], weights, ranges, old - new, seed)
    return Gap(measure, label, old, new, old - new, found, None, len(shared), prompts, alone)


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
