"""The part of VALIDITY.md about half-years of nights of an unchanged model."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.speed.section import table
from benchmarks.validity.cells import Measured
from benchmarks.validity.nights import COMMANDS, RED
from benchmarks.validity.shares import Share, marked

RED_AT_MOST = 0.02
FEW_AT_LEAST = 0.9
_HELD = ("five runs", "ten runs", COMMANDS)
"""The baselines that are held to the bounds."""


def _is_met(cell: Measured, name: str) -> bool:
    share = Share.read(cell.found[name])
    if cell.names["baseline"] not in _HELD:
        return True
    return share.is_at_most(RED_AT_MOST) if name == "red" else share.is_at_least(FEW_AT_LEAST)


def missed(done: Sequence[Measured]) -> list[str]:
    said = {"red": "red nights", "few": f"baselines with {RED} red nights or fewer"}
    return [
        f"{said[name]}, {cell.names['baseline']}, whole nights moved by {cell.names['moved']}: "
        f"{Share.read(cell.found[name])}%"
        for cell in done
        for name in said
        if not _is_met(cell, name)
    ]


def text(done: Sequence[Measured]) -> str:
    told = (
        "180 nights of an unchanged model, 120 prompts of lbw-open each, checked by the default rule against "
        "a baseline that is pooled from five or ten runs, or is one run: how many nights are red (of another "
        "exit code than 0), in percent of the nights, the mean over baselines ± its standard error, at most "
        f"{RED_AT_MOST:.0%}; and in how many of the half-years {RED} nights or fewer, or none, are red, at "
        f"least {FEW_AT_LEAST:.0%} of those with {RED} or fewer. Whole nights are moved by nothing, or by "
        "normal shifts of all lengths and scores of a night; *between* is the share of the variance of a "
        "run's S̄ that lies between whole runs. Through `pooled` and `check`, which the command calls; where "
        "runs are *imported*, through what `import`, `baseline` and `check` call, with files, 40 baselines "
        "against the same 180 nights, so that one unlucky night counts against many of them. A baseline that "
        "is *moved only when better* becomes each night that passes with a higher S̄. Bounds are of baselines "
        "of five runs and more: a single run knows nothing of what moves whole runs."
    )
    heads = ("baseline", "nights moved", "between", "baselines", "red", f"{RED} or fewer", "none", "most")
    rows = [
        (
            cell.names["baseline"],
            cell.names["moved"],
            f"{100 * cell.found['between']:.0f}%",
            cell.trials,
            *(marked(str(Share.read(cell.found[name])), met=_is_met(cell, name)) for name in ("red", "few")),
            str(Share.read(cell.found["none"])),
            cell.found["most"],
        )
        for cell in done
    ]
    return "\n\n".join([told, table(heads, rows)])
