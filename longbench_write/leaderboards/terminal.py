"""A leaderboard in a terminal, with as many of its columns as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

from longbench_write.leaderboards.formats import spans
from longbench_write.leaderboards.layout import Column, Table, narrow
from longbench_write.render.ci_log import escape_ci_log
from longbench_write.render.console import console as make_console
from longbench_write.render.terminal import escape_terminal

if TYPE_CHECKING:
    from rich.table import Table as RichTable

_PROSE_WIDTH, _GOOD_PROSE_WIDTH = 14, 22
"""Columns that a text needs at least, and to read well."""
_GAP = 2


def terminal(tables: Sequence[Table]) -> str:
    """Draw the tables one below the other, as wide as the terminal is."""
    from rich.text import Text

    console = make_console()
    with console.capture() as shown:
        for table in tables:
            console.print(Text(escape_ci_log(table.title), style="bold"))
            drawn, left_out = _drawn(table, console.width)
            console.print(drawn)
            for note in table.notes:
                console.print(Text(escape_ci_log(note), style="dim"))
            if left_out:
                told = f"Left out here: {', '.join(left_out)}; --format csv has all."
                console.print(Text(escape_ci_log(told), style="dim"))
            console.print()
    return "".join(f"{line.rstrip()}\n" for line in shown.get().splitlines())


@dataclass(frozen=True)
class _Strip:
    """What stands in one column of a terminal's table: a column, or those of a group side by side.

    Attributes:
        cells: Each row's text, and what stands under it.
        width: What its numbers and head need; 0 for texts, which adapt.
    """

    head: str
    cells: list[tuple[str, str]]
    width: int
    column: Column


def _drawn(table: Table, width: int) -> tuple[RichTable, list[str]]:
    """Return the table with as many of its columns as fit, and what the others are."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    strips = _strips(table)
    kept = _fitting(strips, width)
    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for strip in kept:
        prose = strip.column.prose
        justify: Literal["left", "right"] = "left" if prose else "right"
        drawn.add_column(
            Text(escape_terminal(strip.head)), justify=justify, no_wrap=not prose, overflow="fold"
        )
    for row in zip(*(strip.cells for strip in kept), strict=True):
        drawn.add_row(
            *(
                Text.assemble(escape_ci_log(text), (f"\n{escape_ci_log(small)}" if small else "", "dim"))
                for text, small in row
            )
        )
    return drawn, [" ".join(strip.head.split()) for strip in strips if strip not in kept]


def _strips(table: Table) -> list[_Strip]:
    strips = []
    start = 0
    for group, count in spans(table.columns):
        steps = [count] if group else [1] * count
        for step in steps:
            strips.append(_strip(table, range(start, start + step)))
            start += step
    return strips


def _strip(table: Table, places: range) -> _Strip:
    from rich.cells import cell_len

    columns = [table.columns[place] for place in places]
    heads = [column.head for column in columns]
    texts = [[row[place].text for place in places] for row in table.rows]
    if columns[0].group:
        widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
        heads, *texts = (
            [" ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))]
            for row in (heads, *texts)
        )
        group = columns[0].group.strip("[]()").replace(",", "-")
        head = f"{narrow(group)}\n{heads[0]}"
    else:
        head = heads[0] if columns[0].prose else narrow(heads[0])
    cells = [(text[0], row[places[0]].small) for text, row in zip(texts, table.rows, strict=True)]
    lines = chain(head.split("\n"), *cells)
    return _Strip(head, cells, 0 if columns[0].prose else max(map(cell_len, lines)), columns[0])


def _fitting(strips: list[_Strip], width: int) -> list[_Strip]:
    """Return the strips that fit: first without the spare ones if a text is cramped, then the last."""

    def needs(kept: list[_Strip], prose: int) -> int:
        return sum((strip.width or prose) + _GAP for strip in kept) - _GAP

    kept = strips
    if needs(kept, _GOOD_PROSE_WIDTH) > width:
        kept = [strip for strip in strips if not strip.column.spare]
    while needs(kept, _PROSE_WIDTH) > width and any(strip.width for strip in kept[2:]):
        last = next(strip for strip in reversed(kept) if strip.width)
        kept = [strip for strip in kept if strip is not last]
    return kept
