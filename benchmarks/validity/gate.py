"""The gate's verdicts: on two models that are alike, after a drop, and where responses or judgements lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.validity.cells import Cell
from benchmarks.validity.shares import Share
from benchmarks.validity.worlds import WORLDS, Truth, World, Written, draw
from benchmarks.validity.written import (
    NOTHING,
    SUITE,
    Lost,
    drawn_prompts,
    rows_of,
    run_info,
    scores_of,
    shares,
    suite,
)
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.rule import Rule
from longbench_write.gate.gate import Outcome, Verdict, check
from longbench_write.metrics.length import S_L, length_score
from longbench_write.suites.suite import Prompt

PROMPTS = (120, 60, 31, 12)
SAMPLES = (1, 3)
LOST = (0.01, 0.05, 0.1)
WHAT = ("responses", "judgements")
WHERE = ("at random", "the longest", "the worst")
MARGIN = 5.0
"""Of non-inferiority, in points of S_l."""

_PILOTS, _ROUNDS = 40, 3
"""Pairs that say how large a drop can be detected, and how often a drop of that size is sought."""


@dataclass(frozen=True)
class Loss:
    """What is lost of the second run of a pair.

    Attributes:
        what: One of `WHAT`.
        where: One of `WHERE`.
        share: Of all of them.
    """

    what: str
    where: str
    share: float

    def of(self, rng: np.random.Generator, prompts: Sequence[Prompt], written: Written) -> Lost:
        """Choose them; what ties is in any order."""
        size = written.words[1].size
        keys = [(place, sample) for place in range(len(prompts)) for sample in range(size // len(prompts))]
        rng.shuffle(keys)
        if self.where == "the longest":
            keys.sort(key=lambda key: -(prompts[key[0]].length or 0))
        elif self.where == "the worst" and self.what == "judgements":
            keys.sort(key=lambda key: int(written.scores[1][key].sum()))
        elif self.where == "the worst":
            keys.sort(key=lambda key: length_score(prompts[key[0]].length or 1, int(written.words[1][key])))
        chosen = keys[: round(self.share * size)]
        return Lost(**{self.what: frozenset((prompts[place].id, sample) for place, sample in chosen)})


@dataclass(frozen=True)
class Pair:
    """Two models, asked alike."""

    baseline: World
    run: World
    prompts: int
    samples: int

    def verdict(
        self, rng: np.random.Generator, loss: Loss | None = None, rule: Rule | None = None
    ) -> Verdict:
        """Draw both runs and check the second, of which something may be lost; by a rule, or the default."""
        prompts = drawn_prompts(rng, self.prompts)
        written = draw([self.baseline, self.run], rng, prompts, self.samples)
        info = run_info(SUITE, self.prompts, self.samples)
        lost = loss.of(rng, prompts, written) if loss else NOTHING
        baseline = scores_of(info, rows_of(info, prompts, written, 0))
        return check(baseline, scores_of(info, rows_of(info, prompts, written, 1, lost=lost)), rule)


def verdicts(pair: Pair, loss: Loss | None, rng: np.random.Generator, trials: int) -> dict[str, Any]:
    """Return the shares of exit codes of pairs whose models are alike."""
    codes = [pair.verdict(rng, loss).exit_code for _ in range(trials)]
    return {str(code): Share.of([float(each == code) for each in codes]).to_dict() for code in (0, 1, 3)}


def power(world: World, number: int, samples: int, rng: np.random.Generator, trials: int) -> dict[str, Any]:
    """Return how often a drop in S_l is found that is as large as the verdicts say they detect."""
    fallen = world
    for _ in range(_ROUNDS):
        told = [_detectable(Pair(world, fallen, number, samples).verdict(rng)) for _ in range(_PILOTS)]
        fallen = fallen_by(world, float(np.mean(told)), number)
    found, told = [], []
    for _ in range(trials):
        verdict = Pair(world, fallen, number, samples).verdict(rng)
        told.append(_detectable(verdict))
        found.append(float(_length(verdict).outcome == Outcome.REGRESSED))
    drop = _level(world, number) - _level(fallen, number)
    return {"found": Share.of(found).to_dict(), "drop": drop, "detectable": float(np.mean(told))}


def _length(verdict: Verdict) -> Any:
    return next(finding for finding in verdict.findings if finding.metric.metric == S_L)


def _detectable(verdict: Verdict) -> float:
    return float(_length(verdict).detectable or 0.0)


def _level(world: World, number: int) -> float:
    """Return the true S_l of a run on so many prompts."""
    parts = {label: count / number for label, count in shares(number).items()}
    return Truth(world, suite().prompts).by_shares(parts)[S_L.name]


def fallen_by(world: World, drop: float, number: int) -> World:
    """Return the world of a model that writes so much less that its S_l is lower by a drop, by halving."""
    wanted = _level(world, number) - drop
    low, high = 0.0, 2.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if _level(world.moved(ratio=-middle), number) > wanted else (low, middle)
    return world.moved(ratio=-(low + high) / 2)


def passes(world: World, number: int, rng: np.random.Generator, trials: int) -> dict[str, Any]:
    """Return how often a model that is worse in S_l by the margin of non-inferiority passes."""
    pair = Pair(world, fallen_by(world, MARGIN, number), number, 1)
    rule = Rule(metrics=(MetricInRange(S_L),), non_inferiority=MARGIN)
    codes = [pair.verdict(rng, rule=rule).exit_code for _ in range(trials)]
    return {"0": Share.of([float(code == 0) for code in codes]).to_dict()}


def _alarm_cells(quick: bool) -> list[Cell]:
    return [
        Cell(
            {"pairs": "alike", "world": world.name, "n": number, "k": samples},
            40 if quick else 500,
            partial(verdicts, Pair(world, world, number, samples), None),
        )
        for number in PROMPTS
        for samples in SAMPLES
        for world in WORLDS
    ]


def _power_cells(quick: bool) -> list[Cell]:
    return [
        Cell(
            {"pairs": "apart", "world": world.name, "n": number, "k": samples},
            40 if quick else 400,
            partial(power, world, number, samples),
        )
        for number in ((120, 31) if quick else (120, 60, 31))
        for samples in (SAMPLES[:1] if quick else SAMPLES)
        for world in WORLDS
    ]


def _margin_cells(quick: bool) -> list[Cell]:
    return [
        Cell(
            {"pairs": "worse by the margin", "world": world.name, "n": number},
            150 if quick else 1000,
            partial(passes, world, number),
        )
        for number in PROMPTS
        for world in WORLDS
    ]


def _lacking_cells(quick: bool) -> list[Cell]:
    losses = [Loss(what, where, share) for what in WHAT for where in WHERE for share in LOST]
    return [
        Cell(
            {
                "pairs": "lacking",
                "world": world.name,
                "lost": loss.what,
                "where": loss.where,
                "percent": round(100 * loss.share),
            },
            20 if quick else 300,
            partial(verdicts, Pair(world, world, 120, 1), loss),
        )
        for loss in losses
        for world in (WORLDS[::2] if quick else WORLDS)
    ]


def cells(quick: bool) -> list[Cell]:
    groups = _alarm_cells, _power_cells, _margin_cells, _lacking_cells
    return [cell for group in groups for cell in group(quick)]
