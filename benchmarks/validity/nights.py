"""Half-years of nights of an unchanged model: how many are red, by what the baseline is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.validity.cells import Cell
from benchmarks.validity.drift import HALF_YEAR
from benchmarks.validity.shares import Share
from benchmarks.validity.worlds import State, World, Written, draw
from benchmarks.validity.written import SUITE, rows_of, run_info, scores_of, suite
from longbench_write.compare.pooling import pooled
from longbench_write.compare.scores import RunScores
from longbench_write.exchange.importing import import_run
from longbench_write.gate.checking import check_run
from longbench_write.gate.gate import check
from longbench_write.gate.moving import made_baseline
from longbench_write.metrics.quality import DIMENSIONS, S_BAR, SIX
from longbench_write.suites.suite import Prompt

RED = 6
"""Nights of a half-year that may be red for nine baselines in ten."""
MOVED_WHEN_BETTER = "one run, moved only when better"
BASELINES = {"five runs": 5, "ten runs": 10, "one run": 1, MOVED_WHEN_BETTER: 1}
COMMANDS = "five runs, imported"

_WORLD = World("nights", ((State(1, -0.3, 0.5, 3.9, 0.8),),))
_SHORTER = 20
"""By how much imported texts are shorter than lbw-open's: an import looks at each word."""


@dataclass(frozen=True)
class Moves:
    """By how much whole nights move: standard deviations.

    Attributes:
        ratio: Of the log ratio of written to required words.
        score: Of each of a judge's scores.
    """

    ratio: float
    score: float


MOVES = {"nothing": Moves(0.0, 0.0), "a little": Moves(0.04, 0.04), "most": Moves(0.08, 0.08)}
"""What moves whole nights, beside what samples do."""


class Nights:
    """Runs of one model on the same prompts, in the order in which they were made."""

    def __init__(
        self, rng: np.random.Generator, moves: Moves, number: int, prompts: Sequence[Prompt] | None = None
    ) -> None:
        self.prompts = list(prompts or suite().prompts)
        drawn = draw([_WORLD], rng, self.prompts, number)
        ratio, score = moves.ratio * rng.standard_normal(number), moves.score * rng.standard_normal(number)
        moved = rng.random(drawn.scores.shape) < abs(score)[:, None]
        scores = drawn.scores + np.sign(score).astype(np.int64)[:, None] * moved
        self._words = np.rint(drawn.words * np.exp(ratio)).astype(np.int64)
        self._scores = np.clip(scores, SIX.low, SIX.high)
        self._info = run_info(SUITE, len(self.prompts), 1)

    def scores(self, night: int) -> RunScores:
        """Return a night's run as `lbw-eval check` has it once it has read it."""
        one = slice(night, night + 1)
        written = Written(self._words[:, :, one], self._scores[:, :, one])
        info = replace(self._info, start=f"night {night}")
        return replace(scores_of(info, rows_of(info, self.prompts, written)), source=Path(f"night {night}"))

    def imported(self, night: int, folder: Path, suite: Path) -> Path:
        """Import a night's run from the reference scripts' files, and return where it is."""
        source = folder / f"night-{night}"
        source.mkdir()
        lines = [
            {
                "prompt": prompt.prompt,
                "type": prompt.type,
                "length": prompt.length,
                "response_length": words,
                "response": " ".join(["river"] * words),
                "scores": dict(zip(DIMENSIONS, six, strict=True)),
            }
            for prompt, words, six in zip(
                self.prompts,
                self._words[0, :, night].tolist(),
                self._scores[0, :, night].tolist(),
                strict=True,
            )
        ]
        for name in ("pred.jsonl", "judge.jsonl"):
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (source / name).write_text(text, encoding="utf-8")
        return import_run(source, "reference", out=folder / "runs", suite=str(suite), model="m").path


def red_nights(rng: np.random.Generator, moves: Moves, kind: str) -> int:
    """Return how many of a half-year's nights are red against one baseline.

    Args:
        rng: Draws the nights.
        moves: What moves them.
        kind: One of `BASELINES`.
    """
    first = BASELINES[kind]
    made = Nights(rng, moves, first + HALF_YEAR)
    baseline = pooled([made.scores(night) for night in range(first)])
    red = 0
    for night in range(first, first + HALF_YEAR):
        verdict = check(baseline, run := made.scores(night))
        red += verdict.exit_code != 0
        if kind == MOVED_WHEN_BETTER and not verdict.exit_code:
            (change,) = (each.difference for each in verdict.findings if each.metric.metric == S_BAR)
            baseline = run if (change.value or 0.0) > 0 else baseline
    return red


def red_by_commands(
    rng: np.random.Generator, moves: Moves, baselines: int, *, nights: int = HALF_YEAR
) -> list[int]:
    """Return how many of the same nights are red against each of some baselines of five runs.

    Each run is imported, each baseline is a file, and the runs are checked by what the commands call.

    Args:
        rng: Draws the runs.
        moves: What moves them.
        baselines: How many.
        nights: How many, likewise.
    """
    runs = BASELINES["five runs"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prompts = [
            replace(prompt, length=max(10, (prompt.length or 1) // _SHORTER)) for prompt in suite().prompts
        ]
        path = folder / "short.jsonl"
        path.write_text(
            "".join(
                json.dumps({"prompt": each.prompt, "type": each.type, "length": each.length}) + "\n"
                for each in prompts
            ),
            encoding="utf-8",
        )
        made = Nights(rng, moves, nights + runs * baselines, prompts)
        places = [made.imported(night, folder, path) for night in range(nights + runs * baselines)]
        red = []
        for start in range(nights, len(places), runs):
            baseline = folder / f"{start}.json"
            baseline.write_text(made_baseline(places[start : start + runs], {})[1], encoding="utf-8")
            codes = [check_run(place, {"baseline": baseline}).exit_code for place in places[:nights]]
            red.append(sum(code != 0 for code in codes))
    return red


def half_years(moves: Moves, kind: str, rng: np.random.Generator, trials: int) -> dict[str, Any]:
    """Return how many nights are red, over baselines."""
    if kind == COMMANDS:
        red = red_by_commands(rng, moves, trials)
    else:
        red = [red_nights(rng, moves, kind) for _ in range(trials)]
    return {
        "red": Share.of([number / HALF_YEAR for number in red]).to_dict(),
        "few": Share.of([float(number <= RED) for number in red]).to_dict(),
        "none": Share.of([float(number == 0) for number in red]).to_dict(),
        "most": max(red),
        "between": between(rng, moves),
    }


def between(rng: np.random.Generator, moves: Moves) -> float:
    """Return the share of the variance of a run's S̄ that lies between whole runs."""
    if moves == MOVES["nothing"]:
        return 0.0
    alike, moved = (
        float(np.var([_mean(nights.scores(night)) for night in range(HALF_YEAR)]))
        for nights in (Nights(rng, Moves(0.0, 0.0), HALF_YEAR), Nights(rng, moves, HALF_YEAR))
    )
    return max(0.0, 1 - alike / moved)


def _mean(scores: RunScores) -> float:
    return float(np.mean([response.values[S_BAR.name] for response in scores.responses.values()]))


def cells(quick: bool) -> list[Cell]:
    kinds = [("five runs", name) for name in MOVES]
    kinds += [(kind, "nothing") for kind in ("one run", MOVED_WHEN_BETTER, *(() if quick else (COMMANDS,)))]
    kinds += [("one run", "a little"), *(("ten runs", name) for name in MOVES)]
    return [
        Cell({"baseline": kind, "moved": name}, 3 if quick else 40, partial(half_years, MOVES[name], kind))
        for kind, name in kinds
    ]
