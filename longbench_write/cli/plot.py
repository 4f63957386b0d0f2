"""`lbw-eval plot [PLACE...]`: figures of runs, as files."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from longbench_write.cli.places import Places, Strict, end, note, scored_runs


class Form(StrEnum):
    """What files are written."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


def plot(
    places: Places = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")] = Path("plots"),
    forms: Annotated[
        list[Form] | None,
        typer.Option(
            "--format",
            metavar="png|svg|pdf",
            help="May be given more than once. [png, svg]",
            show_default=False,
        ),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="Draw the verdicts of this file of `check --history`, and runs only where they are named.",
        ),
    ] = None,
    strict: Strict = False,
) -> None:
    """Draw runs: required against written length, scores by length range, the dimensions and more.

    Runs on other prompts, with another judge or convention are drawn apart, in folders of their own. The
    files' paths are printed.
    """
    from longbench_write.errors import UsageError
    from longbench_write.plots.files import write_plots
    from longbench_write.plots.history import write_history
    from longbench_write.render.terminal import escape_terminal

    chosen = [form.value for form in forms or [Form.png, Form.svg]]
    if history is not None:
        if not history.is_file():
            raise UsageError(f"--history {history} is no file: `lbw-eval check --history FILE` writes one")
        for path in write_history(history, out, chosen, note):
            sys.stdout.write(escape_terminal(f"{path}\n"))
        if not places:
            return
    found = scored_runs(places, lambda entry: entry.rows)
    for path in write_plots(found.entries, out, chosen, note):
        sys.stdout.write(escape_terminal(f"{path}\n"))
    end(found, strict=strict)
