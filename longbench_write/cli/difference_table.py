"""Differences between two runs as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from longbench_write.render.ci_log import escape_ci_log
from longbench_write.render.console import console as table_console

if TYPE_CHECKING:
    from rich.console import Console

    from longbench_write.compare.paired import Difference
    from longbench_write.compare.scores import RunScores

_PLAIN_WIDTH = 140
"""Columns where the output is no terminal."""


def console() -> Console:
    """Return the console of result tables."""
    return table_console(_PLAIN_WIDTH)


def show_sides(target: Console, a: RunScores, b: RunScores, notes: Sequence[str]) -> None:
    """Say what is compared, and what a reader must know of it."""
    for letter, scores in (("A", a), ("B", b)):
        target.print(
            f"{letter}  {escape_ci_log(f'{scores.name}  {scores.source}')}", markup=False, soft_wrap=True
        )
    for note in notes:
        target.print(escape_ci_log(note), markup=False, soft_wrap=True)


def show_differences(target: Console, differences: Sequence[Difference]) -> None:
    """Show the table of all differences, each drawn beside its numbers, and what they are worth together."""
    from longbench_write.gate.layout import DIFFERENCE_HEADS, chance_sentence, difference_lines, strips

    drawn = strips(differences)
    lines = [
        ((("  " if line.level else "") + line.cells[0], *line.cells[1:], strip), not line.level)
        for line, strip in zip(difference_lines(differences), drawn, strict=True)
    ]
    show_lines(target, "", (*DIFFERENCE_HEADS, "worse ← 0 → better"), lines)
    if sentence := chance_sentence(differences):
        target.print(sentence, markup=False, soft_wrap=True)


def show_lines(
    target: Console, title: str, heads: Sequence[str], lines: Sequence[tuple[Sequence[str], bool]]
) -> None:
    """Show a table of strings, without those of its last columns that do not fit the terminal.

    Args:
        target: Where it is printed.
        title: Stands above it; may be empty.
        heads: Of the columns.
        lines: Each its cells, and whether it stands out.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    widths = [
        max(cell_len(cells[place]) for cells in (heads, *(line for line, _ in lines))) + 3
        for place in range(len(heads))
    ]
    fit = [place for place in range(len(heads)) if sum(widths[: place + 1]) <= target.width]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place in fit:
        table.add_column(heads[place], justify="right" if place else "left", no_wrap=True)
    for cells, bold in lines:
        table.add_row(*(Text(escape_ci_log(cells[place])) for place in fit), style="bold" if bold else None)
    if title:
        target.print(escape_ci_log(title), style="bold", markup=False, soft_wrap=True)
    target.print(table)
