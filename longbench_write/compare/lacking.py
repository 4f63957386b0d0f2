"""What a run lacks beside another: what was not asked, what has no response, and the worst of that."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import Difference, difference, shifted
from longbench_write.compare.scores import Response, RunScores
from longbench_write.metrics.base import Metric, complete
from longbench_write.metrics.catalogue import BUILT_IN, merged
from longbench_write.stats import sign_test_p


def _counted(name: str, what: str) -> MetricInRange:
    """Return a metric of prompts that lack something: a failure is no score."""
    symbol = name.replace("_", " ")
    return MetricInRange(Metric(name, symbol, title=what, unit="percent", higher_is_better=False))


NEWLY_FAILED = _counted("newly_failed", "responses")
"""Prompts that lack responses; its title says what they lack."""
NEWLY_UNJUDGED = _counted("newly_unjudged", "judgements")
"""Likewise those of which responses lack judgements."""


def asked_of(scores: RunScores, other: RunScores) -> dict[str, int]:
    """Return how many responses to each prompt a run was asked for.

    A file says how many prompts that were, and has those with a response: as many others are then counted as
    asked, of those that the other run has. A bare scores.csv does not say that either: all of them are.

    Args:
        scores: The run's.
        other: The other run of the comparison.
    """
    if scores.asked is not None:
        return dict(scores.asked)
    prompts = scores.recorded
    others = sorted((other.asked or other.lengths).keys() - prompts)
    if scores.info is None:
        most = 1 + max((sample for _, sample in scores.responses), default=0)
        return dict.fromkeys([*prompts, *others], most)
    if not (other.info and _named(scores) == _named(other)):
        others = others[: max(0, scores.info.prompts["n"] - len(prompts))]
    return {prompt: scores.info.samples_of(prompt) for prompt in (*prompts, *others)}


def _named(scores: RunScores) -> tuple[int, str] | None:
    """Return how many prompts a run is about, and the hash that says which."""
    prompts = scores.info.prompts if scores.info else None
    return None if prompts is None else (prompts["n"], prompts["sha256"])


def missing(a: RunScores, b: RunScores, metric: MetricInRange) -> tuple[int, int]:
    """Count the responses that B lacks in a metric, of those that it should have for A to be compared with.

    Args:
        a: The reference.
        b: The new run.
        metric: What is compared.

    Returns:
        The lacking, and all that it should have: B's samples of each prompt that has a value in A and was
        asked in B.
    """
    if a.summary or b.summary:
        return missing_of_all(b, needs_judge=metric.metric.needs_judge)
    asked = asked_of(b, a)
    prompts = metric.per_prompt(a).keys() & asked.keys()
    total = sum(asked[prompt] for prompt in prompts)
    there = sum(
        response.id in prompts and metric.value(response) is not None for response in b.responses.values()
    )
    return total - there, total


def missing_of_all(scores: RunScores, *, needs_judge: bool) -> tuple[int, int]:
    """Count the responses that a run lacks, or that lack a judgement, of all that were asked for.

    Args:
        scores: The run's; of a bare scores.csv, which does not say what was asked for, none is lacking.
        needs_judge: Whether those without a judgement are lacking too.
    """
    if scores.counts is None:
        return 0, len(scores.responses)
    owed = scores.counts["owed"]
    return owed - scores.counts["judged" if needs_judge else "generated"], owed


def differing_prompts(a: RunScores, b: RunScores, common: int) -> list[str]:
    """Return what must be said where two runs don't have scores for the same prompts, and what helps.

    Args:
        a: The reference.
        b: The new run.
        common: How many prompts have scores in both.
    """
    parts = []
    for name, scores, other_name, other in (("A", a, "B", b), ("B", b, "A", a)):
        if not (alone := scores.lengths.keys() - other.lengths.keys()):
            continue
        asked = asked_of(other, scores).keys()
        if failed := len(alone & asked):
            parts.append(f"{failed} failed in {other_name} or are owed there")
        if unasked := len(alone - asked):
            parts.append(f"{unasked} of {name} were not asked in {other_name}{_advice(other_name)}")
    if not parts:
        return []
    return [f"compared on the {common} prompts that both have scores for: {'; '.join(parts)}"]


def _advice(name: str) -> str:
    if name == "B":
        return " (its command without --limit, or with a larger one, asks for them, and keeps what it has)"
    return " (a baseline made from a run of them compares them too)"


@dataclass(frozen=True)
class _SignTest:
    """How many prompts changed for the worse, and how many for the better."""

    losses: int
    wins: int

    def interval(self, level: float) -> None:
        """Return None: there is a test alone."""

    def guarded(self, level: float) -> None:
        return None

    def half(self, level: float) -> None:
        """Return None likewise."""

    def p(self) -> float:
        return sign_test_p(self.losses, self.wins)


def newly_failed(a: RunScores, b: RunScores) -> Difference | None:
    """Return the difference in prompts that lack a response, in percent of those that both runs were asked.

    A prompt has become worse where a smaller share of its samples is there; the p-value is that of the exact
    one-sided sign test over prompts.

    Args:
        a: The reference.
        b: The new run.

    Returns:
        None where a run is known by its summary alone, or no prompt was asked in both.
    """
    if a.summary or b.summary:
        return None
    before, after = (_lost(scores, asked_of(scores, other)) for scores, other in ((a, b), (b, a)))
    return _by_count(NEWLY_FAILED, before, after, before.keys() & after.keys())


def newly_unjudged(a: RunScores, b: RunScores, gated: Sequence[MetricInRange]) -> Difference | None:
    """Do as `newly_failed` does, of responses that are there and lack a judgement.

    Args:
        a: The reference.
        b: The new run.
        gated: Those of them that need a judge say whether a response is judged.

    Returns:
        None likewise, and where nothing gated needs a judge or nobody judged the new run.
    """
    judged = [metric for metric in gated if metric.metric.needs_judge]
    if a.summary or b.summary or not judged or not b.is_judged:
        return None
    before, after = (_unjudged(scores, judged) for scores in (a, b))
    common = {prompt for prompt in before.keys() & after.keys() if min(before[prompt], after[prompt]) < 1}
    return _by_count(NEWLY_UNJUDGED, before, after, common)


def _lost(scores: RunScores, asked: Mapping[str, int]) -> dict[str, float]:
    """Return which share of a prompt's responses is not there, by prompt id."""
    there = Counter(prompt for prompt, _ in scores.responses)
    return {prompt: max(0.0, 1 - there[prompt] / samples) for prompt, samples in asked.items()}


