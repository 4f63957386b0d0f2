"""`lbw-eval contamination A B`: how much better a model does on public prompts than on unseen ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from longbench_write.render.ci_log import escape_ci_log

if TYPE_CHECKING:
    from longbench_write.compare.contamination_report import GapReport


def contamination(
    a: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help="A run folder: the model on longbench-write, or on lbw-open.",
            show_default=False,
        ),
    ],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="The same model on the other suite.", show_default=False)
    ],
    output: Annotated[
        Literal["table", "json", "md"], typer.Option("--format", help="What to print.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Show the contamination gap of one model between longbench-write and lbw-open.

    Each prompt of lbw-open mirrors one of longbench-write in all but its topic and words; the two are a
    pair. Every gap is public − unseen in points, with a 95% interval; a model that obeys the form alone shows
    one in at most 5% of cases. A run on lbw-open 1.0, which has no mirrors, is compared by type, language and
    length range.
    """
    from longbench_write.compare.contamination_report import gap_json, gap_markdown, gap_report, public_first
    from longbench_write.compare.loading import load_entry

    report = gap_report(*public_first(load_entry(a), load_entry(b)))
    if as_json or output == "json":
        sys.stdout.write(gap_json(report))
    elif output == "md":
        sys.stdout.write(gap_markdown(report))
    else:
        _show(report)


def _show(report: GapReport) -> None:
    from longbench_write.cli.difference_table import console, show_lines
    from longbench_write.compare.contamination_report import GAP_HEADS, gap_lines, gap_sides

    target = console()
    title = f"contamination gap of {report.public.summary.model}"
    for line in (title, *gap_sides(report), *report.notes):
        target.print(escape_ci_log(line), markup=False, soft_wrap=True)
    bold = [gap.range is None for gap in report.gaps]
    show_lines(target, "", GAP_HEADS, list(zip(gap_lines(report.gaps), bold, strict=True)))
