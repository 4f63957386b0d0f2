"""How often the intervals of a summary cover the truth, and how wide they are."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.validity.cells import Cell
from benchmarks.validity.shares import Share
from benchmarks.validity.worlds import WORLDS, Truth, World, draw
from benchmarks.validity.written import (
    RULER,
    SUITE,
    drawn_prompts,
    ruler_prompts,
    run_info,
    scored,
    suite,
)
from longbench_write.metrics.catalogue import BESIDE, HEADLINES
from longbench_write.metrics.quality import CRITERIA
from longbench_write.scoring.figures import interval_in
from longbench_write.scoring.summary import Summary
from longbench_write.suites.cards import load_card
from longbench_write.suites.suite import LENGTH_RANGES, Prompt, length_range

PROMPTS = (120, 60, 31, 12, 6)
SAMPLES = (1, 3)
TRIALS, QUICK_TRIALS = 300, 16

Found = Iterator[tuple[str, Sequence[float], float]]
"""Kinds of intervals, their ends, and the truth."""

GROUPS: Mapping[str, Callable[[Prompt], str]] = {
    "length": lambda prompt: length_range(prompt.length or 1),
    "language": lambda prompt: prompt.language,
    "type": lambda prompt: prompt.type,
}


def intervals_of(summary: Summary, prompts: Sequence[Prompt], truth: Truth) -> Found:
    """Yield every interval that a summary has, by kind, with what it is to cover."""
    yield from _in_group(summary.overall, "", truth.of(prompts))
    for by, label_of in GROUPS.items():
        members: dict[str, list[Prompt]] = defaultdict(list)
        for prompt in prompts:
            members[label_of(prompt)].append(prompt)
        for label, group in _groups(summary, by).items():
            yield from _in_group(group, f" by {by}", truth.of(members[label], label_of))
    equal = dict.fromkeys(LENGTH_RANGES[:4], 0.25)
    yield from _headlines(summary.ci["range_mean"], "range_mean", lambda: truth.by_shares(equal))
    if summary.weighted:
        ranges = load_card(SUITE).ranges
        own = {label: n / sum(ranges) for label, n in zip(LENGTH_RANGES, ranges, strict=True) if n}
        yield from _headlines(summary.weighted["ci"], "weighted", lambda: truth.by_shares(own))


def _in_group(group: Mapping[str, Any], kind: str, truth: Mapping[str, float]) -> Found:
    for metric in HEADLINES if kind else (*HEADLINES, *BESIDE):
        if ends := interval_in(group, metric):
            yield metric.name + kind, ends, truth[metric.name]
    for metric in CRITERIA:
        if ends := interval_in(group, metric):
            yield f"dimensions{kind}", ends, truth[metric.name]


def _headlines(
    ends: Mapping[str, Sequence[float] | None] | None, kind: str, truth: Callable[[], Mapping[str, float]]
) -> Found:
    for name, found in (ends or {}).items():
        if found:
            yield f"{kind} {name}", found, truth()[name]


def _groups(summary: Summary, by: str) -> Mapping[str, Mapping[str, Any]]:
    if by == "length":
        return {group["range"]: group for group in summary.by_length}
    return summary.by_language if by == "language" else summary.by_type


class Tally:
    """What intervals of each kind covered, trial by trial."""

    def __init__(self) -> None:
        self._covered: dict[str, list[float]] = defaultdict(list)
        self._widths: dict[str, list[float]] = defaultdict(list)

    def add(self, found: Found) -> None:
        """Count the intervals of one trial."""
        hits: dict[str, list[bool]] = defaultdict(list)
        for kind, (low, high), truth in found:
            hits[kind].append(low <= truth <= high)
            self._widths[kind].append(high - low)
        for kind, covered in hits.items():
            self._covered[kind].append(sum(covered) / len(covered))

    def to_dict(self) -> dict[str, Any]:
        """Return the coverage of each kind, and the median width."""
        return {
            kind: {"coverage": Share.of(shares).to_dict(), "width": statistics.median(self._widths[kind])}
            for kind, shares in self._covered.items()
        }


def coverage(
    world: World, number: int, samples: int, rng: np.random.Generator, trials: int
) -> dict[str, Any]:
    """Measure the intervals of runs on so many prompts."""
    tally, truth = Tally(), Truth(world, suite().prompts)
    for _ in range(trials):
        prompts = drawn_prompts(rng, number)
        summary, _ = scored(run_info(SUITE, number, samples), prompts, draw([world], rng, prompts, samples))
        tally.add(intervals_of(summary, prompts, truth))
    return tally.to_dict()


def ruler_coverage(world: World, samples: int, rng: np.random.Generator, trials: int) -> dict[str, Any]:
    """Measure the intervals of runs on the ruler, whose topics are drawn anew."""
    clustered, prompts = replace(world, clustered=True), ruler_prompts()
    tally, truth = Tally(), Truth(clustered, prompts)
    for _ in range(trials):
        summary, _ = scored(
            run_info(RULER, len(prompts), samples), prompts, draw([clustered], rng, prompts, samples)
        )
        tally.add(intervals_of(summary, prompts, truth))
    return tally.to_dict()


def cells(quick: bool) -> list[Cell]:
    trials = QUICK_TRIALS if quick else TRIALS
    return [
        *(
            Cell(
                {"world": world.name, "n": number, "k": samples},
                trials,
                partial(coverage, world, number, samples),
            )
            for number in PROMPTS
            for samples in SAMPLES
            for world in WORLDS
        ),
        *(
            Cell(
                {"suite": RULER, "world": world.name, "k": samples},
                trials,
                partial(ruler_coverage, world, samples),
            )
            for samples in SAMPLES
            for world in WORLDS
        ),
    ]