def _unjudged(scores: RunScores, metrics: Sequence[MetricInRange]) -> dict[str, float]:
    """Return which share of a prompt's responses has none of these metrics, by prompt id."""
    without: dict[str, list[bool]] = {}
    for response in scores.responses.values():
        lacks = all(metric.value(response) is None for metric in metrics)
        without.setdefault(response.id, []).append(lacks)
    return {prompt: sum(each) / len(each) for prompt, each in without.items()}


def _by_count(
    metric: MetricInRange, before: Mapping[str, float], after: Mapping[str, float], common: Collection[str]
) -> Difference | None:
    """Return the difference between shares of these prompts, with a sign test; None without any prompt."""
    if not common:
        return None
    losses = sum(after[prompt] > before[prompt] for prompt in common)
    wins = sum(after[prompt] < before[prompt] for prompt in common)
    old, new = (
        100 * math.fsum(shares[prompt] for prompt in common) / len(common) for shares in (before, after)
    )
    return Difference(
        metric,
        n=len(common),
        a=old,
        b=new,
        value=new - old,
        wins=wins,
        ties=len(common) - wins - losses,
        losses=losses,
        evidence=_SignTest(losses, wins),
    )


def at_worst(a: RunScores, b: RunScores) -> RunScores:
    """Return B as if all that it lacks beside A were worth the worse end of each metric's range.

    What was not asked is not lacking. A judgement that is missing leaves what does not rest on it as it is.

    Args:
        a: The reference, whose values say which metrics a prompt has; no bare summary.
        b: The new run, likewise.
    """
    metrics = merged(BUILT_IN, a.metrics, b.metrics)
    responses = dict(b.responses)
    for prompt, samples in asked_of(b, a).items():
        known = {name for name, means in a.prompt_means.items() if prompt in means}
        for sample in range(samples if known else 0):
            there = responses.get((prompt, sample))
            values = {**_worst(metrics, known), **(there.values if there else {})}
            if there is None:
                there = Response(prompt, sample, a.lengths[prompt], 0, {}, None, frozenset())
            responses[prompt, sample] = replace(there, values=complete(values, metrics))
    return replace(b, responses=responses)


def _worst(metrics: Sequence[Metric], known: set[str]) -> dict[str, float]:
    """Return the worse end of each metric that is known and stands on its own."""
    return {
        metric.name: metric.range[0 if metric.higher_is_better else 1]
        for metric in metrics
        if metric.name in known and metric.range and not metric.parts
    }


def difference_at_worst(
    a: RunScores, b: RunScores, worst: RunScores, change: Difference, *, seed: int = 0
) -> Difference:
    """Return the difference in a metric if all that B lacks were at its worst.

    Args:
        a: The reference.
        b: The new run.
        worst: B as `at_worst` returned it.
        change: The difference as it stands.
        seed: Of the resampling.
    """
    metric = change.metric
    if not (a.summary or b.summary):
        return difference(a, worst, metric, seed=seed)
    short, owed = missing(a, b, metric)
    ends = metric.metric.range
    if change.value is None or change.b is None or ends is None or not short:
        return change
    return shifted(change, short / owed * (ends[0 if metric.metric.higher_is_better else 1] - change.b))
