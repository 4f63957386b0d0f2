"""The runs that a command with PLACE... arguments is about."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longbench_write.render.ci_log import escape_ci_log

if TYPE_CHECKING:
    from longbench_write.compare.collection import Collection, Entry

Places = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PLACE...",
        help="Run folders, or folders with runs anywhere under them [results]",
        show_default=False,
    ),
]
"""The argument."""

Strict = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 if a run cannot be read and is left out.")
]
"""The option that goes with it."""

_NAMED = 5
"""Unscored runs that are named one by one."""


def scored_runs(places: list[Path] | None, read: Callable[[Entry], object] | None = None) -> Collection:
    """Find the scored runs in these places, results/ by default; name on stderr those that are not shown.

    Args:
        places: As the user gave them.
        read: What the command needs of a run besides its summary (see `collect`).

    Raises:
        UsageError: There is no run, or none of them is scored.
        RunFolderError: None of them can be read.
    """
    from longbench_write.compare.collection import collect

    chosen = places or [Path("results")]
    found = collect(chosen, read) if read else collect(chosen)
    for run in found.unscored[:_NAMED]:
        note(f"not scored yet: lbw-eval score {shlex.quote(str(run))}")
    if len(found.unscored) > _NAMED:
        note(f"and {len(found.unscored) - _NAMED} more are not scored yet")
    found.check_any()
    for error in found.unreadable.values():
        note(f"left out: {error}")
    return found


def end(found: Collection, *, strict: bool) -> None:
    """End a command; with `strict`, by exit code 1 if a run was left out.

    Raises:
        typer.Exit: One was.
    """
    if strict and found.unreadable:
        raise typer.Exit(1)


def note(text: str) -> None:
    """Say something on stderr."""
    print(f"lbw-eval: {escape_ci_log(text)}", file=sys.stderr)  # noqa: T201
