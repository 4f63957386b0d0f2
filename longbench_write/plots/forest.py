"""Scores of many models: a row a model, named at its left, and a column a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from longbench_write.plots.fonts import labels
from longbench_write.plots.style import FAINT, KEY, Look, grid

MANY = 8
"""With more models than this their marks stand in rows and not side by side."""

_MARK: dict[str, Any] = {"markersize": 4.5, "clip_on": False}


@dataclass(frozen=True)
class Mark:
    """A value in a column (from 0) and at the height of a row, or somewhat beside it."""

    row: float
    column: int
    value: float
    interval: tuple[float, float] | None
    look: Look


def height(rows: int) -> float:
    """Return the inches that so many rows take."""
    return 0.7 + 0.21 * rows


def draw_rows(
    figure: Figure,
    names: Sequence[str],
    columns: Sequence[str],
    marks: Sequence[Mark],
    ends: tuple[float, float] | None = (0.0, 100.0),
) -> None:
    """Draw marks into the empty figure.

    Args:
        figure: Where.
        names: Of the rows; may be untrusted text.
        columns: What stands above each.
        marks: What is drawn.
        ends: Of the scale; None for as long as the marks need.
    """
    panels = grid(figure, len(columns), len(columns), sharex=True, sharey=True)
    for place, (axes, title) in enumerate(zip(panels, columns, strict=True)):
        axes.set_title(title, fontsize=KEY)
        for row in range(0, len(names), 2):
            axes.axhspan(row - 0.5, row + 0.5, color=FAINT, alpha=0.35, linewidth=0)
        for mark in marks:
            if mark.column == place:
                if mark.interval:
                    axes.plot(mark.interval, [mark.row] * 2, color=mark.look.colour, linewidth=1.1)
                axes.plot(mark.value, mark.row, color=mark.look.colour, marker=mark.look.marker, **_MARK)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(names)), labels(names, 24))
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    if ends:
        low, high = ends
        quarters = [low + quarter * (high - low) / 4 for quarter in range(5)]
        panels[0].set_xlim(low, high)
        panels[0].set_xticks(quarters, [f"{low:g}", "", f"{quarters[2]:g}", "", f"{high:g}"])
