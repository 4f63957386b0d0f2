"""Cells: what is measured and written down at once, so that a stopped measurement goes on."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from longbench_write.files.jsonl import read_jsonl

ROOT = Path(__file__).parents[2]

Names = Mapping[str, str | int]


@dataclass(frozen=True)
class Cell:
    """One thing to measure.

    Attributes:
        names: What it is, within its section, such as {"world": "good", "n": 60, "k": 1}.
        trials: How often.
        measure: Returns what is kept of it, as JSON has it, from a generator of its own and `trials`.
    """

    names: Names
    trials: int
    measure: Callable[[np.random.Generator, int], dict[str, Any]] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Measured:
    """A cell that was measured, as its line says.

    Attributes:
        section: The name of its section.
        names: As `Cell.names`.
        trials: As `Cell.trials`.
        found: What `Cell.measure` returned.
        seconds: How long that took.
        code: The hash of the code that was measured, see `code_of`.
    """

    section: str
    names: Names
    trials: int
    found: dict[str, Any]
    seconds: float
    code: str


@dataclass(frozen=True)
class Section:
    """A part of VALIDITY.md; `sections.py` lists them.

    Attributes:
        name: In the file of cells, and of `--only`.
        title: Its heading.
        cells: Lists what is to be measured, in full or the quick part.
        text: Makes Markdown of what was measured.
        missed: Names what misses its bound, a sentence each.
        code: The files and folders that it measures, from the repository's root.
    """

    name: str
    title: str
    cells: Callable[[bool], Sequence[Cell]]
    text: Callable[[Sequence[Measured]], str]
    missed: Callable[[Sequence[Measured]], list[str]]
    code: Sequence[str]


MEANS = (
    "longbench_write/metrics",
    "longbench_write/stats.py",
    *(
        f"longbench_write/scoring/{name}.py"
        for name in (
            "bounded_mean",
            "figures",
            "groups",
            "intervals",
            "range_means",
            "rows",
            "scoring",
            "summary",
        )
    ),
)
"""What makes means and their intervals of responses, whatever their texts show."""


def code_of(section: Section) -> str:
    """Return a hash of what a section measures, and of how: cells of other code are measured again."""
    here = Path(__file__).parent
    own = sys.modules[section.cells.__module__].__file__ or ""
    digest = hashlib.sha256()
    shared = [here / name for name in ("shares.py", "worlds.py", "written.py")]
    for place in (*map(ROOT.joinpath, section.code), *shared, Path(own)):
        for path in sorted(place.rglob("*.*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


class CellFile:
    """The cells that were measured, in a file that only grows."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:  # the last line was torn
            path.write_bytes(whole)
        path.touch()
        self._path = path
        self._known = [Measured(**line.value) for line in read_jsonl(path)]

    def find(self, section: Section, cell: Cell, code: str) -> Measured | None:
        """Return a cell as it was measured, with as many trials or more; the most there are."""
        fitting = [
            each
            for each in self._known
            if (each.section, each.code) == (section.name, code)
            and each.names == cell.names
            and each.trials >= cell.trials
        ]
        return max(fitting, key=lambda each: each.trials, default=None)

    def add(self, measured: Measured) -> None:
        """Write a cell down."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(vars(measured)) + "\n")
        self._known.append(measured)


def measure(
    section: Section, file: CellFile, *, quick: bool, until: float, tell: Callable[[str], object]
) -> list[Measured]:
    """Measure what is not on file yet, until there is no time left.

    Args:
        section: Whose cells.
        file: Where they are.
        quick: Measure the quick part alone.
        until: Of the monotonic clock: no cell begins after it.
        tell: Called with a line for each cell that is done.

    Returns:
        The cells on file, those that were measured now among them.
    """
    code = code_of(section)
    done = []
    for cell in section.cells(quick):
        found = file.find(section, cell, code)
        if found is None and time.monotonic() < until:
            began = time.monotonic()
            found = Measured(
                section.name,
                dict(cell.names),
                cell.trials,
                cell.measure(np.random.default_rng(_seed(section, cell)), cell.trials),
                round(time.monotonic() - began, 1),
                code,
            )
            file.add(found)
            tell(f"{section.name} {named(cell.names)}: {cell.trials} trials in {found.seconds:.0f} s")
        if found:
            done.append(found)
    return done


def _seed(section: Section, cell: Cell) -> list[int]:
    return list(f"{section.name} {named(cell.names)}".encode())


def named(names: Names) -> str:
    """Return a cell's name for people."""
    return ", ".join(value if isinstance(value, str) else f"{key} = {value}" for key, value in names.items())


def trials_of(measured: Iterable[Measured]) -> str:
    """Return how many trials each of some cells had."""
    numbers = sorted({each.trials for each in measured})
    return f"{numbers[0]:,}" if numbers[0] == numbers[-1] else f"{numbers[0]:,} to {numbers[-1]:,}"
