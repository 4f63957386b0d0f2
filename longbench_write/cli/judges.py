"""`lbw-eval judges`: the judges that there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from longbench_write.cli.listing import show_listing
from longbench_write.errors import UsageError

if TYPE_CHECKING:
    from longbench_write.registry import RegistryEntry


def judges() -> None:
    """List the judges.

    Whom each asks, how, until when, and what it is good for.
    """
    from longbench_write.judging.cards import JUDGES

    rows = ((entry.name, *_described(entry)) for entry in JUDGES.listing())
    show_listing(("judge", "asked", "good for"), rows)


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
