"""Records to scores: one row a response, then the means, intervals and counts of a `Summary`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from longbench_write.backends.prices import costs
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.metrics.length import S_L
from longbench_write.records import Judgement, Key, Prediction, Usage
from longbench_write.scoring.flags import FLAGS, TRUNCATED, ResponseFlags
from longbench_write.scoring.groups import Lost, figures, grouped, length_range_of
from longbench_write.scoring.intervals import CI_METHOD, CLUSTERED_METHOD
from longbench_write.scoring.range_means import range_mean, weighted_mean
from longbench_write.scoring.rows import Row, score_rows
from longbench_write.scoring.summary import GROUP_FIGURES, RunInfo, Summary
from longbench_write.serving.suspects import REASONS
from longbench_write.suites.cards import card_of_file
from longbench_write.suites.suite import LENGTH_RANGES


def summarise(
    info: RunInfo,
    predictions: Iterable[Prediction],
    judgements: Iterable[Judgement],
    *,
    owed: int,
    seconds: float | None,
    repeats: int = 1,
    combine: str = "mean",
    ranges: Sequence[int] | None = None,
    price: Mapping[str, float] | None = None,
    response_flags: Mapping[Key, ResponseFlags] = MappingProxyType({}),
    metrics: Sequence[Metric] = BUILT_IN,
    further: Iterable[tuple[str, Usage]] = (),
    cut_by: Callable[[], Mapping[Key, str]] = dict,
    suspects: Callable[[], Mapping[Key, tuple[str, ...]]] = dict,
) -> tuple[Summary, list[Row]]:
    """Score a run's records.

    Args:
        info: What the run is about; without a judge, S_q is left out.
        predictions: All of the run's, failures included; read once.
        judgements: Those of the judge to be summarised; read once.
        owed: Responses that the run set out to get.
        seconds: Wall-clock time that the run has taken.
        repeats: Judgements of each response that were asked for; 0 where nobody judges.
        combine: How a response's judgements become one score per criterion, as in `score_rows`.
        ranges: How many prompts the suite has in each of `LENGTH_RANGES`; None leaves that to its card.
        price: Of tokens, as --price gives it.
        response_flags: What responses show, as in `score_rows`.
        metrics: What is measured, as in `score_rows`.
        further: Tokens of steps and of what was discarded, each with its role: "model", "planner" or "judge".
        cut_by: Who cut responses off, as in `score_rows`.
        suspects: Which are suspect, as in `score_rows`.

    Returns:
        The summary, and its rows in the order of the predictions.

    Raises:
        LbwError: A metric failed on a response; both are named.
    """
    tally = _Tally(owed, repeats if info.judge is not None else 0, info.samples_of)
    counted = map(tally.count_prediction, predictions), map(tally.count_judgement, judgements)
    how: dict[str, Any] = {"combine": combine, "response_flags": response_flags, "metrics": metrics}
    rows = score_rows(*counted, **how, cut_by=cut_by, suspects=suspects)
    tally.count_usages(further)
    return Summary(
        **vars(info),
        **_figures(info, *_in_order(rows, tally.lost), metrics, ranges),
        **tally.results(rows),
        cost=costs(price or {}, tally.usage),
        seconds=seconds,
    ), rows


def _figures(
    info: RunInfo,
    rows: Sequence[Row],
    lost: Sequence[Lost],
    metrics: Sequence[Metric],
    ranges: Sequence[int] | None,
) -> dict[str, Any]:
    """Return the figures of all responses and of each group, under the summary's keys."""
    card = card_of_file(info.suite_sha256)
    cluster = attrgetter(card.cluster_by) if card and card.cluster_by else None
    ranges = card.ranges if card else ranges
    of = partial(figures, metrics=metrics, judged=info.judge is not None, cluster=cluster)
    overall, by_length = of(rows, lost), _by_length(rows, lost, of)
    mean_of_ranges, its_intervals = range_mean(rows, by_length, clustered=cluster is not None)
    overall["ci"]["range_mean"] = its_intervals
    return {
        **{name: overall[name] for name in GROUP_FIGURES},
        "ci_method": CLUSTERED_METHOD if cluster else CI_METHOD,
        "weighted": weighted_mean(rows, ranges) if ranges and not cluster else None,
        "by_length": [{"range": label} | group for label, group in by_length.items()],
        "by_language": grouped(rows, lost, lambda row: row.language, of),
        "by_type": grouped(rows, lost, lambda row: row.type, of),
        "range_mean": mean_of_ranges,
        "suspects": _suspects(rows),
    }


def _suspects(rows: Sequence[Row]) -> dict[str, Any]:
    """Return how many responses are suspect, how many for each reason, and S_l without them."""
    reasons = Counter(reason for row in rows for reason in row.suspect)
    return {
        "count": sum(bool(row.suspect) for row in rows),
        "by_reason": {reason: reasons[reason] for reason in REASONS if reasons[reason]},
        "S_l": S_L.over([row for row in rows if not row.suspect]),
    }


def _in_order(rows: Iterable[Row], lost: Iterable[Lost]) -> tuple[list[Row], list[Lost]]:
    """Return responses in the order of their suite, so that the order of records changes no sum."""
    return (
        sorted(rows, key=lambda row: (suite_order(row.id), row.sample)),
        sorted(lost, key=lambda response: suite_order(response.id)),
    )


_NUMBERS = re.compile(r"([0-9]+)")


