"""What an experiment is and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crash_tests import FILES, Outcome, Results, Trial

KILLS, SEED = 50, 8
PROMPTS = 24


@dataclass(frozen=True)
class Whole:
    """An undisturbed run: what it left, how many requests it made, and the sizes of its files."""

    results: Results
    requests: int
    sizes: Mapping[str, int]

    @classmethod
    def of(cls, place: Path, **options: Any) -> Whole:
        """Make one."""
        with Trial(place, **options) as trial:
            done = trial.finish()
            if done.returncode:
                raise SystemExit(done.stderr)
            sizes = {name: (trial.run / name).stat().st_size for name in FILES}
            return cls(Results.read(trial.run), len(trial.requests), sizes)


@dataclass
class Row:
    """A row of the table: what was done, how often, and what came of it."""

    fault: str
    injected: int
    outcome: Outcome


Experiment = Callable[[Path, Whole], list[Row]]


HEADS = ("fault", "injected", "lost", "doubled", "extra requests", "smallest possible", "same results")


def table(rows: Iterable[Row]) -> str:
    """Return the rows as Markdown."""
    cells = [
        (row.fault, row.injected, out.lost, out.doubled, out.extra, out.least, "yes" if out.equal else "NO")
        for row in rows
        for out in [row.outcome]
    ]
    lines = (HEADS, ("---", *["---:"] * 5, "---"), *cells)
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def read_table(text: str) -> list[Row]:
    """Read the rows of a table in Markdown again."""
    lines = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    return [
        Row(fault, int(injected), Outcome(*map(int, counts), equal == "yes"))
        for fault, injected, *counts, equal in lines[2:]
    ]


def added(rows: Iterable[Row]) -> list[Row]:
    """One row a fault: the sums over those of the same name."""
    found: dict[str, Row] = {}
    for row in rows:
        if (known := found.get(row.fault)) is None:
            found[row.fault] = row
            continue
        known.injected += row.injected
        for name in ("lost", "doubled", "extra", "least"):
            setattr(known.outcome, name, getattr(known.outcome, name) + getattr(row.outcome, name))
        known.outcome.equal &= row.outcome.equal
        known.outcome.said = known.outcome.said or row.outcome.said
    return list(found.values())
