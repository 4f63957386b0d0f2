"""How often a rank of the leaderboard is wrong: in blocks of models whose true ranks are known."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.validity.cells import Cell
from benchmarks.validity.gate import Loss
from benchmarks.validity.shares import Share
from benchmarks.validity.worlds import WORLDS, State, Truth, World, Written, draw
from benchmarks.validity.written import NOTHING, SUITE, drawn_prompts, run_info, scored, suite
from longbench_write.compare.collection import Entry
from longbench_write.compare.ranking import RankedRun, leaderboard
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.quality import S_BAR
from longbench_write.runs.folder import SCORES
from longbench_write.scoring.table import scores_csv

MODELS = (5, 20, 50)
TRIALS = dict(zip(MODELS, (200, 80, 40), strict=True))
QUICK_TRIALS = dict(zip(MODELS, (20, 6, 2), strict=True))
KINDS = ("alike", "copies", "incomplete", "in steps")
_STEADY = World("steady", ((State(1, -0.1, 0.08, 4.5, 0.3),),))
OPPOSITE = "opposite"
"""Every second model never fails, and is as good on average as the others, which fail seldom and badly."""

_STEP = 0.02
"""By how much the log ratios of models of one step lie below those of the step above; two models a step."""
_EQUAL = 0.01
"""Points by which true means may differ that are made equal by halving."""
_LACKING = Loss("responses", "the worst", 0.05)
"""What every second run of an incomplete block lacks."""


def worlds_of(kind: str, world: World, models: int) -> list[World]:
    """Return the models of a block, the best first."""
    if kind == OPPOSITE:
        return [_as_good(_STEADY, world) if place % 2 else world for place in range(models)]
    return [world.moved(ratio=-_STEP * (place // 2) * (kind == "in steps")) for place in range(models)]


@cache
def _as_good(world: World, like: World) -> World:
    """Return the world of a model that writes so much more or less that its S̄ is another's, by halving."""
    wanted, low, high = _level(like), -1.0, -min(state.ratio for state in world.ranges[0])
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _level(world.moved(ratio=middle)) < wanted else (low, middle)
    return world.moved(ratio=(low + high) / 2)


def _level(world: World) -> float:
    return Truth(world, suite().prompts).of(suite().prompts)[S_BAR.name]


def ranked(
    kind: str, worlds: Sequence[World], number: int, rng: np.random.Generator, folder: Path
) -> list[RankedRun]:
    """Draw a block and rank it; the runs in the order of their models."""
    prompts = drawn_prompts(rng, number)
    written = draw(worlds, rng, prompts, 1)
    if kind == "copies":
        written.words[1::2], written.scores[1::2] = written.words[:-1:2], written.scores[:-1:2]
    entries = []
    for model in range(len(worlds)):
        alone = Written(written.words[[model, model]], written.scores[[model, model]])
        lost = _LACKING.of(rng, prompts, alone) if kind == "incomplete" and model % 2 else NOTHING
        info = run_info(SUITE, number, 1, model=f"m{model:02d}")
        summary, rows = scored(info, prompts, written, model, lost=lost, metrics=HEADLINES)
        place = folder / info.model
        place.mkdir(exist_ok=True)
        (place / SCORES).write_text(scores_csv(rows), encoding="utf-8")
        entries.append(Entry(place, summary, info.model))
    (block,) = leaderboard(entries)
    return sorted(block.runs, key=lambda run: run.entry.label)


def is_wrong(runs: Sequence[RankedRun], truth: Sequence[float]) -> bool:
    """Return whether the set of any run lacks one of its true ranks: those of its equals are its own, too."""
    for run, own in zip(runs, truth, strict=True):
        best = 1 + sum(other > own + _EQUAL for other in truth)
        worst = len(truth) - sum(other < own - _EQUAL for other in truth)
        if run.best is None or run.worst is None or run.best > best or run.worst < worst:
            return True
    return False


def errors(
    kind: str, world: World, models: int, number: int, rng: np.random.Generator, trials: int
) -> dict[str, Any]:
    """Return how often a block has a wrong rank, and how many ranks its sets leave open on average."""
    worlds = worlds_of(kind, world, models)
    value = {each: _level(each) for each in set(worlds)}
    truth = [value[each] for each in worlds]
    wrong, sizes = [], []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(trials):
            runs = ranked(kind, worlds, number, rng, Path(name))
            wrong.append(float(is_wrong(runs, truth)))
            sizes += [(run.worst or models) - (run.best or 1) + 1 for run in runs]
    return {"wrong": Share.of(wrong).to_dict(), "open": statistics.fmean(sizes)}


def cells(quick: bool) -> list[Cell]:
    good, _, mixed, _ = WORLDS
    blocks = [("alike", world, number) for world in WORLDS for number in (120, 31)]
    blocks += [(kind, mixed, 120) for kind in KINDS[1:]]
    blocks += [(OPPOSITE, good, number) for number in (120, 31)]
    if quick:
        blocks = [("alike", mixed, 31), ("incomplete", mixed, 31), ("in steps", mixed, 31)]
    trials = QUICK_TRIALS if quick else TRIALS
    return [
        Cell(
            {"kind": kind, "world": world.name, "models": models, "n": number},
            trials[models],
            partial(errors, kind, world, models, number),
        )
        for models in MODELS
        for kind, world, number in blocks
    ]
