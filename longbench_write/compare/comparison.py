"""Two runs compared: every difference, what moved, and the minimum detectable drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longbench_write.compare.comparable import terms
from longbench_write.compare.correction import Correction, correct
from longbench_write.compare.figures import signed, span
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import (
    Difference,
    Moved,
    difference,
    differences,
    flag_counts,
    most_moved,
)
from longbench_write.compare.power import detectable_change
from longbench_write.compare.rule import Rule
from longbench_write.compare.scores import RunScores
from longbench_write.compare.serving import Without, without_spoilt
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.length import S_L


@dataclass(frozen=True)
class Comparison:
    """B against A.

    Attributes:
        a, b: The reference and the new run.
        differences: In every metric.
        without: In the headlines, without what servers may have spoilt, by what was left out.
        notes: What a reader must know.
        moved_in: The metric in which prompts moved.
        fallen, risen: The prompts that moved most, the furthest first.
        counts: Per count or flag, how many in A and in B; None where one does not say.
        detectable: Per default gated metric, the minimum detectable drop of a gate on this pair, found with a
            chance of 80%.
    """

    a: RunScores
    b: RunScores
    differences: list[Difference]
    without: dict[str, list[Difference]]
    notes: list[str]
    moved_in: MetricInRange
    fallen: list[Moved]
    risen: list[Moved]
    counts: dict[str, tuple[int | None, int | None]]
    detectable: dict[MetricInRange, float]

    @property
    def correction(self) -> Correction:
        """How many of the differences' intervals exclude zero, by chance and after a correction."""
        return correct(self.differences)


def compare(a: RunScores, b: RunScores, *, allow_different_judges: bool = False, seed: int = 0) -> Comparison:
    """Compare a new run with a reference.

    Args:
        a: The reference.
        b: The new run.
        allow_different_judges: Compare what different judges said, with a warning.
        seed: Of the resampling.

    Raises:
        UsageError: The two are not comparable.
        LbwError: They have no prompt in common.
    """
    agreed = terms(a, b, allow_different_judges=allow_different_judges)
    found = differences(a, b, judged=agreed.judged, seed=seed)
    known = a.known & b.known
    shown = [
        metric for metric in HEADLINES if metric.name in known and (agreed.judged or not metric.needs_judge)
    ]
    moved_in = MetricInRange(shown[0] if shown else S_L)
    fallen, risen = most_moved(a, b, moved_in)
    rule = Rule()
    gated = rule.gated({metric.name for metric in shown})
    detectable = {
        each.metric: drop
        for each in found
        if each.metric in gated
        and (allowed := rule.allowed(each.metric)) is not None
        and (drop := detectable_change(each, gated=len(gated), max_drop=allowed)) is not None
    }
    spoilt = without_spoilt(a, b)
    without = {
        left.what: [difference(left.a, left.b, MetricInRange(metric), seed=seed) for metric in shown]
        for left in spoilt
    }
    notes = agreed.notes + [_left(left, without[left.what]) for left in spoilt]
    return Comparison(a, b, found, without, notes, moved_in, fallen, risen, _counts(a, b), detectable)


def _left(left: Without, found: Sequence[Difference]) -> str:
    """Return in a sentence what is left of the differences."""
    changes = ", ".join(f"{each.metric} {signed(each.value)} ({span(each.interval)})" for each in found)
    return f"{left.why}; {left.where}, B − A is {changes}"


def _counts(a: RunScores, b: RunScores) -> dict[str, tuple[int | None, int | None]]:
    """Return the counts of both runs, and their flags, under the names of summary.json."""
    known = [{**(scores.counts or {}), **flag_counts(scores)} for scores in (a, b)]
    names = dict.fromkeys([*known[0], *known[1]])
    return {name: (known[0].get(name), known[1].get(name)) for name in names}
