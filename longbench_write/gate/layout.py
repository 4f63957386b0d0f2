"""The lines of a comparison's tables, as strings, for a terminal and for Markdown alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longbench_write.compare.comparison import Comparison
from longbench_write.compare.correction import correct
from longbench_write.compare.figures import number, p_value, signed, span
from longbench_write.compare.paired import Difference, Moved
from longbench_write.gate.fallen import FallenResponse
from longbench_write.gate.gate import Finding
from longbench_write.metrics.quality import CRITERIA

DIFFERENCE_HEADS = ("", "A", "B", "B − A", "95% interval", "p", "better/same/worse", "prompts")
FINDING_HEADS = ("metric", "verdict", "A", "B", "B − A", "interval of the test", "detectable drop")
MOVED_HEADS = ("prompt", "required", "A", "B", "B − A", "words A", "words B", "line in A", "line in B")
WORST_HEADS = ("prompt", "sample", "metric", "A", "B", "B − A", "in the report")

SURVIVES = "*"
"""Marks an interval that excludes zero after a correction for all intervals of its table."""

_HALF = 12
"""Characters of a strip on each side of zero."""


@dataclass(frozen=True)
class DifferenceLine:
    """A line of a table.

    Attributes:
        cells: One a column.
        level: 0 for a headline, 1 for what belongs to it.
    """

    cells: tuple[str, ...]
    level: int


def difference_lines(differences: Sequence[Difference]) -> list[DifferenceLine]:
    """Return a line a metric, each headline's length ranges under it; mark what survives a correction."""
    surviving = correct(differences).surviving
    lines = []
    for each in _grouped(differences):
        below = each.metric.range is not None or each.metric.metric in CRITERIA
        lines.append(
            DifferenceLine(
                (
                    each.metric.range or each.metric.metric.name,
                    number(each.a),
                    number(each.b),
                    signed(each.value),
                    f"{SURVIVES} " * (each.metric in surviving) + span(each.interval),
                    p_value(each.p),
                    "-" if each.wins is None else f"{each.wins}/{each.ties}/{each.losses}",
                    str(each.n),
                ),
                level=int(below),
            )
        )
    return lines


def chance_sentence(differences: Sequence[Difference]) -> str:
    """Return how many intervals of a table exclude zero by chance, and what the mark means; empty for few."""
    found = correct(differences)
    if found.intervals < 2:
        return ""
    return (
        f"If nothing had changed, {found.by_chance:.1f} of these {found.intervals} intervals would exclude "
        f"zero by chance; {len(found.excluding)} do, and {len(found.surviving)} ({SURVIVES}) after Holm's "
        "correction over all."
    )


def _grouped(differences: Sequence[Difference]) -> list[Difference]:
    """Return each headline with its ranges behind it, then the dimensions."""
    first = {each.metric.metric: place for place, each in reversed(list(enumerate(differences)))}
    return sorted(differences, key=lambda each: first[each.metric.metric])


def finding_line(finding: Finding) -> tuple[str, ...]:
    """Return a finding's cells under `FINDING_HEADS`."""
    change = finding.difference
    level = ""
    if finding.level is not None:
        found = span(finding.interval) if finding.interval else f"p = {p_value(change.p)}"
        level = f"{100 * finding.level:.3g}%: {found}"
    worse = "−" if finding.metric.metric.higher_is_better else "+"
    detectable = "-" if finding.detectable is None else f"{worse}{finding.detectable:.1f}"
    return (
        str(finding.metric),
        finding.outcome.value,
        number(change.a),
        number(change.b),
        signed(change.value),
        level or "-",
        detectable,
    )


def moved_line(prompt: Moved) -> tuple[str, ...]:
    """Return the cells of a prompt that moved, under `MOVED_HEADS`."""
    return (
        prompt.id,
        "-" if prompt.length is None else str(prompt.length),
        number(prompt.a),
        number(prompt.b),
        signed(prompt.b - prompt.a),
        f"{prompt.words_a:.0f}",
        f"{prompt.words_b:.0f}",
        str(prompt.line_a or "-"),
        str(prompt.line_b or "-"),
    )


def worst_line(worst: FallenResponse) -> tuple[str, ...]:
    """Return the cells of a response that fell, under `WORST_HEADS`."""
    return (
        worst.id,
        str(worst.sample),
        str(worst.metric),
        number(worst.a),
        number(worst.b),
        signed(worst.b - worst.a),
        f"report.html{worst.anchor}",
    )


def changed_counts(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return the counts and flags that differ: name, A, B."""
    return [
        (name.replace("_", " "), "-" if a is None else str(a), "-" if b is None else str(b))
        for name, (a, b) in comparison.counts.items()
        if a != b
    ]


def strips(differences: Sequence[Difference]) -> list[str]:
    """Draw each difference and its interval in text, better to the right; zero is the bar in the middle.

    Those of one range are on one scale, each metric without a finite range is on its own.
    """
    reach: dict[object, float] = {}
    for each in differences:
        reach[_scale(each)] = max([reach.get(_scale(each), 0.0), *map(abs, _ends(each))])
    return [_strip(each, reach[_scale(each)]) for each in _grouped(differences)]


def _scale(each: Difference) -> object:
    return each.metric.metric.range or each.metric.metric


def _ends(each: Difference) -> list[float]:
    """Return the interval and the value, signed so that higher is better."""
    sign = 1 if each.metric.metric.higher_is_better else -1
    return [sign * end for end in (*(each.interval or ()), *([] if each.value is None else [each.value]))]


def _strip(each: Difference, reach: float) -> str:
    def place(value: float) -> int:
        return _HALF + (round(value / reach * _HALF) if reach else 0)

    marks = [" "] * (2 * _HALF + 1)
    if each.interval:
        low, high = sorted(map(place, _ends(each)[:2]))
        marks[low : high + 1] = ["─"] * (high - low + 1)
    marks[_HALF] = "│" if marks[_HALF] == " " else "┼"
    if each.value is not None:
        marks[place(_ends(each)[-1])] = "●"
    return "".join(marks)
