"""Records to rows: one response each, with the value of every metric and the flags."""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from longbench_write.metrics.base import Metric, Rubric, measure
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.metrics.quality import S_Q, SIX
from longbench_write.records import Judgement, Key, Prediction
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.flags import TRUNCATED, ResponseFlags, flags_of


@dataclass(frozen=True)
class Row:
    """One response, scored.

    Attributes:
        length: Required words; None where the prompt asks for no length.
        response_length: Written words, by the official count.
        response_length_unicode: Written words, by the Unicode-aware count.
        values: What each metric gave for it, by the metric's name and in its unit; one without a value is
            absent.
        scores: Per criterion the judge's valid repeats combined, on the rubric's scale; None if unjudged.
        failed: Whether the judge was asked and gave no valid reply.
        flags: Those of `flags.FLAGS` that hold.
        repetition: How much it repeats itself.
        reasoning_words: Words of reasoning, which are no part of the response.
        length_rule: How the prompt words its required length; None where the suite does not say.
        cut_by: Who cut it off: "limit", "server", or "unknown" where the server counted no tokens; None where
            it ended by itself.
        suspect: The reasons for which it was probably spoilt on its way (see `serving.suspects`).
    """

    id: str
    sample: int
    type: str
    language: str
    length: int | None
    response_length: int
    response_length_unicode: int
    values: Mapping[str, float]
    scores: Mapping[str, float] | None
    failed: bool
    flags: frozenset[str]
    repetition: Repetition
    reasoning_words: int
    length_rule: str | None = None
    cut_by: str | None = None
    suspect: tuple[str, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether it has a judge's score."""
        return S_Q.name in self.values


@dataclass(frozen=True, slots=True)
class Measured:
    """A response as metrics read it; see `metrics.base.Measurable` for its fields."""

    id: str
    response: str | None
    language: str
    length: int | None
    length_rule: str | None
    length_bounds: Sequence[int] | None
    response_length: int
    response_length_unicode: int
    rubric: Rubric
    scores: Mapping[str, float] | None


class _Judged(NamedTuple):
    """A judgement as it counts: its number, its rubric, and its scores or None."""

    repeat: int
    rubric: Rubric
    scores: Mapping[str, float] | None


def score_rows(
    predictions: Iterable[Prediction],
    judgements: Iterable[Judgement],
    *,
    combine: str = "mean",
    response_flags: Mapping[Key, ResponseFlags] = MappingProxyType({}),
    metrics: Sequence[Metric] = BUILT_IN,
    cut_by: Callable[[], Mapping[Key, str]] = dict,
    suspects: Callable[[], Mapping[Key, tuple[str, ...]]] = dict,
) -> list[Row]:
    """Score every response that there is, a row each in the predictions' order; failed ones have none.

    Args:
        predictions: A run's.
        judgements: One judge's, of that run.
        combine: How a response's valid judgements become one score per criterion: "mean" or "median".
        response_flags: What responses show, of those of which it is known already.
        metrics: What is measured.
        cut_by: Called once all predictions have been read; who cut each response that did not end by itself.
        suspects: Called likewise; the reasons of each response that is suspect.

    Raises:
        LbwError: A metric failed on a response; both are named.
    """
    by_key: dict[Key, list[_Judged]] = defaultdict(list)
    for judgement in judgements:
        by_key[judgement.key].append(_Judged(judgement.repeat, judgement.judged_by, judgement.values))
    rows = [
        _row(
            prediction,
            response_flags.get(prediction.key) or flags_of(prediction),
            sorted(by_key.pop(prediction.key, []), key=attrgetter("repeat")),
            _COMBINED[combine],
            metrics,
        )
        for prediction in predictions
        if prediction.response is not None
    ]
    if cuts := cut_by():
        rows = [_cut(row, cuts.get((row.id, row.sample))) for row in rows]
    if found := suspects():
        rows = [
            replace(row, suspect=found[row.id, row.sample]) if (row.id, row.sample) in found else row
            for row in rows
        ]
    return rows


def _cut(row: Row, by: str | None) -> Row:
    """Return the row of a response that was cut off; the same object where nobody did so."""
    return row if by is None else replace(row, cut_by=by, flags=row.flags | {TRUNCATED})


_COMBINED: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda scores: sum(scores) / len(scores),
    "median": lambda scores: float(statistics.median(scores)),
}


def _row(
    prediction: Prediction,
    response_flags: ResponseFlags,
    judged: Sequence[_Judged],
    combined: Callable[[Sequence[float]], float],
    metrics: Sequence[Metric],
) -> Row:
    valid = [each.scores for each in judged if each.scores is not None]
    rubric = judged[0].rubric if judged else SIX
    scores = {name: combined([each[name] for each in valid]) for name in rubric.criteria} if valid else None
    measured = Measured(
        id=prediction.id,
        response=prediction.response,
        language=prediction.language,
        length=prediction.length,
        length_rule=prediction.length_rule,
        length_bounds=prediction.length_bounds,
        response_length=prediction.response_length or 0,
        response_length_unicode=prediction.response_length_unicode or 0,
        rubric=rubric,
        scores=scores,
    )
    return Row(
        id=prediction.id,
        sample=prediction.sample,
        type=sys.intern(prediction.type),
        language=sys.intern(prediction.language),
        length=prediction.length,
        response_length=measured.response_length,
        response_length_unicode=measured.response_length_unicode,
        values=measure(measured, metrics),
        scores=scores,
        failed=bool(judged) and not valid,
        flags=response_flags.flags,
        repetition=response_flags.repetition,
        reasoning_words=prediction.reasoning_words,
        length_rule=prediction.length_rule,
    )
