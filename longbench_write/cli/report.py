"""`lbw-eval report [PLACE...]`: one HTML page to look at runs and read every response."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from longbench_write.cli.places import Places, Strict, end, scored_runs
from longbench_write.files.output import output_file


def report(
    places: Places = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.html", help="The page to write.")] = Path(
        "report.html"
    ),
    strict: Strict = False,
) -> None:
    """Make one HTML page to look at runs: leaderboard, plots and every response.

    The page needs no other file and no network. A response's address in it is
    FILE.html#run=LABEL&id=PROMPT&sample=NUMBER, with &with=LABEL beside another run.
    """
    from longbench_write.render.terminal import escape_terminal
    from longbench_write.reports import read_all, write_report

    found = scored_runs(places, read_all)
    with output_file(out) as target:
        contents = write_report(found.entries, target)
    what = f"{_size(contents.bytes)}, runs: {contents.runs}, samples: {contents.samples}"
    sys.stdout.write(escape_terminal(f"{out}: {what}\n"))
    end(found, strict=strict)


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"
