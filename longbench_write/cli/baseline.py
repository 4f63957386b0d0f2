"""`lbw-eval baseline RUN -o FILE.json`: keep a run's scores, without its texts, to check others against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from longbench_write.cli.terminal import note
from longbench_write.errors import UsageError

_RUNS = typer.Argument(
    metavar="RUN...", help="A run folder, or several of one model that are pooled.", show_default=False
)
_OUTPUT = typer.Option(
    "--output",
    "-o",
    help="The file to write, such as baselines/model.json; with --update, where the moved one is written.",
    metavar="FILE",
    show_default=False,
)
_UPDATE = typer.Option(
    help="Move this baseline to RUN, unless RUN has regressed against it (3) or it cannot be told (1).",
    metavar="FILE",
    show_default=False,
)
_INCOMPLETE = typer.Option(
    "--incomplete", help="Take a run that lacks more than --max-missing; the file says so."
)
_MISSING = typer.Option(help="Percent of responses that may lack a score [5].", metavar="PERCENT")
_CONFIG = typer.Option(help="YAML file of check's options [lbw-gate.yaml, if it is there].", metavar="FILE")


def baseline(
    runs: Annotated[list[Path], _RUNS],
    output: Annotated[Path | None, _OUTPUT] = None,
    update: Annotated[Path | None, _UPDATE] = None,
    incomplete: Annotated[bool, _INCOMPLETE] = False,
    max_missing: Annotated[float | None, _MISSING] = None,
    config: Annotated[Path | None, _CONFIG] = None,
) -> None:
    """Keep a run's scores as a baseline, or move a baseline to a run.

    The file holds scores and hashes by prompt and no texts: small, the same for the same run, and made for
    git. A run that lacks more scores than --max-missing is refused (1). A baseline that moves only when a run
    is better keeps the luckiest one, against which nights of an unchanged model turn red: move it by the
    calendar, or by hand.
    """
    from longbench_write.files.output import is_same_file, write_file
    from longbench_write.gate.moving import ENOUGH_RUNS, POLICY, made_baseline, moved_baseline

    given = {"max_missing": max_missing}
    target = output or update
    if target is None:
        raise UsageError("name the file to write with -o FILE, or the baseline to move with --update FILE")
    if update is None:
        scores, text = made_baseline(runs, given, config, incomplete=incomplete)
        write_file(target, text)
    else:
        moved = moved_baseline(update, runs, given, config, incomplete=incomplete)
        note(moved.message)
        if moved.text is None:
            if output is not None and not moved.exit_code and not is_same_file(output, update):
                write_file(output, update.read_bytes())
            raise typer.Exit(moved.exit_code)
        scores = moved.scores
        write_file(target, moved.text)
        note(POLICY)
    pooled = f" of {scores.runs} runs" if scores.runs > 1 else ""
    note(f"{target}: {len(scores.responses)} responses to {len(scores.lengths)} prompts{pooled}")
    if 1 < scores.runs < ENOUGH_RUNS:
        note(
            f"{scores.runs} runs say little of how far runs vary, and intervals against this baseline are "
            f"wide: make it from {ENOUGH_RUNS} or more"
        )
