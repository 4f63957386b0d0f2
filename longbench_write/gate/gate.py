"""The gate: which metrics have regressed, which floors are broken, and what cannot be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from longbench_write.compare.comparable import terms
from longbench_write.compare.freshness import Freshness
from longbench_write.compare.lacking import missing, missing_of_all, newly_failed, newly_unjudged
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import LEVEL, Difference, Interval, difference, differences
from longbench_write.compare.power import detectable_change
from longbench_write.compare.rule import ALPHA, Rule
from longbench_write.compare.scores import RunScores
from longbench_write.compare.serving import Without, without_spoilt
from longbench_write.gate.asked import Asked
from longbench_write.gate.floor import FloorCheck
from longbench_write.gate.history import Followed
from longbench_write.gate.margin import margin_doubt
from longbench_write.gate.remaining import Remaining
from longbench_write.gate.sentences import AGAIN, NAMES, drop_words, passed_words
from longbench_write.gate.worst import FAILED_ALPHA, AtWorst, failed_words, worst_words
from longbench_write.stats import holm


class Outcome(StrEnum):
    """What the gate says of a metric."""

    PASSED = "passed"
    REGRESSED = "regressed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the gate says of one metric, and why.

    Attributes:
        mean: B's mean over all that it has, which the floor is held against.
        missing: Responses that B lacks, of how many.
        message: One sentence.
        level: Of the interval that it was held to, by Holm's correction; None for a floor alone.
        interval: That interval.
        allowed: The drop from which on it may be a regression, in the metric's unit; None of a metric without
            a finite range.
        floor: The end of what is allowed, in the same unit; None where there is none.
        below_floor: How often another run would be beyond the floor were the two of one model, 0 to 1 (see
            `chance_beyond`); None where there is no floor or that is not known.
        mean_interval: The 95% interval of `mean` where the floor is a confident one; None where it is not, or
            there is no interval.
        margin: Of non-inferiority, in the same unit; None where that is not asked for.
        bound: The one-sided 95% bound of the difference, on the side where B is worse; None likewise.
        detectable: The minimum detectable drop, found with a chance of 80%; None if the variance is 0.
        fell_in: The length ranges in which it fell, the furthest first.
        without: What is left of the difference without what servers may have spoilt, by what was left out.
    """

    metric: MetricInRange
    outcome: Outcome
    difference: Difference
    mean: float | None
    missing: tuple[int, int]
    message: str
    level: float | None = None
    interval: Interval | None = None
    allowed: float | None = None
    floor: float | None = None
    below_floor: float | None = None
    mean_interval: Interval | None = None
    margin: float | None = None
    bound: float | None = None
    detectable: float | None = None
    fell_in: tuple[Difference, ...] = ()
    without: dict[str, Difference] = field(default_factory=dict)

    @property
    def is_gated(self) -> bool:
        """Whether it is about a gated metric, and not about a floor alone or prompts that failed."""
        return self.level is not None and self.allowed is not None


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a run.

    Attributes:
        a, b: The baseline and the run.
        findings: A metric each, gated or with a floor.
        differences: Every metric's, gated or not.
        notes: What a reader must know.
        fresh: When both were made.
        history: What the nights before say; None where they are not looked at.
    """

    a: RunScores
    b: RunScores
    findings: list[Finding]
    differences: list[Difference]
    notes: list[str]
    fresh: Freshness
    history: Followed | None = None

    @property
    def told(self) -> list[str]:
        """What a reader must know, when both were made first."""
        return [self.fresh.sentence(), *self.notes]

    @property
    def outcome(self) -> Outcome:
        """Regressed where anything has; else undecided where anything is."""
        outcomes = {finding.outcome for finding in self.findings}
        for outcome in (Outcome.REGRESSED, Outcome.UNDECIDED):
            if outcome in outcomes:
                return outcome
        return Outcome.PASSED

    @property
    def exit_code(self) -> int:
        """3 for a regression, 1 where it cannot be told, else 0."""
        return {Outcome.REGRESSED: 3, Outcome.UNDECIDED: 1, Outcome.PASSED: 0}[self.outcome]


def check(
    baseline: RunScores,
    run: RunScores,
    rule: Rule | None = None,
    *,
    allow_different_judges: bool = False,
    seed: int = 0,
) -> Verdict:
    """Check a run against a baseline.

    Args:
        baseline: The reference.
        run: The run in question.
        rule: What counts as a regression; None for the defaults.
        allow_different_judges: Compare what different judges said, with a warning.
        seed: Of the resampling.

    Raises:
        UsageError: The two are not comparable.
        LbwError: They have no prompt in common.
    """
    rule = rule or Rule()
    agreed = terms(baseline, run, allow_different_judges=allow_different_judges)
    gated = rule.gated(baseline.known)
    everything = differences(baseline, run, judged=agreed.judged, seed=seed)
    known = {each.metric: each for each in everything}
    for metric in (*gated, *rule.floors):
        known.setdefault(metric, difference(baseline, run, metric, seed=seed))
    levels = holm(gated, lambda metric, alpha: known[metric].is_worse(1 - alpha), alpha=ALPHA)
    asked = Asked.of(baseline, run, allow_different_judges=allow_different_judges)
    spoilt = without_spoilt(baseline, run, NAMES)
    worst = AtWorst.of(baseline, run, rule, known, gated, seed)
    bench = _Bench(baseline, run, rule, known, levels, spoilt, asked, worst, seed)
    findings = [bench.find(metric) for metric in dict.fromkeys([*gated, *rule.floors])]
    lacking = (newly_failed(baseline, run), newly_unjudged(baseline, run, gated))
    findings += [_failed_finding(change) for change in lacking if change and change.losses]
    return Verdict(baseline, run, findings, everything, agreed.notes, Freshness.of(baseline, run))


@dataclass(frozen=True)
class _Bench:
    """What a finding is made from."""

    a: RunScores
    b: RunScores
    rule: Rule
    known: dict[MetricInRange, Difference]
    levels: dict[MetricInRange, float]
    spoilt: list[Without]
    asked: Asked
    worst: AtWorst
    seed: int

    def find(self, metric: MetricInRange) -> Finding:
        change = self.known[metric]
        alpha = self.levels.get(metric)
        allowed = self.rule.allowed(metric)
        mean = change.b if self.b.summary else metric.mean(self.b)
        lacking = missing(self.a, self.b, metric)
        fell_in: tuple[Difference, ...] = ()
        remaining: Remaining | None = None
        reasons = []
        if alpha is not None and allowed is not None:
            remaining = Remaining.of(change, alpha, self.rule, self.spoilt, self.seed)
            if remaining.is_regression:
                fell_in = fallen_ranges(metric, self.known.values(), allowed)
                reasons.append(drop_words(change, alpha, allowed, fell_in) + remaining.stands())
        floor = FloorCheck.of(self.a, self.b, metric, mean, self.rule)
        if floor and floor.is_broken:
            reasons.append(floor.words())
        doubt = self._doubt(change, alpha, mean, lacking) or (floor.doubt() if floor else "")
        if remaining and not doubt:
            doubt = remaining.doubt() or self.asked.doubt(change, remaining.alpha)
        doubt = doubt or self.worst.doubt(change, mean, lacking[0])
        margin = None if alpha is None else self.rule.margin(metric)
        if margin is not None and not doubt:
            doubt = margin_doubt(change, margin, self._otherwise(remaining, metric, lacking[0]))
        if reasons:
            outcome, said = Outcome.REGRESSED, reasons
        elif doubt:
            outcome, said = Outcome.UNDECIDED, [doubt]
        else:
            kept = floor.words() if floor else ""
            outcome, said = Outcome.PASSED, [passed_words(change, alpha, kept, margin)]
        detectable = None
        if alpha is not None and allowed is not None:
            detectable = detectable_change(change, gated=len(self.levels), max_drop=allowed)
        return Finding(
            metric=metric,
            outcome=outcome,
            difference=change,
            level=None if alpha is None else 1 - alpha,
            interval=None if alpha is None else change.at(1 - alpha),
            allowed=allowed,
            floor=self.rule.floors.get(metric),
            below_floor=floor.chance if floor else None,
            mean_interval=floor.interval if floor else None,
            mean=mean,
            margin=margin,
            bound=None if margin is None else change.bound(),
            detectable=detectable,
            missing=lacking,
            fell_in=fell_in,
            without=remaining.by_cause() if remaining else {},
            message=f"{metric} {'; '.join(said)}",
        )

    def _otherwise(
        self, remaining: Remaining | None, metric: MetricInRange, lacking: int
    ) -> list[tuple[str, Difference]]:
        """Return the difference without what is spoilt, and with what is missing at its worst."""
        found = remaining.last() if remaining else []
        if metric in self.worst.changes:
            found.append((worst_words(metric, lacking), self.worst.changes[metric]))
        return found

    def _doubt(
        self,
        change: Difference,
        alpha: float | None,
        mean: float | None,
        lacking: tuple[int, int],
    ) -> str:
        """Return why it cannot be told; empty where it can."""
        short, owed = lacking
        if mean is None:
            return "cannot be told: the run has no value for it"
        if short > self.rule.max_missing * owed:
            return (
                f"cannot be told: {short} of {owed} responses have no score "
                f"(allowed {self.rule.max_missing:.0%}); {AGAIN}"
            )
        if alpha is not None and change.value is None:
            return "cannot be told: the baseline has no value for it"
        short, owed = missing_of_all(self.a, needs_judge=change.metric.metric.needs_judge)
        if alpha is not None and short > self.rule.max_missing * owed:
            return (
                f"cannot be told: {short} of {owed} responses of the baseline have no score "
                f"(allowed {self.rule.max_missing:.0%}); make it from a complete run"
            )
        if alpha is not None and change.interval is None:
            return "cannot be told: there are too few prompts for an interval; compare more"
        return ""


def _failed_finding(change: Difference) -> Finding:
    """Return what is said of prompts that newly lack something; no regression, as a failure is no score."""
    beyond, message = failed_words(change)
    return Finding(
        metric=change.metric,
        outcome=Outcome.UNDECIDED if beyond else Outcome.PASSED,
        difference=change,
        level=1 - FAILED_ALPHA,
        mean=change.b,
        missing=(0, change.n),
        message=f"{change.metric} {message}",
    )


def fallen_ranges(
    metric: MetricInRange, changes: Iterable[Difference], allowed: float
) -> tuple[Difference, ...]:
    """Return the length ranges in which a metric fell: its 95% interval lies below zero; the furthest first.

    Where none does, the one that fell furthest, if one fell by as much as is allowed.

    Args:
        metric: The metric; one that is about a length range itself has none.
        changes: The differences, among which those of its length ranges are looked up.
        allowed: The drop from which on a range counts, in the metric's unit.
    """
    if metric.range:
        return ()
    within = [
        change
        for change in changes
        if change.metric.metric == metric.metric and change.metric.range and (change.drop or 0) >= allowed
    ]
    within = sorted((c for c in within if c.drop), key=lambda change: -(change.drop or 0))
    sure = [change for change in within if change.is_worse(LEVEL)]
    return tuple(sure or within[:1])
