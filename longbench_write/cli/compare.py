"""`lbw-eval compare A B`: two runs side by side, paired by prompt."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from longbench_write.compare.comparison import Comparison

_PLACE = "a run folder, a baseline file, a summary.json or a scores.csv."


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help=f"The reference: {_PLACE}", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="The new run, likewise.", show_default=False)],
    output: Annotated[
        Literal["table", "json", "md"], typer.Option("--format", help="What to print.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    allow_different_judges: Annotated[
        bool,
        typer.Option("--allow-different-judges", help="Compare what different judges said, with a warning."),
    ] = False,
    common: Annotated[
        bool,
        typer.Option("--common", help="Where the suites differ, compare the prompts that have not changed."),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the differences by length range (png, svg or pdf)."),
    ] = None,
) -> None:
    """Compare two runs, paired by prompt.

    Every difference is B − A in points, with a 95% interval and the p-value of a paired permutation test.
    """
    from longbench_write.compare import comparison
    from longbench_write.compare.loading import load_scores
    from longbench_write.compare.same_prompts import unchanged_alone
    from longbench_write.gate.document import comparison_json
    from longbench_write.gate.markdown import comparison_markdown

    old, new = load_scores(a), load_scores(b)
    old, new, left = unchanged_alone(old, new) if common else (old, new, "")
    found = comparison.compare(old, new, allow_different_judges=allow_different_judges)
    if left:
        found = replace(found, notes=[left, *found.notes])
    if plot:
        from longbench_write.cli.figure import save_figure
        from longbench_write.plots.differences import differences_figure

        save_figure(plot, lambda: differences_figure(found.a, found.b, found.differences))
    if as_json or output == "json":
        sys.stdout.write(comparison_json(found))
    elif output == "md":
        sys.stdout.write(comparison_markdown(found))
    else:
        _show(found)


def _show(found: Comparison) -> None:
    from longbench_write.cli.difference_table import console, show_differences, show_lines, show_sides
    from longbench_write.gate.layout import MOVED_HEADS, changed_counts, moved_line
    from longbench_write.gate.markdown import detectable_sentence

    target = console()
    show_sides(target, found.a, found.b, found.notes)
    show_differences(target, found.differences)
    if sentence := detectable_sentence({str(metric): drop for metric, drop in found.detectable.items()}):
        target.print(sentence, soft_wrap=True)
    for title, prompts in (("fell", found.fallen), ("rose", found.risen)):
        if prompts:
            lines = [(moved_line(prompt), False) for prompt in prompts]
            show_lines(target, f"prompts that {title} most in {found.moved_in}", MOVED_HEADS, lines)
    if counts := changed_counts(found):
        show_lines(target, "counts and flags that differ", ("", "A", "B"), [(line, False) for line in counts])
