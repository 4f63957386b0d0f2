"""`lbw-eval score RUN`: score a run's records anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def score(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    judge: Annotated[
        str | None, typer.Option(help="Score by this judge's judgements; otherwise by the last judge's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of the table.")] = False,
) -> None:
    """Score a run's records anew.

    Reads the run folder, writes its scores.csv and summary.json, and prints the table; no model is asked.
    """
    from longbench_write.cli.table import show
    from longbench_write.runs.results import score_run

    show(score_run(run, judge=judge), run, as_json=as_json)
