"""Whether a verdict survives the run's missing values at their worst; newly failed prompts by count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longbench_write.compare.figures import p_value
from longbench_write.compare.floors import mean_interval
from longbench_write.compare.lacking import at_worst, difference_at_worst, missing
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import Difference, Interval
from longbench_write.compare.rule import ALPHA, Rule, is_beyond, reaches
from longbench_write.compare.scores import RunScores
from longbench_write.gate.sentences import AGAIN, fell, from_to, interval_words, limit_words, mean_words
from longbench_write.stats import holm

FAILED_ALPHA = 0.02
"""The level of the sign test of newly failed prompts, beside Holm's correction over the gated metrics."""


@dataclass(frozen=True)
class AtWorst:
    """The differences as they would be if each missing value were worth the worse end of its range.

    Attributes:
        rule: What counts as a regression.
        changes: By metric; those that lack nothing are as they stand.
        levels: 1 minus the level that each gated one would be held to.
        means: The run's mean over all that it was asked, by metric.
        intervals: The 95% interval of that mean by metric whose floor is a confident one, where there is one.
    """

    rule: Rule
    changes: Mapping[MetricInRange, Difference]
    levels: Mapping[MetricInRange, float]
    means: Mapping[MetricInRange, float | None]
    intervals: Mapping[MetricInRange, Interval]

    @classmethod
    def of(
        cls,
        a: RunScores,
        b: RunScores,
        rule: Rule,
        known: Mapping[MetricInRange, Difference],
        gated: Sequence[MetricInRange],
        seed: int,
    ) -> AtWorst:
        """Compute them.

        Args:
            a: The baseline.
            b: The run.
            rule: What counts as a regression.
            known: The differences as they stand, of the gated metrics and of those with a floor at least.
            gated: The metrics that Holm's correction is made over.
            seed: Of the resampling.
        """
        held = [metric for metric in dict.fromkeys([*gated, *rule.floors]) if missing(a, b, metric)[0]]
        worst = b if a.summary or b.summary or not held else at_worst(a, b)
        changes = {metric: difference_at_worst(a, b, worst, known[metric], seed=seed) for metric in held}
        levels = holm(
            gated,
            lambda metric, alpha: changes.get(metric, known[metric]).is_worse(1 - alpha),
            alpha=ALPHA,
        )
        means = {metric: change.b if worst is b else metric.mean(worst) for metric, change in changes.items()}
        whole = [metric for metric in held if metric in rule.confident and worst is not b]
        ends = {metric: found for metric in whole if (found := mean_interval(worst, metric))}
        return cls(rule, changes, levels, means, ends)

    def doubt(self, change: Difference, mean: float | None, lacking: int) -> str:
        """Return why a pass would not survive what is missing at its worst; "" where it would.

        Args:
            change: The difference as it stands.
            mean: The run's mean as it stands.
            lacking: How many responses have no score.
        """
        metric = change.metric
        if metric not in self.changes or mean is None:
            return ""
        worst, alpha = self.changes[metric], self.levels.get(metric)
        if_worst = worst_words(metric, lacking)
        if alpha is not None and self.rule.is_fall(worst, alpha):
            return (
                f"cannot be told: it changed {from_to(change)}, but {if_worst} it {fell(worst)} by "
                f"{worst.drop or 0:.1f} ({interval_words(worst, alpha)}); {AGAIN}"
            )
        floor, least = self.rule.floors.get(metric), self.means[metric]
        if floor is None or least is None or not is_beyond(least, floor, metric):
            return ""
        ends = self.intervals.get(metric)
        if ends and reaches(ends, floor, metric):
            return ""
        return (
            f"cannot be told: it is {mean:.1f}, but {if_worst} it is {mean_words(least, ends)}, "
            f"{limit_words(metric)} of {floor:g}; {AGAIN}"
        )


def worst_words(metric: MetricInRange, lacking: int) -> str:
    """Return on what condition missing responses are at their worst, in words."""
    ends = metric.metric.range or (0.0, 0.0)
    end = ends[0 if metric.metric.higher_is_better else 1]
    return f"with its {lacking} missing response{'' if lacking == 1 else 's'} at {end:g}"


def failed_words(change: Difference) -> tuple[bool, str]:
    """Return whether more prompts newly lack something than chance explains, and what is said of them."""
    p = change.p or 1.0
    what, others = change.metric.metric.title, change.wins or "none"
    told = (
        f"{change.losses} of {change.n} prompts lack {what} that the baseline has, {others} the other way "
        f"round (sign test p = {p_value(p)})"
    )
    if p > FAILED_ALPHA:
        return False, f"may be chance: {told}"
    return True, (
        f"cannot be told: {told}, which is beyond chance (p at most {FAILED_ALPHA:g}), and a failure is no "
        f"score; {AGAIN}"
    )
