"""The part of VALIDITY.md about ranks."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.speed.section import table
from benchmarks.validity.cells import Measured, named
from benchmarks.validity.shares import AT_MOST, Share, marked


def missed(done: Sequence[Measured]) -> list[str]:
    return [
        f"a wrong rank, {named(cell.names)}: {share}%"
        for cell in done
        if not (share := Share.read(cell.found["wrong"])).is_at_most(AT_MOST)
    ]


def text(done: Sequence[Measured]) -> str:
    told = (
        "Blocks of judged runs on the same n prompts, drawn as above, through `leaderboard`, which the "
        "command calls: how many have a rank that lies outside its set, in percent ± the standard error, at "
        f"most {AT_MOST:.0%}; and how many ranks a set leaves open on average. Models are *alike*; every "
        "second run is one of the *copies* of the run before; every second run is *incomplete*, by its worst "
        "5% of responses; every second model has the same mean and the *opposite* shape, as it never fails; "
        "or models stand *in steps* of two, each 2% shorter than the one above. Of 31 prompts, a run of a "
        "*good* model fails at none in one case of ten: what no prompt shows, no correction knows."
    )
    rows = []
    for cell in done:
        share = Share.read(cell.found["wrong"])
        shown = marked(str(share), met=share.is_at_most(AT_MOST))
        names = [cell.names[key] for key in ("models", "kind", "world", "n")]
        rows.append((*names, cell.trials, shown, f"{cell.found['open']:.1f}"))
    heads = ("models", "block", "world", "n", "trials", "wrong", "ranks open")
    return "\n\n".join([told, table(heads, rows)])
