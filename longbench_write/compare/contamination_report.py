"""The contamination gap between two runs, and how it is written down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from longbench_write.compare.collection import Entry
from longbench_write.compare.comparable import is_one_judge
from longbench_write.compare.contamination import (
    PUBLIC,
    UNSEEN,
    Gap,
    contamination_gap,
    is_gap,
    mirrored,
)
from longbench_write.compare.figures import number, signed, span
from longbench_write.errors import UsageError
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.length import S_L
from longbench_write.render.markdown import escape_markdown
from longbench_write.scoring.summary import Summary

SCHEMA = 1
GAP_HEADS = ("", "public", "unseen", "public − unseen", "95% interval", "compared", "prompts")

_MEANING = "above 0: the model does better on public prompts than on unseen ones of the same form"
_PAIRED = "each unseen prompt is compared with the public one that it mirrors, on those that both runs have"
_UNPAIRED = (
    f"{UNSEEN} {{}} names no mirrors: its prompts state their lengths otherwise, so that a model that merely "
    f"obeys them shows a gap; a run on today's {UNSEEN} is compared in pairs"
)


@dataclass(frozen=True)
class GapReport:
    """The gaps of one model between a public suite and an unseen one.

    Attributes:
        public, unseen: The two runs.
        gaps: In each measure over all, then by length range.
        notes: What a reader must know, a sentence each.
    """

    public: Entry
    unseen: Entry
    gaps: list[Gap]
    notes: list[str]


def public_first(a: Entry, b: Entry) -> tuple[Entry, Entry]:
    """Return the run on the public suite, then the one on the unseen suite.

    Raises:
        UsageError: They are not two runs of one model on two such suites.
    """
    for public, unseen in ((a, b), (b, a)):
        if is_gap(public.summary, unseen.summary):
            return public, unseen
    sides = "; ".join(f"{each.path}: {each.summary.model} on {each.summary.suite}" for each in (a, b))
    raise UsageError(
        f"a contamination gap is between two runs of one model, on {PUBLIC[0]} and on {UNSEEN} ({sides}): "
        "compare other runs with `lbw-eval compare`"
    )


def gap_report(public: Entry, unseen: Entry, *, seed: int = 0) -> GapReport:
    """Set a run on a public suite beside one of the same model on an unseen suite.

    What different judges said is left out, with a note; other settings that differ are named.

    Args:
        public: The run on the public suite.
        unseen: The one on the unseen suite.
        seed: Of the resampling.

    Raises:
        RunFolderError: The rows of one of them cannot be read.
        AssetError: The shipped suite that was unseen has been changed.
    """
    a, b = public.summary, unseen.summary
    metrics = [*HEADLINES, *(metric for metric in a.others if metric in b.others)]
    mirrors = mirrored(a, b)
    gaps = contamination_gap(public.rows, unseen.rows, mirrors=mirrors, metrics=metrics, seed=seed)
    notes = [_MEANING, _PAIRED if mirrors else _UNPAIRED.format(b.suite_version), *_settings(a, b)]
    if not is_one_judge(a, b):
        unjudged = {metric.name for metric in metrics if not metric.needs_judge}
        gaps = [gap for gap in gaps if gap.measure in unjudged]
        notes.append(
            f"the judges differ ({a.judge or 'none'}; {b.judge or 'none'}): S_l alone is compared; "
            "judge both alike with `lbw-eval judge`"
        )
    if left_out := sum(gap.left_out for gap in gaps if (gap.measure, gap.range) == (S_L.name, None)):
        alone = (
            "without a mirror in the other run" if mirrors else "of types or lengths that one run alone has"
        )
        notes.append(f"{left_out} prompts {alone} are left out")
    return GapReport(public, unseen, gaps, notes)


def _settings(a: Summary, b: Summary) -> list[str]:
    old, new = (
        {"writer": each.writer, "samples": each.samples, **each.settings, "convention": each.convention}
        for each in (a, b)
    )
    changed = [
        f"{name} {old.get(name)} and {new.get(name)}" for name in old | new if old.get(name) != new.get(name)
    ]
    return [f"the settings differ: {', '.join(changed)}"] if changed else []


def gap_lines(gaps: Iterable[Gap]) -> list[tuple[str, ...]]:
    """Return a line a gap under `GAP_HEADS`, as strings."""
    return [
        (
            f"{gap.measure} {gap.range}" if gap.range else gap.measure,
            number(gap.public),
            number(gap.unseen),
            signed(gap.value),
            span(gap.interval),
            f"{gap.cells} cells" if gap.pairs is None else f"{gap.pairs} pairs",
            f"{gap.prompts[0]}/{gap.prompts[1]}",
        )
        for gap in gaps
    ]


def gap_json(report: GapReport) -> str:
    """Return the JSON of `lbw-eval contamination`."""
    sides = {
        name: {
            "source": str(each.path),
            **{key: getattr(each.summary, key) for key in ("model", "suite", "suite_version", "judge")},
        }
        for name, each in (("public", report.public), ("unseen", report.unseen))
    }
    values = {"schema": SCHEMA, **sides, "notes": report.notes, "gaps": [asdict(gap) for gap in report.gaps]}
    return json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def gap_markdown(report: GapReport) -> str:
    """Return a section of Markdown: what is compared, what must be known, the table."""
    lines = [GAP_HEADS, ("-",) + ("-:",) * (len(GAP_HEADS) - 1), *gap_lines(report.gaps)]
    parts = [
        f"## Contamination gap of {escape_markdown(report.public.summary.model)}",
        "\n".join(f"- {escape_markdown(line)}" for line in [*gap_sides(report), *report.notes]),
        "\n".join(f"| {' | '.join(cells)} |" for cells in lines),
    ]
    return "\n\n".join(parts) + "\n"


def gap_sides(report: GapReport) -> list[str]:
    """Return which runs are compared, a line each."""
    return [
        f"{name}: {each.summary.suite} {each.summary.suite_version}, {each.path}"
        for name, each in (("public", report.public), ("unseen", report.unseen))
    ]
