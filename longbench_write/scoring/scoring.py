"""Records to scores: one row a response, then the means, intervals and counts of a `Summary`."""

from __future__ import annotations

import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from longbench_write.backends.prices import costs
from longbench_write.metrics.length import length_score, rule_length_score
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Judgement, Key, Prediction
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.signs import FLAGS, Signs, signs_of
from longbench_write.scoring.summary import Heading, Summary
from longbench_write.stats import bootstrap_means, interval
from longbench_write.suites.suite import LENGTH_RANGES, length_range

_OVERALL = ("S_bar", "S_l", "S_q", "S_q_bounds", "ci", "S_l_unicode", "S_l_rule", "dimensions")


@dataclass(frozen=True)
class Row:
    """One response, scored.

    Attributes:
        S_l: Length score, 0 to 100.
        response_length_unicode: Its length by the Unicode-aware count.
        S_l_unicode: The length score that this count would give.
        dimensions: Per dimension the judge's valid repeats combined, 1 to 5; None if unjudged.
        failed: Whether the judge was asked and gave no valid reply.
        flags: Those of `signs.FLAGS` that hold.
        repetition: How much it repeats itself.
        reasoning_words: Words of reasoning, which are no part of the response.
        length_rule: How the prompt words its required length; None where the suite does not say.
        S_l_rule: The rule-aware length score, 0 to 100; None without a rule.
    """

    id: str
    sample: int
    type: str
    language: str
    length: int
    response_length: int
    response_length_unicode: int
    S_l: float
    S_l_unicode: float
    dimensions: dict[str, float] | None
    failed: bool
    flags: frozenset[str]
    repetition: Repetition
    reasoning_words: int
    length_rule: str | None = None
    S_l_rule: float | None = None

    @cached_property
    def S_q(self) -> float | None:  # noqa: N802
        """Quality score, 0 to 100; None if unjudged."""
        if self.dimensions is None:
            return None
        return sum(_rescaled(self.dimensions[name]) for name in DIMENSIONS) / len(DIMENSIONS)


def _rescaled(mean: float) -> float:
    """A mean of 1 to 5 on the scale of 0 to 100."""
    return (mean - 1) * 25


def score_rows(
    predictions: Iterable[Prediction],
    judgements: Iterable[Judgement],
    *,
    combine: str = "mean",
    signs: Mapping[Key, Signs] = MappingProxyType({}),
) -> list[Row]:
    """Score every response that there is; failed generations have no row.

    Args:
        predictions: A run's.
        judgements: One judge's, of that run.
        combine: How a response's valid judgements become one score per dimension: "mean" or "median".
        signs: What responses show, of those of which it is known already.
    """
    by_key: dict[Key, list[dict[str, float] | None]] = defaultdict(list)
    for judgement in judgements:
        by_key[judgement.key].append(judgement.values)
    return [
        _row(
            prediction,
            signs.get(prediction.key) or signs_of(prediction),
            by_key.pop(prediction.key, []),
            _COMBINED[combine],
        )
        for prediction in predictions
        if prediction.response is not None
    ]


_COMBINED: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda scores: sum(scores) / len(scores),
    "median": lambda scores: float(statistics.median(scores)),
}


def _row(
    prediction: Prediction,
    signs: Signs,
    judged: Sequence[Mapping[str, float] | None],
    combined: Callable[[Sequence[float]], float],
) -> Row:
    valid = [scores for scores in judged if scores is not None]
    return Row(
        id=prediction.id,
        sample=prediction.sample,
        type=sys.intern(prediction.type),
        language=sys.intern(prediction.language),
        length=prediction.length,
        response_length=prediction.response_length or 0,
        response_length_unicode=prediction.response_length_unicode or 0,
        S_l=length_score(prediction.length, prediction.response_length or 0),
        S_l_unicode=length_score(prediction.length, prediction.response_length_unicode or 0),
        dimensions={name: combined([s[name] for s in valid]) for name in DIMENSIONS} if valid else None,
        failed=bool(judged) and not valid,
        flags=signs.flags,
        repetition=signs.repetition,
        reasoning_words=prediction.reasoning_words,
        length_rule=prediction.length_rule,
        S_l_rule=_rule_score(prediction),
    )


