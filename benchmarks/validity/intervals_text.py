"""The part of VALIDITY.md about intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.speed.section import table
from benchmarks.validity.cells import Measured, named
from benchmarks.validity.intervals import PROMPTS
from benchmarks.validity.shares import AT_LEAST, Share, marked
from benchmarks.validity.worlds import WORLDS
from benchmarks.validity.written import RULER, SUITE, shares


def missed(done: Sequence[Measured]) -> list[str]:
    return [
        f"{kind}, {named(cell.names)}: {share}%"
        for cell in done
        for kind, values in cell.found.items()
        if not (share := Share.read(values["coverage"])).is_at_least(AT_LEAST)
    ]


def text(done: Sequence[Measured]) -> str:
    limits = ", ".join(f"{number} as {'/'.join(map(str, shares(number).values()))}" for number in PROMPTS)
    told = (
        "Coverage of the 95% intervals of summary.json in percent ± its standard error, and behind the slash "
        f"their median width in points; bold where it is below {AT_LEAST:.0%} by over two standard errors. A "
        f"trial draws n prompts like those of {SUITE}, as many of each length range as `--limit` takes "
        f"({limits}), what a model of a world writes to them in k samples each, and a judge's scores; "
        "`summarise`, which `lbw-eval score` calls, makes the summary. The truth is the mean over all such "
        "prompts, by quadrature. Of dimensions and groups a trial has several: they are averaged within it, "
        "and the standard error is over trials. Groups are those of a run on n prompts, and have fewer.\n\n"
        "In *good*, 93 prompts of 100 get the length asked for and 7 half of it or less; in *weak* most are "
        "too short, the long ones by far; in *mixed* the ranges lie near 97, 94, 67 and 15 points of S_l; in "
        "*bimodal* 65 of 100 are good and 35 fail.\n\n"
        "The width of S_l is held by tests/scoring/test_interval_widths.py: at 6, 12 and 31 prompts to 1.1 "
        "of the betting interval's (Waudby-Smith and Ramdas 2024; 0.61 to 0.86 of it was measured), at 120 "
        "to 1.1 of that of Student's t within length ranges (0.96 to 1.01)."
    )
    rows = [cell for cell in done if "suite" not in cell.names]
    ruler = [cell for cell in done if "suite" in cell.names]
    parts = [told, _table(rows, ("n", "k"))]
    if ruler:
        parts += [
            f"{RULER}: 48 prompts on four topics, which have effects of their own; t with three degrees of "
            "freedom on topic means, widened to the interval over prompts.",
            _table(ruler, ("k",)),
        ]
    return "\n\n".join(parts)


def _table(done: Sequence[Measured], keys: Sequence[str]) -> str:
    kinds = dict.fromkeys(kind for cell in done for kind in cell.found)
    by_key: dict[tuple[object, ...], dict[str, Measured]] = defaultdict(dict)
    for cell in done:
        by_key[tuple(cell.names[key] for key in keys)][str(cell.names["world"])] = cell
    heads = ("interval", *keys, "trials", *(world.name for world in WORLDS))
    rows = [
        (kind, *key, max(cell.trials for cell in of.values()), *(_cell(of.get(w.name), kind) for w in WORLDS))
        for kind in kinds
        for key, of in by_key.items()
        if any(kind in cell.found for cell in of.values())
    ]
    return table(heads, rows)


def _cell(cell: Measured | None, kind: str) -> str:
    if cell is None or kind not in cell.found:
        return "-"
    share = Share.read(cell.found[kind]["coverage"])
    return marked(f"{share} / {cell.found[kind]['width']:.1f}", met=share.is_at_least(AT_LEAST))
