"""What can be chosen by name, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def show_listing(heads: tuple[str, str, str], rows: Iterable[Sequence[str]]) -> None:
    """Print names, how each works, and what it is good for; the last column takes the room that is left.

    Args:
        heads: Of the three columns.
        rows: Their texts, which may come from other packages.
    """
    from rich.console import Console
    from rich.table import Table

    from longbench_write.render.terminal import escape_terminal

    table = Table(show_lines=True)
    table.add_column(heads[0], no_wrap=True)
    table.add_column(heads[1], no_wrap=True)
    table.add_column(heads[2], ratio=1)
    for row in rows:
        table.add_row(*map(escape_terminal, row))
    Console(markup=False).print(table)
