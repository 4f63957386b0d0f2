"""The part of VALIDITY.md about the gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.speed.section import table
from benchmarks.validity.cells import Measured, named
from benchmarks.validity.gate import MARGIN
from benchmarks.validity.shares import AT_MOST, Share, marked
from benchmarks.validity.worlds import WORLDS

POWER = 0.8
"""The chance with which a drop of the stated size is to be found, less two standard errors."""


def _held(cell: Measured) -> Iterator[tuple[str, Share, bool]]:
    """Yield what a cell's figures are held to: their key, the share, and whether it keeps its bound."""
    if cell.names["pairs"] == "apart":
        found = Share.read(cell.found["found"])
        yield "found", found, found.is_at_least(POWER)
        return
    if cell.names["pairs"] == "worse by the margin":
        passed = Share.read(cell.found["0"])
        yield "0", passed, passed.is_at_most(AT_MOST)
        return
    code = {name: Share.read(values) for name, values in cell.found.items()}
    yield "3", code["3"], code["3"].is_at_most(AT_MOST)
    if cell.names["pairs"] == "lacking":
        few = cell.names["percent"] == 1
        one_response = few and (cell.names["lost"], cell.names["where"]) == ("responses", "at random")
        yield "1", code["1"], not one_response or code["1"].is_at_most(AT_MOST)
        yield "0", code["0"], few or code["0"].is_at_most(AT_MOST)


NAMES: Mapping[str, str] = {
    "found": "drops found of the size that is stated",
    "0": "passed",
    "1": "cannot tell",
    "3": "regression",
}


def missed(done: Sequence[Measured]) -> list[str]:
    return [
        f"{NAMES[key]}, {named(cell.names)}: {share}%"
        for cell in done
        for key, share, met in _held(cell)
        if not met
    ]


def text(done: Sequence[Measured]) -> str:
    kinds: dict[str, list[Measured]] = defaultdict(list)
    for cell in done:
        kinds[str(cell.names["pairs"])].append(cell)
    parts = [
        "Two runs on the same prompts, drawn as above, through `check`, which `lbw-eval check` calls, with "
        "its default rule. Shares of verdicts in percent ± their standard error."
    ]
    if alike := kinds.get("alike"):
        told = f"**Two models that are alike: false alarms** (exit code 3), at most {AT_MOST:.0%}."
        parts += [told, _table(alike, ("n", "k"), _alarm)]
    if apart := kinds.get("apart"):
        parts += [
            "**A drop in S_l as large as the verdicts state that they detect:** how often S_l is found to "
            f"have regressed, {POWER:.0%} as stated; behind the slash the drop, and the mean stated.",
            _table(apart, ("n", "k"), _power),
        ]
    if margin := kinds.get("worse by the margin"):
        told = (
            f"**A model whose S_l is lower by {MARGIN:g} points**, checked with `--metric S_l "
            f"--non-inferiority {MARGIN:g}`: how often it passes, at most {AT_MOST:.0%}."
        )
        parts += [told, _table(margin, ("n",), _alarm)]
    if lacking := kinds.get("lacking"):
        parts += [
            "**Two models that are alike, and the second lacks some of 120 responses:** exit codes 0 / 1 / 3 "
            f"in percent. 3 is to be at most {AT_MOST:.0%}; so is 1, where one response is lost at random; "
            "and 0, where 5% or more are lost.",
            _table(lacking, ("lost", "where", "percent"), _codes),
        ]
    return "\n\n".join(parts)


def _alarm(cell: Measured) -> str:
    _, share, met = next(_held(cell))
    return marked(str(share), met=met)


def _power(cell: Measured) -> str:
    _, share, met = next(_held(cell))
    return marked(f"{share} / {cell.found['drop']:.1f}, {cell.found['detectable']:.1f}", met=met)


def _codes(cell: Measured) -> str:
    codes = reversed(list(_held(cell)))
    return " / ".join(marked(f"{100 * share.value:.0f}", met=met) for _, share, met in codes)


def _table(done: Sequence[Measured], keys: Sequence[str], shown: object) -> str:
    by_key: dict[tuple[object, ...], dict[str, Measured]] = defaultdict(dict)
    for cell in done:
        by_key[tuple(cell.names[key] for key in keys)][str(cell.names["world"])] = cell
    worlds = [world.name for world in WORLDS if any(world.name in of for of in by_key.values())]
    rows = [
        (*key, max(cell.trials for cell in of.values()), *(shown(of[w]) if w in of else "-" for w in worlds))  # type: ignore[operator]
        for key, of in by_key.items()
    ]
    return table((*keys, "trials", *worlds), rows)
