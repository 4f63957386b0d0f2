"""The part of VALIDITY.md about the contamination gap."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.speed.section import table
from benchmarks.validity.cells import Measured
from benchmarks.validity.shares import AT_MOST, Share, marked


def missed(done: Sequence[Measured]) -> list[str]:
    return [
        f"gap of {name}, {cell.names['ratio']} of what is asked, spread {cell.names['spread']}: {share}%"
        for cell in done
        for name, values in cell.found.items()
        if not (share := Share.read(values)).is_at_most(AT_MOST)
    ]


def text(done: Sequence[Measured]) -> str:
    told = (
        "A model that writes a share of what a prompt asks for, as its rule words it, with log-normal noise "
        "of this spread, on each prompt of lbw-open and the one that it mirrors: how often the interval of "
        f"the gap leaves 0 out, in percent ± the standard error, at most {AT_MOST:.0%}. Through "
        "`contamination_gap` and `mirrored`, which `lbw-eval contamination` calls."
    )
    names = list(dict.fromkeys(name for cell in done for name in cell.found))
    heads = ("written", "spread", "trials", *names)
    rows = [
        (
            cell.names["ratio"],
            cell.names["spread"],
            cell.trials,
            *(_cell(cell.found[name]) if name in cell.found else "-" for name in names),
        )
        for cell in done
    ]
    return "\n\n".join([told, table(heads, rows)])


def _cell(values: dict[str, object]) -> str:
    share = Share.read(values)
    return marked(str(share), met=share.is_at_most(AT_MOST))
