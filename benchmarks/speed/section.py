"""Parts of a section of RESULTS.md: Markdown, with each figure beside its target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        work: A folder for whatever is made on the way; environments of peers in it are kept.
        rounds: How often each thing is measured, in turns; figures are medians.
    """

    work: Path
    rounds: int


@dataclass(frozen=True)
class Target:
    """A figure beside what it is to be.

    Attributes:
        what: What was measured.
        figure: What came of it.
        bound: What it is to be at most; at least where `at_least`.
        unit: Behind both, such as " s".
    """

    what: str
    figure: float
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


@dataclass(frozen=True)
class Section:
    """A part of RESULTS.md.

    Attributes:
        title: Its heading.
        text: Markdown: how it was measured, and tables.
        targets: Those of its figures that have one.
    """

    title: str
    text: str
    targets: Sequence[Target] = ()


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; all columns but the first are set to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def targets_table(targets: Iterable[Target]) -> str:
    """Each figure beside its target, and whether it is met."""
    return table(
        ("", "measured", "target", "met"),
        (
            (
                each.what,
                f"{each.figure:.3g}{each.unit}",
                f"{'≥' if each.at_least else '≤'} {each.bound:g}{each.unit}",
                "yes" if each.is_met else "**no**",
            )
            for each in targets
        ),
    )
