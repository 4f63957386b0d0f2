"""`lbw-eval --dry-run`: what a run would take."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from longbench_write.runs.dry_run import RunEstimate


def show_estimate(estimate: RunEstimate, *, as_json: bool) -> None:
    """Print what a run would take, as a table or as JSON."""
    if as_json:
        typer.echo(json.dumps(asdict(estimate), indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(
        caption="estimates, without retries, reviews of lengths and reasoning; nothing was asked",
        caption_justify="left",
    )
    table.add_column("asked as")
    for name in ("requests", "prompt tokens", "new tokens", "cost"):
        table.add_column(name, justify="right")
    for name, role in estimate.roles.items():
        counts = (role.requests, role.prompt_tokens, role.completion_tokens)
        cost = "no price given" if role.cost is None else f"{role.cost:,.2f}"
        table.add_row(name, *(f"{count:,}" for count in counts), cost)
    console = Console(markup=False)
    console.print(
        f"{estimate.prompts} prompts, {estimate.responses} responses; "
        f"the longest takes {estimate.longest_chain} requests one after another or at once"
    )
    console.print(table)
