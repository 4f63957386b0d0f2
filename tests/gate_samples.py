"""Pairs of runs whose truth is known, drawn with scores shaped like real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import samples
import yaml
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.compare.baseline_shape import digest_of
from longbench_write.compare.scores import Response, RunScores
from longbench_write.metrics.base import complete
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.metrics.length import length_score
from longbench_write.metrics.quality import DIMENSIONS, SIX
from longbench_write.runs.folder import JUDGEMENTS, MANIFEST, PREDICTIONS, SCORES, SUMMARY
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv

LENGTHS = (100, 300, 700, 1500, 2500, 3500, 6000, 20000)
"""Required words, two a length range; prompts take them in turns."""

_SCORES = np.array([length_score(1000, words) for words in range(4001)])


@dataclass(frozen=True)
class World:
    """How two models write, and how a judge sees it.

    A response's log ratio of written to required words is the sum of normal effects of prompt, model within
    prompt, and sample; its S_l has atoms at 0 (a third of the length or less) and, through `clean`, at 100. A
    dimension is a rounded and clipped sum of the like on the judge's scale.

    Attributes:
        shift: By how much the second model's log ratio is lower.
        dull: By how much its quality is lower, on the judge's scale.
        clean: The share of responses that hit the length exactly.
    """

    shift: float = 0.0
    dull: float = 0.0
    clean: float = 0.1

    def lengths(self, rng: np.random.Generator, prompts: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
        """S_l of both models, each of shape (prompts, samples)."""
        prompt = rng.normal(-0.45, 0.6, (prompts, 1))
        models = [prompt - shift + rng.normal(0, 0.2, (prompts, 1)) for shift in (0.0, self.shift)]
        noise = [rng.normal(0, 0.3, (prompts, samples)) for _ in models]
        exact = [rng.random((prompts, samples)) < self.clean for _ in models]
        ratios = [
            np.where(hit, 1.0, np.exp(model + each))
            for model, each, hit in zip(models, noise, exact, strict=True)
        ]
        first, second = (_SCORES[np.minimum(1000 * ratio, 4000).round().astype(int)] for ratio in ratios)
        return first, second

    def dimensions(
        self, rng: np.random.Generator, prompts: int, samples: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The judge's six integers for both models, each of shape (prompts, samples, 6)."""
        prompt = rng.normal(4.0, 0.5, (prompts, 1, 1))
        scores = []
        for dull in (0.0, self.dull):
            model = prompt - dull + rng.normal(0, 0.2, (prompts, 1, 1))
            seen = (
                model + rng.normal(0, 0.4, (prompts, samples, 1)) + rng.normal(0, 0.5, (prompts, samples, 6))
            )
            scores.append(np.clip(np.rint(seen), 1, 5))
        first, second = scores
        return first, second

    @cached_property
    def truth(self) -> dict[str, float]:
        """The true differences, by drawing so many prompts that their own error is far below a tenth."""
        rng = np.random.default_rng(4)
        first, second = self.lengths(rng, 200_000, 1)
        poor, poorer = self.dimensions(rng, 200_000, 1)
        length = float(second.mean() - first.mean())
        quality = float(poorer.mean() - poor.mean()) * 25
        return {"S_l": length, "S_q": quality, "S_bar": (length + quality) / 2}

    def pair(self, rng: np.random.Generator, prompts: int, samples: int = 1) -> tuple[RunScores, RunScores]:
        """One pair of runs."""
        lengths = self.lengths(rng, prompts, samples)
        dimensions = self.dimensions(rng, prompts, samples)
        first, second = (made(a, b) for a, b in zip(lengths, dimensions, strict=True))
        return first, second


def made(lengths: np.ndarray, dimensions: np.ndarray | None = None, **changes) -> RunScores:
    """Scores of these values: S_l of shape (prompts, samples), the judge's six behind each."""
    responses = {}
    for prompt, values in enumerate(np.asarray(lengths, dtype=float).tolist()):
        for sample, score in enumerate(values):
            six = None if dimensions is None else as_scores(dimensions[prompt, sample].tolist())
            required = LENGTHS[prompt % len(LENGTHS)]
            name = f"p-{prompt:03d}"
            responses[name, sample] = responded(name, sample, required, score, six)
    info = RUN_INFO
    if dimensions is None:
        changes = {"judge": None, "judge_sha256": None} | changes
    values = {**vars(info), "prompts": {"n": len(lengths), "sha256": "4" * 64}, "samples": len(lengths[0])}
    return RunScores(
        source=Path("made"),
        info=type(info)(**(values | changes)),
        convention="mean",
        counts=None,
        responses=responses,
    )


def as_scores(six: Sequence[float]) -> dict[str, float]:
    """Six numbers as a judge's scores."""
    return dict(zip(DIMENSIONS, six, strict=True))


def responded(
    name: str, sample: int, required: int, score: float, six: dict[str, float] | None = None
) -> Response:
    """A response with this S_l and these judge's scores."""
    values = {"S_l": score}
    if six:
        values |= {"S_q": SIX.quality(six)} | {each: SIX.points(value) for each, value in six.items()}
    return Response(name, sample, required, required, complete(values, BUILT_IN), six, frozenset())


@dataclass(frozen=True)
class Wrote:
    """What a run has of a prompt: required and written words, and a judge's six integers or None.

    `words` None is a failed generation.
    """

    length: int
    words: int | None
    scores: tuple[int, ...] | None = (4, 4, 4, 4, 4, 4)


def write_run(folder: Path, wrote: dict[str, Wrote], **changes) -> Path:
    """A run folder with these responses."""
    info = replace(RUN_INFO, **({"prompts": {"n": len(wrote), "sha256": "4" * 64}} | changes))
    predictions = [
        replace(failed(name), length=each.length)
        if each.words is None
        else predicted(
            name,
            length=each.length,
            response_length=each.words,
            response_length_unicode=each.words,
            response=f"Rivers run on, {name}.",
        )
        for name, each in wrote.items()
    ]
    judgements = [judged(name, scores=each.scores) for name, each in wrote.items() if each.words is not None]
    judgements = judgements if info.judge else []
    summary, rows = summarise(info, predictions, judgements, owed=len(wrote), seconds=1.0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text(yaml.safe_dump(samples.MANIFEST))
    (folder / SUMMARY).write_text(summary.to_json())
    (folder / SCORES).write_text(scores_csv(rows))
    for file, records in ((PREDICTIONS, predictions), (JUDGEMENTS, judgements)):
        (folder / file).write_text("".join(json.dumps(record.to_json()) + "\n" for record in records))
    return folder


def resealed(values: dict[str, Any]) -> dict[str, Any]:
    """A baseline's values after a change, as the first of a chain with the digest that they now have."""
    digest = digest_of(values | {"first": values["digest"], "parent": None})
    return values | {"digest": digest, "first": digest, "parent": None}


def wrote_well(prompts: int = 24, *, share: float = 1.0, seed: int = 0) -> dict[str, Wrote]:
    """Responses near what was asked for, times a share, and judgements around 4."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(prompts):
        required = LENGTHS[number % len(LENGTHS)]
        words = round(required * share * float(rng.uniform(0.85, 1.1)))
        found[f"p-{number:03d}"] = Wrote(required, words, tuple(int(six) for six in rng.integers(3, 6, 6)))
    return found
