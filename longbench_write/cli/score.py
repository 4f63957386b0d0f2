"""`lbw-eval score RUN`: score a run's records anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from longbench_write.cli.options import DEFAULT_WAIT, Wait
from longbench_write.cli.terminal import note


def score(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    judge: Annotated[
        str | None, typer.Option(help="Score by this judge's judgements; otherwise by the last judge's.")
    ] = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of the table.")] = False,
    suspects: Annotated[
        bool,
        typer.Option(
            "--suspects",
            help="List the responses that were probably spoilt on their way from the model, and why.",
        ),
    ] = False,
) -> None:
    """Score a run's records anew.

    Reads the run folder, writes its scores.csv and summary.json, and prints the table; no model is asked.
    """
    from longbench_write.cli.table import show, show_suspects
    from longbench_write.errors import UsageError
    from longbench_write.runs.results import score_run
    from longbench_write.runs.turn import Turn

    if as_json and suspects:
        raise UsageError("--json prints summary.json, which counts the suspects: leave out --suspects")
    summary = score_run(run, judge=judge, turn=Turn(wait, note))
    if suspects:
        show_suspects(run)
    else:
        show(summary, run, as_json=as_json)
