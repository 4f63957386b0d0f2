"""`lbw-eval report [PLACE...]`: one HTML page to look at runs and read every response."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longbench_write.cli.places import Places, scored_runs
from longbench_write.errors import UsageError

if TYPE_CHECKING:
    from longbench_write.compare.collection import Entry
    from longbench_write.report import Contents


def report(
    places: Places = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.html", help="The page to write.")] = Path(
        "report.html"
    ),
) -> None:
    """Make one HTML page to look at runs: leaderboard, plots and every response.

    The page needs no other file and no network. A response's address in it is
    FILE.html#run=LABEL&id=PROMPT&sample=NUMBER, with &with=LABEL beside another run.
    """
    from longbench_write.cli.terminal import printable

    entries = scored_runs(places)
    contents = _write(entries, out)
    what = f"{_size(contents.bytes)}, runs: {contents.runs}, samples: {contents.samples}"
    sys.stdout.write(printable(f"{out}: {what}\n"))


def _write(entries: list[Entry], out: Path) -> Contents:
    """Write the page under a temporary name and move it into place."""
    from longbench_write.report import write_report

    temporary = out.with_name(out.name + ".tmp")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as target:
            contents = write_report(entries, target)
        temporary.replace(out)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}; choose another with -o") from None
    finally:
        if temporary.exists():
            temporary.unlink()
    return contents


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"
