"""`lbw-eval writers`: the writers that there are."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longbench_write.registry import RegistryEntry
    from longbench_write.writers.registry import WriterFactory


def writers() -> None:
    """List the writers.

    How each makes a response of a prompt. A folder with a writer.yaml is a writer too: `--writer FOLDER`.
    """
    from rich.console import Console
    from rich.table import Table

    from longbench_write.render.terminal import escape_terminal
    from longbench_write.writers.registry import WRITERS

    table = Table(show_lines=True)
    table.add_column("writer", no_wrap=True)
    table.add_column("how", no_wrap=True)
    table.add_column("what it does", ratio=1)
    for entry in WRITERS.listing():
        table.add_row(*map(escape_terminal, (entry.name, *_described(entry))))
    Console(markup=False).print(table)


def _described(entry: RegistryEntry[WriterFactory]) -> tuple[str, str]:
    """Return how a writer works, and what it does or why it cannot be used."""
    from longbench_write.writers.cards import PlanCard, read_folder, shipped_folders

    added = [f"package: {entry.package}"] if entry.package else []
    if entry.value is None:
        return "\n".join(added), entry.problem
    if entry.package or entry.name not in (folders := shipped_folders()):
        about = (inspect.getdoc(entry.value) or "").partition("\n")[0]
        return "\n".join(added) or "one request", about
    card = read_folder(folders[entry.name]).card
    how = [f"method: {card.method}"]
    if isinstance(card, PlanCard):
        how += [f"planner: {card.planner}", f"order: {card.order}"]
    return "\n".join(how), card.description
