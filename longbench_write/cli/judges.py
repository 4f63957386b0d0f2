"""`lbw-eval judges`: the judges that there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from longbench_write.errors import UsageError

if TYPE_CHECKING:
    from longbench_write.registry import RegistryEntry


def judges() -> None:
    """List the judges.

    Whom each asks, how, until when, and what it is good for.
    """
    from rich.console import Console
    from rich.table import Table

    from longbench_write.judging.cards import JUDGES
    from longbench_write.render.terminal import escape_terminal

    table = Table(show_lines=True)
    table.add_column("judge", no_wrap=True)
    table.add_column("asked", no_wrap=True)
    table.add_column("good for", ratio=1)
    for entry in JUDGES.listing():
        table.add_row(*map(escape_terminal, (entry.name, *_described(entry))))
    Console(markup=False).print(table)


def _described(entry: RegistryEntry[Path]) -> tuple[str, str]:
    """Return whom a judge asks and how, and what it is good for or why it cannot be used."""
    from longbench_write.judging.cards import read_card

    added = [f"package: {entry.package}"] if entry.package else []
    if entry.value is None:
        return "\n".join(added), entry.problem
    try:
        card = read_card(entry.value)
    except UsageError as error:
        return "\n".join(added), str(error)
    asked = [card.model, *([f"revision: {card.revision[:12]}"] if card.revision else [])]
    asked += [f"backend: {card.backend}", f"replies: {card.reply_format}", f"template: {card.template}"]
    if card.retires:
        asked.append(f"retires: {card.retires}")
    return "\n".join(asked + added), f"{card.description} {card.note}".strip()
