"""Comparisons and verdicts as Markdown, for a job's summary or a comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from longbench_write.compare.comparison import Comparison
from longbench_write.compare.paired import Difference
from longbench_write.compare.scores import RunScores
from longbench_write.gate.fallen import FallenResponse
from longbench_write.gate.gate import Outcome, Verdict
from longbench_write.gate.headline import headline
from longbench_write.gate.layout import (
    DIFFERENCE_HEADS,
    FINDING_HEADS,
    MOVED_HEADS,
    SURVIVES,
    WORST_HEADS,
    chance_sentence,
    changed_counts,
    difference_lines,
    finding_line,
    moved_line,
    strips,
    worst_line,
)
from longbench_write.render.markdown import escape_markdown

_MARKS = {Outcome.PASSED: "✅", Outcome.REGRESSED: "❌", Outcome.UNDECIDED: "⚠️"}


def comparison_markdown(found: Comparison) -> str:
    """Return a section: notes, differences, minimum detectable drops, the prompts that moved, counts."""
    parts = [
        f"## {escape_markdown(found.b.name)} against {escape_markdown(found.a.name)}",
        _sides(found.a, found.b),
        _list(map(escape_markdown, found.notes)),
        _differences(found.differences),
        detectable_sentence({str(metric): drop for metric, drop in found.detectable.items()}),
    ]
    for title, prompts in (("fell", found.fallen), ("rose", found.risen)):
        if prompts:
            lines = [[escape_markdown(cell) for cell in moved_line(prompt)] for prompt in prompts]
            parts += [f"**Prompts that {title} most in {found.moved_in}**", _table(MOVED_HEADS, lines)]
    if counts := changed_counts(found):
        parts += ["**Counts and flags that differ**", _table(("", "A", "B"), counts)]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict_markdown(verdict: Verdict, worst: Sequence[FallenResponse] = ()) -> str:
    """Return a section: the verdict, why, the responses that fell and the differences by length range.

    Args:
        verdict: The verdict.
        worst: The responses that fell furthest.
    """
    findings = [finding_line(finding) for finding in verdict.findings]
    said = [f"**{finding.outcome}**: {escape_markdown(finding.message)}" for finding in verdict.findings]
    parts = [
        f"## {_MARKS[verdict.outcome]} {escape_markdown(headline(verdict))}",
        escape_markdown(verdict.fresh.sentence()),
        _list(said),
        _table(FINDING_HEADS, findings),
        "The detectable drop is the smallest true drop that this comparison finds with a chance of 80%.",
        _sides(verdict.a, verdict.b),
        _list(map(escape_markdown, verdict.notes)),
        _worst(worst),
        _differences(verdict.differences),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _worst(worst: Sequence[FallenResponse]) -> str:
    if not worst:
        return ""
    lines = []
    for each in worst:
        *cells, place = worst_line(each)
        lines.append([*map(escape_markdown, cells), f"`{place}`"])
    return f"**Responses that fell furthest**\n\n{_table(WORST_HEADS, lines)}"


def error_markdown(run: str, message: str) -> str:
    """Return a section that says that there is no verdict.

    Args:
        run: What was to be checked.
        message: Why there is none.
    """
    return f"## ⚠️ {escape_markdown(run)} was not checked\n\n{escape_markdown(message)}\n"


def detectable_sentence(drops: dict[str, float]) -> str:
    """Return the minimum detectable drop of a gate on a pair of runs, in a sentence; empty if not known."""
    if not drops:
        return ""
    named = ", ".join(f"{drop:.1f} points in {name}" for name, drop in drops.items())
    return (
        f"This pair would have shown a drop of {named} with a chance of 80%, by the default rule of the gate."
    )


def _sides(a: RunScores, b: RunScores) -> str:
    return _list(
        f"{letter}: {escape_markdown(scores.name)}, {escape_markdown(str(scores.source))}"
        for letter, scores in (("A", a), ("B", b))
    )


def _differences(differences: Sequence[Difference]) -> str:
    lines = []
    for line, strip in zip(difference_lines(differences), strips(differences), strict=True):
        name, *numbers = (cell.replace(SURVIVES, f"\\{SURVIVES}") for cell in line.cells)
        drawn = strip.replace(" ", "\N{NO-BREAK SPACE}")
        lines.append(
            [f"{'&emsp;' if line.level else '**'}{name}{'' if line.level else '**'}", *numbers, f"`{drawn}`"]
        )
    table = _table((*DIFFERENCE_HEADS, "worse ← 0 → better"), lines)
    said = escape_markdown(chance_sentence(differences))
    return f"{table}\n\n{said}" if said else table


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rule, *lines))
