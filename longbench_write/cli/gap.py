"""What `lbw-eval compare` says of one model's runs on longbench-write and on lbw-open."""

from __future__ import annotations

import sys
from pathlib import Path

from longbench_write.render.terminal import escape_terminal


def show_gap(a: Path, b: Path, output: str) -> bool:
    """Print the contamination gap, if A and B are scored runs of one model on a public suite and lbw-open.

    Args:
        a: What `compare` was given first.
        b: What it was given second; the order does not matter.
        output: "table", "md" or "json".

    Returns:
        Whether they are; if not, nothing is printed.

    Raises:
        RunFolderError: They are, and their scores cannot be read.
    """
    from longbench_write.runs.folder import SUMMARY

    if not all((place / SUMMARY).is_file() for place in (a, b)):
        return False
    from longbench_write.compare.collection import collect
    from longbench_write.compare.contamination import is_gap
    from longbench_write.compare.contamination_report import (
        GAP_HEADS,
        gap_json,
        gap_lines,
        gap_markdown,
        gap_report,
        gap_sides,
    )

    entries = [collect([place]).entries[0] for place in (a, b)]
    for public, unseen in (entries, entries[::-1]):
        if is_gap(public.summary, unseen.summary):
            break
    else:
        return False
    report = gap_report(public, unseen)
    if output == "json":
        sys.stdout.write(gap_json(report))
        return True
    if output == "md":
        sys.stdout.write(gap_markdown(report))
        return True
    from longbench_write.cli.difference_table import console, show_lines

    target = console()
    for line in (f"contamination gap of {public.summary.model}", *gap_sides(report), *report.notes):
        target.print(escape_terminal(line), markup=False, soft_wrap=True)
    bold = [gap.range is None for gap in report.gaps]
    show_lines(target, "", GAP_HEADS, list(zip(gap_lines(report.gaps), bold, strict=True)))
    return True
