"""`lbw-eval suites`: the official prompt lists."""

from __future__ import annotations


def suites() -> None:
    """List the suites.

    How many prompts in which languages, their required lengths, and if they are here.
    """
    from rich.console import Console
    from rich.table import Table

    from longbench_write import assets
    from longbench_write.suites import load_card, suite_names

    here = {entry.asset.name: entry.state for entry in assets.status()}
    table = Table()
    table.add_column("suite", no_wrap=True)
    table.add_column("version", no_wrap=True)
    for heading in ("prompts", "en", "zh", "lengths"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("file", no_wrap=True)
    for name in suite_names():
        card = load_card(name)
        counts = [str(card.languages.get(language, 0)) for language in ("en", "zh")]
        lengths = "-".join(str(length) for length in card.lengths)
        state = "cached" if here[card.asset] == "present" else "not yet fetched"
        table.add_row(card.name, card.version, str(card.prompts), *counts, lengths, state)
    Console(markup=False).print(table)
