"""`lbw-eval leaderboard [PLACE...]`: runs ranked beside what they may be compared with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from longbench_write.cli.places import Places, Strict, end, scored_runs
from longbench_write.errors import UsageError

if TYPE_CHECKING:
    from longbench_write.compare.collection import Collection


def leaderboard(
    places: Places = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="table|md|csv|json|latex|html",
            help="csv and json hold every figure, unrounded.",
        ),
    ] = "table",
    by: Annotated[
        Literal["length", "language", "type", "dimension"],
        typer.Option(help="The breakdown beside the scores; by type it shows the score of --sort."),
    ] = "length",
    sort: Annotated[
        str,
        typer.Option(
            metavar="METRIC", help="Rank by S_bar, S_l, S_q or an added metric; S_l where nobody judged."
        ),
    ] = "S_bar",
    published: Annotated[
        bool, typer.Option("--published", help="Add published results, unranked, each with its source.")
    ] = False,
    strict: Strict = False,
) -> None:
    """Rank runs: scores with 95% intervals, a breakdown, counts and flags.

    Runs on other prompts, with another judge or convention stand in tables of their own. Where paired
    differences do not tell runs apart, the rank is a range.
    """
    from longbench_write.compare.ranking import leaderboard as ranked
    from longbench_write.leaderboards.board import TABLES, Board
    from longbench_write.leaderboards.published import published as read_published

    render = TABLES.get(form)
    found = _found(places, published=published)
    rankings = ranked(found.entries, sort=sort)
    sys.stdout.write(render(Board(rankings, by, read_published() if published else ())))
    sys.stdout.flush()
    end(found, strict=strict)


def _found(places: list[Path] | None, *, published: bool) -> Collection:
    """Find the scored runs; there need not be one where published results are shown anyway."""
    from longbench_write.compare.collection import Collection

    try:
        return scored_runs(places)
    except UsageError:
        if places or not published:
            raise
        return Collection([], [])