def _rule_score(prediction: Prediction) -> float | None:
    if prediction.length_rule is None:
        return None
    return rule_length_score(
        prediction.length_rule, prediction.length, prediction.response_length or 0, prediction.length_bounds
    )


def summarise(
    heading: Heading,
    predictions: Iterable[Prediction],
    judgements: Iterable[Judgement],
    *,
    owed: int,
    seconds: float | None,
    combine: str = "mean",
    price: Mapping[str, float] | None = None,
    signs: Mapping[Key, Signs] = MappingProxyType({}),
) -> tuple[Summary, list[Row]]:
    """Score a run's records.

    Args:
        heading: What the run is about; without a judge, S_q is left out.
        predictions: All of the run's, failures included; read once.
        judgements: Those of the judge to be summarised; read once.
        owed: Responses that the run set out to get.
        seconds: Wall-clock time that the run has taken.
        combine: How a response's judgements become one score per dimension, as in `score_rows`.
        price: Of tokens, as --price gives it.
        signs: What responses show, as in `score_rows`.

    Returns:
        The summary, and its rows in the order of the predictions.
    """
    tally = _Tally(owed)
    rows = score_rows(map(tally.see, predictions), map(tally.hear, judgements), combine=combine, signs=signs)
    judged = heading.judge is not None
    overall = _group(rows, judged=judged)
    by_length = _groups(rows, lambda row: length_range(row.length), judged=judged)
    by_length = {label: by_length[label] for label in LENGTH_RANGES if label in by_length}
    usage = {"model": tally.usage, "judge": tally.judge_usage}
    summary = Summary(
        **vars(heading),
        **{name: overall[name] for name in _OVERALL},
        counts=tally.counts(rows),
        failures=dict(sorted(tally.failures.items())),
        judge_failures=dict(sorted(tally.judge_failures.items())),
        by_length=[{"range": label} | group for label, group in by_length.items()],
        by_language=_groups(rows, lambda row: row.language, judged=judged),
        by_type=_groups(rows, lambda row: row.type, judged=judged),
        range_mean=_range_mean(by_length),
        usage=usage,
        cost=costs(price or {}, usage),
        seconds=seconds,
    )
    return summary, rows


class _Tally:
    """What is counted while the records pass by once."""

    def __init__(self, owed: int) -> None:
        self.owed = owed
        self.failures: Counter[str] = Counter()
        self.judge_failures: Counter[str] = Counter()
        self.usage: dict[str, int] = {}
        self.judge_usage: dict[str, int] = {}
        self._extra: Counter[str] = Counter()
        self._in_chapters: set[Key] = set()

    def see(self, record: Prediction) -> Prediction:
        if record.error is not None:
            self.failures[record.error.type] += 1
        self._extra["retries"] += record.attempts - 1
        self._extra["reasoning_words"] += record.reasoning_words
        self.usage = _summed_usage((self.usage, record.usage))
        return record

    def hear(self, record: Judgement) -> Judgement:
        if record.error is not None:
            self.judge_failures[record.error.type] += 1
        if record.chapters:
            self._in_chapters.add(record.key)
        self._extra["judge_tries"] += record.tries
        self._extra["judge_retries"] += record.retries
        self.judge_usage = _summed_usage((self.judge_usage, record.usage))
        return record

    def counts(self, rows: Sequence[Row]) -> dict[str, int]:
        failed = self.failures.total()
        scored = sum(row.dimensions is not None for row in rows)
        judge_failed = sum(row.failed for row in rows)
        return {
            "owed": self.owed,
            "generated": len(rows),
            "generation_failed": failed,
            "not_generated": self.owed - len(rows) - failed,
            "judged": scored,
            "judge_failed": judge_failed,
            "not_judged": len(rows) - scored - judge_failed,
            **{flag: sum(flag in row.flags for row in rows) for flag in FLAGS},
            "retries": self._extra["retries"],
            "judge_tries": self._extra["judge_tries"],
            "judge_retries": self._extra["judge_retries"],
            "judged_in_chapters": len(self._in_chapters),
            "reasoning_words": self._extra["reasoning_words"],
        }