def suite_order(prompt: str) -> tuple[list[tuple[int, str]], str]:
    """Return what sorts prompt ids into their suite's order, in which sums are taken: numbers by their size.

    Ids are numbered lines in every official suite. So sums are the reference scripts' to the last bit,
    in whatever order the records stand.
    """
    parts = _NUMBERS.split(prompt)
    numbers = [part.lstrip("0") for part in parts[1::2]]
    parts[1::2] = numbers
    return [(len(part) * (place % 2), part) for place, part in enumerate(parts)], prompt


def _by_length(
    rows: Sequence[Row],
    lost: Sequence[Lost],
    of: Callable[[Sequence[Row], Sequence[Lost]], dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return the figures of each length range that has a response, the shortest first."""
    found = grouped(rows, lost, length_range_of, of)
    return {label: found[label] for label in LENGTH_RANGES if label in found}


class _Tally:
    """What is counted while the records pass by once."""

    def __init__(self, owed: int, repeats: int, samples_of: Callable[[str], int]) -> None:
        self.owed = owed
        self._repeats = repeats
        self._samples_of = samples_of
        self._settled: Counter[str] = Counter()
        self._judged = 0
        self.failures: Counter[str] = Counter()
        self.judge_failures: Counter[str] = Counter()
        self._usage: dict[str, Counter[str]] = {"model": Counter(), "judge": Counter()}
        self._extra: Counter[str] = Counter()
        self._in_chapters: set[Key] = set()
        self._reasoned: set[Key] = set()
        self._steps: Counter[str] = Counter()
        self.lost: list[Lost] = []

    def count_prediction(self, record: Prediction) -> Prediction:
        if record.error is not None:
            self.failures[record.error.type] += 1
            self.lost.append(Lost(record.id, record.type, record.language, record.length))
        self._settled[record.id] += record.error is None or record.error.final
        self._extra["retries"] += record.retries
        self._extra["reasoning_words"] += record.reasoning_words
        self._extra["ended_at_control_token"] += record.raw is not None
        if _mostly_reasoning(record):
            self._reasoned.add(record.key)
        if record.steps and record.response_length is not None:
            words = {"required": record.length or 0, "planned": record.planned_words or 0}
            self._steps.update(number=record.steps, written=record.response_length, **words)
        if record.requests is None:  # those of a response made of steps are counted step by step
            self.count_usage("model", record.usage)
        return record

    def count_judgement(self, record: Judgement) -> Judgement:
        if record.error is not None:
            self.judge_failures[record.error.type] += 1
        if record.repeat < self._repeats:
            self._judged += record.error is None or record.error.final
        if record.chapters:
            self._in_chapters.add(record.key)
        self._extra["judge_tries"] += record.tries
        self._extra["judge_retries"] += record.retries
        self.count_usage("judge", record.usage)
        return record

    def count_usages(self, further: Iterable[tuple[str, Usage]]) -> None:
        for role, tokens in further:
            self.count_usage(role, tokens)

    def count_usage(self, role: str, tokens: Usage | None) -> None:
        """Add tokens by kind; a kind that no server reported is absent."""
        total = self._usage.setdefault(role, Counter())
        for kind, number in (tokens or {}).items():
            if number is not None:
                total[kind] += number

    def results(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return what was counted, under the summary's keys."""
        return {
            "counts": self.counts(rows),
            "failures": dict(sorted(self.failures.items())),
            "judge_failures": dict(sorted(self.judge_failures.items())),
            "usage": self.usage,
            "steps": self.steps,
        }

    @property
    def steps(self) -> dict[str, int] | None:
        """How many steps were planned, and the words that were required, planned and written in them."""
        return dict(self._steps) or None

    @property
    def usage(self) -> dict[str, dict[str, int]]:
        """Tokens by role and kind."""
        return {role: dict(sorted(total.items())) for role, total in self._usage.items()}

    def counts(self, rows: Sequence[Row]) -> dict[str, int]:
        failed = self.failures.total()
        scored = sum(row.judged for row in rows)
        judge_failed = sum(row.failed for row in rows)
        return {
            "owed": self.owed,
            "generated": len(rows),
            "generation_failed": failed,
            "not_generated": self.owed - len(rows) - failed,
            "remaining": self.owed - self._settled.total(),
            "incomplete": sum(0 < n < self._samples_of(name) for name, n in self._settled.items()),
            "judged": scored,
            "judge_failed": judge_failed,
            "not_judged": len(rows) - scored - judge_failed,
            "judgements_remaining": max(0, len(rows) * self._repeats - self._judged),
            **{flag: sum(flag in row.flags for row in rows) for flag in FLAGS},
            "retries": self._extra["retries"],
            "judge_tries": self._extra["judge_tries"],
            "judge_retries": self._extra["judge_retries"],
            "judged_in_chapters": len(self._in_chapters),
            "reasoning_words": self._extra["reasoning_words"],
            "ended_at_control_token": self._extra["ended_at_control_token"],
            "limit_spent_on_reasoning": sum(
                TRUNCATED in row.flags and (row.id, row.sample) in self._reasoned for row in rows
            ),
        }


def _mostly_reasoning(record: Prediction) -> bool:
    """Return whether over half of a response went into reasoning: of its tokens, or else of its words."""
    usage = record.usage or {}
    spent, reasoned = usage.get("completion_tokens"), usage.get("reasoning_tokens")
    if spent and reasoned is not None:
        return 2 * reasoned > spent
    return record.reasoning_words > (record.response_length or 0)
