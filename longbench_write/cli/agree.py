"""`lbw-eval agree RUN`: how far the judges of a run agree."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longbench_write.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from rich.table import Table

    from longbench_write.compare.agreement import Agreement, Consistency

HUMAN = "human"


def agree(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    judges: Annotated[
        str | None, typer.Option(help="Only these judges' labels, separated by commas.", metavar="A,B")
    ] = None,
    human: Annotated[
        Path | None,
        typer.Option(help="CSV of people's scores: id, sample and the six dimensions.", metavar="FILE"),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw it: a .png, .svg or .pdf file.", metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the tables.")] = False,
) -> None:
    """Show how far the judges of a run agree: with each other, with people, and with themselves.

    Each pair has a row a dimension: agreement, kappa with quadratic weights, Krippendorff's alpha, rank
    correlation, and how far the second scores above the first.
    """
    from longbench_write.compare.agreement import agree as compare
    from longbench_write.compare.agreement import consistency, medians, read_human_scores, repeats_by_judge
    from longbench_write.runs.store import load_run

    repeats = repeats_by_judge(load_run(run).judgements)
    chosen = _chosen(judges, list(repeats))
    scores = {judge: medians(repeats[judge]) for judge in chosen}
    if human:
        scores = {HUMAN: read_human_scores(human)} | scores
    pairs = {(one, two): compare(scores[one], scores[two]) for one, two in itertools.combinations(scores, 2)}
    own = [found for judge in chosen if (found := consistency(judge, repeats[judge]))]
    if not pairs and not own:
        raise UsageError(
            f"{run} has valid judgements of {len(chosen)} judge, each response once: "
            "agreement needs a second judge (`lbw-eval judge`), repeats, or --human FILE"
        )
    if plot:
        from longbench_write.cli.figure import save_figure
        from longbench_write.plots.agreement import agreement_figure

        save_figure(plot, lambda: agreement_figure(pairs, title=str(run)))
    if as_json:
        sys.stdout.write(_json(pairs, own))
    else:
        _show(pairs, own)


def _chosen(judges: str | None, known: list[str]) -> list[str]:
    names = [name.strip() for name in (judges or "").split(",") if name.strip()] or sorted(known)
    for name in names:
        if name not in known:
            raise unknown_name("judge of this run", name, known)
    return list(dict.fromkeys(names))


def _json(pairs: dict[tuple[str, str], list[Agreement]], own: Sequence[Consistency]) -> str:
    value = {
        "pairs": [
            {"first": one, "second": two, "rows": [dataclasses.asdict(row) for row in rows]}
            for (one, two), rows in pairs.items()
        ],
        "consistency": [dataclasses.asdict(found) for found in own],
    }
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _show(pairs: dict[tuple[str, str], list[Agreement]], own: Sequence[Consistency]) -> None:
    from longbench_write.render.console import console

    screen = console()
    for (one, two), rows in pairs.items():
        screen.print(_pair_table(one, two, rows))
    if own:
        screen.print(_own_table(own))


def _pair_table(one: str, two: str, rows: Sequence[Agreement]) -> Table:
    from longbench_write.cli.table import plain_table

    table = plain_table(f"{two} beside {one} · {rows[-1].n} responses")
    table.add_column("")
    for name in ("exact", "within 1", "kappa", "alpha", "Spearman", "offset", "95% interval"):
        table.add_column(name, justify="right")
    for row in rows:
        interval = f"{row.offset_ci[0]:+.2f} to {row.offset_ci[1]:+.2f}" if row.offset_ci else "-"
        table.add_row(
            row.dimension,
            _percent(row.exact),
            _percent(row.within_one),
            *(_figure(value) for value in (row.kappa, row.alpha, row.spearman)),
            f"{row.offset:+.2f}",
            interval,
        )
    return table


def _own_table(own: Sequence[Consistency]) -> Table:
    from rich.text import Text

    from longbench_write.cli.table import plain_table
    from longbench_write.render.ci_log import escape_ci_log

    table = plain_table("each judge beside itself, over its repeats")
    table.add_column("")
    for name in ("responses", "exact", "within 1", "alpha", "deviation"):
        table.add_column(name, justify="right")
    for found in own:
        table.add_row(
            Text(escape_ci_log(found.judge)),
            str(found.n),
            _percent(found.exact),
            _percent(found.within_one),
            _figure(found.alpha),
            f"{found.deviation:.2f}",
        )
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
