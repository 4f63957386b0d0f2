"""What models of a world wrote, as records of runs: scored by what `lbw-eval score` calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from samples import RUN_INFO, failed, judged, predicted

from benchmarks.validity.worlds import UNICODE, Written
from longbench_write.compare.loading import responses_of
from longbench_write.compare.scores import RunScores
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.records import Judgement, Key, Prediction
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.flags import ResponseFlags
from longbench_write.scoring.rows import Row, score_rows
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.summary import CONVENTION, RunInfo, Summary
from longbench_write.suites.cards import SuiteCard, load_card
from longbench_write.suites.suite import LENGTH_RANGES, Prompt, Suite, length_range, load_suite, select

SUITE = "lbw-open"
RULER = "longwrite-ruler"
_TEXT = "Rivers run on."
_NO_FLAG = ResponseFlags(frozenset(), Repetition(0.0, None, None))
"""Texts are not what is measured here."""


@dataclass(frozen=True)
class Lost:
    """What failed for good, by prompt and sample.

    Attributes:
        responses: Those that there are none of.
        judgements: Responses that have none.
    """

    responses: frozenset[Key] = frozenset()
    judgements: frozenset[Key] = frozenset()


NOTHING = Lost()


@cache
def suite() -> Suite:
    """The suite whose prompts are drawn."""
    return load_suite(SUITE)


@cache
def shares(number: int) -> dict[str, int]:
    """Return how many prompts `--limit` chooses of each length range."""
    chosen = [length_range(prompt.length or 1) for prompt in select(suite(), limit=number)]
    return {label: chosen.count(label) for label in LENGTH_RANGES if label in chosen}


def drawn_prompts(rng: np.random.Generator, number: int) -> list[Prompt]:
    """Draw prompts like the suite's, with replacement, as many of each length range as `--limit` chooses."""
    found: list[Prompt] = []
    for label, count in shares(number).items():
        of_range = [prompt for prompt in suite().prompts if length_range(prompt.length or 1) == label]
        found += [of_range[place] for place in rng.integers(len(of_range), size=count)]
    return [replace(prompt, id=f"p-{place}") for place, prompt in enumerate(found, start=1)]


@cache
def ruler_prompts() -> tuple[Prompt, ...]:
    """The form of the ruler's prompts: four topics, two languages, six lengths; texts are not needed."""
    forms = [
        (topic, language, length)
        for topic in ("topic a", "topic b", "topic c", "topic d")
        for language in ("en", "zh")
        for length in (1000, 2000, 5000, 10000, 20000, 30000)
    ]
    return tuple(
        Prompt(f"p-{place}", "", topic, length, language, length_rule="about")
        for place, (topic, language, length) in enumerate(forms, start=1)
    )


@cache
def _card(name: str) -> SuiteCard:
    return load_card(name)


def run_info(name: str, prompts: int, samples: int, *, model: str = "m", is_judged: bool = True) -> RunInfo:
    """Return what a run on one of the suites is about."""
    card = _card(name)
    info = replace(
        RUN_INFO,
        model=model,
        suite=name,
        suite_version=card.version,
        suite_sha256=card.sha256,
        prompts={"n": prompts, "sha256": "4" * 64},
        samples=samples,
    )
    return info if is_judged else replace(info, judge=None, judge_sha256=None)


def scored(
    info: RunInfo,
    prompts: Sequence[Prompt],
    written: Written,
    model: int = 0,
    *,
    lost: Lost = NOTHING,
    metrics: Sequence[Metric] = BUILT_IN,
) -> tuple[Summary, list[Row]]:
    """Return the summary of a model's run, and its rows.

    Args:
        info: What the run is about.
        prompts: What was asked.
        written: What came.
        model: Whose part of it.
        lost: What failed of it.
        metrics: What is measured.
    """
    predictions, judgements = _records(info, prompts, written, model, lost)
    return summarise(
        info,
        predictions,
        judgements,
        owed=len(predictions),
        seconds=1.0,
        response_flags=_unflagged(predictions),
        metrics=metrics,
    )


def rows_of(
    info: RunInfo, prompts: Sequence[Prompt], written: Written, model: int = 0, *, lost: Lost = NOTHING
) -> list[Row]:
    """Return the rows alone, without intervals of their means, of the same."""
    predictions, judgements = _records(info, prompts, written, model, lost)
    return score_rows(predictions, judgements, response_flags=_unflagged(predictions))


def scores_of(info: RunInfo, rows: Sequence[Row]) -> RunScores:
    """Return rows as `lbw-eval check` has them once it has read a run, less the counts, which are shown."""
    return RunScores(Path(info.model), info, CONVENTION, None, responses_of(list(rows)))


def _records(
    info: RunInfo, prompts: Sequence[Prompt], written: Written, model: int, lost: Lost
) -> tuple[list[Prediction], list[Judgement]]:
    predictions = list(_predictions(prompts, written.words[model], lost.responses))
    if info.judge is None:
        return predictions, []
    return predictions, list(_judgements(predictions, written.scores[model], lost.judgements))


def _unflagged(predictions: Sequence[Prediction]) -> dict[Key, ResponseFlags]:
    return {record.key: _NO_FLAG for record in predictions}


def _predictions(
    prompts: Sequence[Prompt], words: np.ndarray, failures: Collection[Key]
) -> Iterator[Prediction]:
    for prompt, counts in zip(prompts, words.tolist(), strict=True):
        for sample, count in enumerate(counts):
            lost = (prompt.id, sample) in failures
            record = failed(prompt.id, sample) if lost else predicted(prompt.id, sample, response=_TEXT)
            yield replace(
                record,
                type=prompt.type,
                language=prompt.language,
                length=prompt.length,
                length_rule=prompt.length_rule,
                length_bounds=list(prompt.length_bounds) if prompt.length_bounds else None,
                response_length=None if lost else count,
                response_length_unicode=None if lost else round(count * UNICODE),
            )


def _judgements(
    predictions: Sequence[Prediction], scores: np.ndarray, unjudged: Collection[Key]
) -> Iterator[Judgement]:
    for record, six in zip(predictions, scores.reshape(-1, scores.shape[-1]).tolist(), strict=True):
        if record.error is None:
            yield judged(record.id, record.sample, None if record.key in unjudged else six)
