"""The part of VALIDITY.md about drifts."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.speed.section import table
from benchmarks.validity.cells import Measured
from benchmarks.validity.shares import AT_MOST, Share, marked

FOUND = 0.9
"""Of drifts, within six weeks, where nights vary by no more than `CALM`."""
CALM = 0.7


def _is_met(cell: Measured, name: str) -> bool:
    share = Share.read(cell.found[name])
    if name == "none":
        return share.is_at_most(AT_MOST)
    return float(cell.names["spread"]) > CALM or share.is_at_least(FOUND)


def missed(done: Sequence[Measured]) -> list[str]:
    return [
        f"drift {name}, nights that vary by {cell.names['spread']}: {Share.read(cell.found[name])}%"
        for cell in done
        for name in cell.found
        if not _is_met(cell, name)
    ]


def text(done: Sequence[Measured]) -> str:
    told = (
        "Nights of which S_q and S_l are independent and normal around their means, S_q with this standard "
        "deviation in points and S_l with 1, looked at every night from the 14th on by the default rule: how "
        "often `check --history` tells a drift, in percent ± the standard error. Found: S_q loses 0.3 points "
        "a week, and it is told within six weeks, from the first night on or (late) after 138 nights "
        f"without a drift; at least {FOUND:.0%} where nights vary by no more than {CALM:g}. False: nothing "
        f"changes in 180 nights, and a drift is told on any of them; at most {AT_MOST:.0%}. Through "
        "`trends_held`, which the command calls."
    )
    heads = ("nights vary by", "half-years", "found", "found late", "false")
    rows = [
        (
            cell.names["spread"],
            cell.trials,
            *(
                marked(str(Share.read(cell.found[name])), met=_is_met(cell, name))
                for name in ("at once", "late", "none")
            ),
        )
        for cell in done
    ]
    return "\n\n".join([told, table(heads, rows)])
