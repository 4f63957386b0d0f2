"""`lbw-eval writers`: the writers that there are."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from longbench_write.cli.listing import show_listing

if TYPE_CHECKING:
    from longbench_write.registry import RegistryEntry
    from longbench_write.writers.registry import WriterFactory


def writers() -> None:
    """List the writers.

    How each makes a response of a prompt. A folder with a writer.yaml is a writer too: `--writer FOLDER`.
    """
    from longbench_write.writers.registry import WRITERS

    rows = ((entry.name, *_described(entry)) for entry in WRITERS.listing())
    show_listing(("writer", "how", "what it does"), rows)


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