def _groups(rows: Sequence[Row], key: Callable[[Row], str], *, judged: bool) -> dict[str, dict[str, Any]]:
    return {label: _group(group, judged=judged) for label, group in sorted(_partition(rows, key))}


def _partition(rows: Iterable[Row], key: Callable[[Row], str]) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.items())


def _per_prompt(rows: Sequence[Row], value: Callable[[Row], float | None]) -> dict[str, float]:
    """The mean of each prompt's samples, in order of first appearance; prompts without a value left out."""
    samples: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if (number := value(row)) is not None:
            samples[row.id].append(number)
    return {
        prompt: float(np.mean(numbers) if len(numbers) > 1 else numbers[0])
        for prompt, numbers in samples.items()
    }


def _mean(rows: Sequence[Row], value: Callable[[Row], float | None]) -> float | None:
    """The mean over prompts of the mean over samples; None without any."""
    means = _per_prompt(rows, value)
    return float(np.mean(list(means.values()))) if means else None


def _group(rows: Sequence[Row], *, judged: bool) -> dict[str, Any]:
    """The figures of a set of responses: the keys of a row of `by_length`."""
    dimensions = {name: _dimension(rows, name) for name in DIMENSIONS}
    known = [value for value in dimensions.values() if value is not None]
    quality = sum(known) / len(known) if known else None
    length = _mean(rows, lambda row: row.S_l)
    return {
        "n": len(rows),
        "judged": sum(row.dimensions is not None for row in rows),
        "S_bar": None if length is None or quality is None else (length + quality) / 2,
        "S_l": length,
        "S_q": quality,
        "S_q_bounds": _bounds(rows) if judged else None,
        "ci": _intervals(rows),
        "dimensions": dimensions,
        "S_l_unicode": _mean(rows, lambda row: row.S_l_unicode),
        "S_l_rule": None if any(r.S_l_rule is None for r in rows) else _mean(rows, lambda row: row.S_l_rule),
        **{flag: sum(flag in row.flags for row in rows) for flag in FLAGS},
    }


def _dimension(rows: Sequence[Row], name: str) -> float | None:
    mean = _mean(rows, lambda row: row.dimensions[name] if row.dimensions else None)
    return None if mean is None else _rescaled(mean)


def _bounds(rows: Sequence[Row]) -> list[float | None]:
    """Where S_q lies if each response without a valid judgement were worth 0, or 100."""
    low = _mean(rows, lambda row: 0.0 if row.S_q is None else row.S_q)
    high = _mean(rows, lambda row: 100.0 if row.S_q is None else row.S_q)
    return [low, high]


def _intervals(rows: Sequence[Row]) -> dict[str, list[float] | None]:
    """95% bootstrap intervals over prompts; None where there are fewer than two prompts."""
    lengths, qualities = _per_prompt(rows, lambda row: row.S_l), _per_prompt(rows, lambda row: row.S_q)
    if len(lengths) < 2:
        return dict.fromkeys(("S_bar", "S_l", "S_q"))
    columns = np.array([(length, qualities.get(prompt, np.nan)) for prompt, length in lengths.items()])
    length, quality = bootstrap_means(columns).T
    means = {"S_bar": (length + quality) / 2, "S_l": length, "S_q": quality}
    enough = len(qualities) >= 2
    return {
        name: list(found) if (found := interval(values)) and (enough or name == "S_l") else None
        for name, values in means.items()
    }


def _range_mean(rows: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """The unweighted mean of the four length ranges; None where one of them has no value."""
    result: dict[str, float | None] = {}
    for name in ("S_bar", "S_l", "S_q"):
        values = [rows[label][name] if label in rows else None for label in LENGTH_RANGES[:4]]
        known = [value for value in values if value is not None]
        result[name] = sum(known) / 4 if len(known) == 4 else None
    return result


def _summed_usage(parts: Iterable[dict[str, Any] | None]) -> dict[str, int]:
    """Tokens by kind; a kind that no server reported is absent."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update({kind: number for kind, number in (part or {}).items() if number is not None})
    return dict(sorted(total.items()))
