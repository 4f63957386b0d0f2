"""`lbw-eval judges`: the judges that there are."""

from __future__ import annotations


def judges() -> None:
    """List the judges.

    Whom each asks, how, until when, and what it is good for.
    """
    from rich.console import Console
    from rich.table import Table

    from longbench_write.judging.cards import judge_names, load_card

    table = Table(show_lines=True)
    table.add_column("judge", no_wrap=True)
    table.add_column("asked", no_wrap=True)
    table.add_column("good for", ratio=1)
    for name in judge_names():
        card, _ = load_card(name)
        asked = [card.model, *([f"revision: {card.revision[:12]}"] if card.revision else [])]
        asked += [f"backend: {card.backend}", f"replies: {card.reply_format}", f"template: {card.template}"]
        if card.retires:
            asked.append(f"retires: {card.retires}")
        table.add_row(name, "\n".join(asked), f"{card.description} {card.note}".strip())
    Console(markup=False).print(table)
