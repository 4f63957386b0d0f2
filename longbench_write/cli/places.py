"""The runs that a command with PLACE... arguments is about."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longbench_write.errors import UsageError
from longbench_write.render.ci_log import escape_ci_log

if TYPE_CHECKING:
    from longbench_write.compare.collection import Entry

Places = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PLACE...",
        help="Run folders, or folders with runs anywhere under them [results]",
        show_default=False,
    ),
]
"""The argument."""

_NAMED = 5
"""Unscored runs that are named one by one."""


def scored_runs(places: list[Path] | None) -> list[Entry]:
    """Return the scored runs in these places, results/ by default; name unscored ones on stderr.

    Raises:
        UsageError: There is no run, or none of them is scored.
    """
    from longbench_write.compare.collection import collect

    found = collect(places or [Path("results")])
    for run in found.unscored[:_NAMED]:
        note(f"not scored yet: lbw-eval score {shlex.quote(str(run))}")
    if len(found.unscored) > _NAMED:
        note(f"and {len(found.unscored) - _NAMED} more are not scored yet")
    if not found.entries:
        raise UsageError("none of these runs is scored yet: score them with lbw-eval score RUN")
    return found.entries


def note(text: str) -> None:
    """Say something on stderr."""
    print(f"lbw-eval: {escape_ci_log(text)}", file=sys.stderr)  # noqa: T201
