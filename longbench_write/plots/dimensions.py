"""The six dimensions of S_q: dots in rows, and beside them the radar that papers show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from longbench_write.compare.collection import Block
from longbench_write.metrics.quality import DIMENSIONS, SIX
from longbench_write.plots.fonts import labels, wrapped
from longbench_write.plots.forest import MANY, Mark, draw_rows, height
from longbench_write.plots.legible import across, judged_counts, note
from longbench_write.plots.scores import model_keys
from longbench_write.plots.style import FAINT, KEY, KEY_WIDTH, Look, dodge, grid, look, new_figure

OVERLAID = 5
"""Models in one radar at most; more get one each."""
TITLE = "Quality by dimension"
SCALE = (
    f"A dimension's score is its mean of {SIX.low} to {SIX.high}, less {SIX.low}, "
    f"times {SIX.points(SIX.low + 1):g}."
)


@dataclass(frozen=True)
class DimensionPoint:
    """One dimension of one run, 0 to 100; `place` is the run's in the block, from 0."""

    place: int
    dimension: str
    value: float


def points(block: Block) -> list[DimensionPoint]:
    """Return a point a run and dimension, in the official order of dimensions."""
    return [
        DimensionPoint(place, name, value)
        for place, entry in enumerate(block.entries)
        for name in DIMENSIONS
        if (value := entry.summary.dimensions[name]) is not None
    ]


def draw(block: Block) -> Figure:
    """Draw a row a dimension and a dot a model, or for many models a row a model."""
    found = points(block)
    runs = len(block.entries)
    many = runs > MANY
    figure = new_figure(
        9.6 if many else 7.2,
        height(runs) if many else max(2.8, 6 * (0.25 + 0.11 * runs)),
        title=TITLE,
        subtitle=f"{block.title}\n{judged_counts(block)}",
        note=note(block, SCALE),
        keys=() if many else model_keys(block, {point.place for point in found}, lines=False),
    )
    if many:
        names = [entry.label for entry in block.entries]
        heads = [name.replace(" and ", "\nand ").replace(" Exp", "\nExp") for name in DIMENSIONS]
        draw_rows(figure, names, heads, [_mark(point, look(0)) for point in found])
    else:
        _dots(figure.subplots(), found, runs)
    return figure


def _mark(point: DimensionPoint, style: Look) -> Mark:
    return Mark(point.place, DIMENSIONS.index(point.dimension), point.value, None, style)


def _dots(axes: Axes, found: Sequence[DimensionPoint], runs: int) -> None:
    for row in range(0, len(DIMENSIONS), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=FAINT, alpha=0.35, linewidth=0)
    for point in found:
        style = look(point.place)
        y = DIMENSIONS.index(point.dimension) + dodge(runs)[point.place]
        axes.plot(point.value, y, color=style.colour, marker=style.marker, markersize=6, clip_on=False)
    axes.set_yticks(range(len(DIMENSIONS)), DIMENSIONS)
    axes.set_ylim(len(DIMENSIONS) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("Score of the dimension (0 to 100)")
    axes.grid(axis="y", visible=False)


def draw_radar(block: Block) -> Figure:
    """Draw the same as polygons, in one radar or, for many models, one each."""
    found = points(block)
    judged = sorted({point.place for point in found})
    panels = [judged] if len(judged) <= OVERLAID else [[place] for place in judged]
    beside = across(len(panels))
    wide = 6.5 if len(panels) == 1 else 2.9 * beside
    down = math.ceil(len(panels) / beside)
    figure = new_figure(
        wide,
        4.2 if len(panels) == 1 else 2.6 * down,
        title=TITLE,
        subtitle=f"{block.title}\n{judged_counts(block)}",
        note=note(block, f"{SCALE} 0 is the centre, 100 the outer ring; areas mean nothing."),
        keys=model_keys(block, judged) if len(panels) == 1 else (),
    )
    names = labels((entry.label for entry in block.entries), KEY_WIDTH)
    circles = cast("list[PolarAxes]", grid(figure, len(panels), beside, subplot_kw={"projection": "polar"}))
    for axes, places in zip(circles, panels, strict=True):
        _spokes(axes, small=len(panels) > 1)
        for place in places:
            _polygon(axes, [point for point in found if point.place == place], place)
        if len(panels) > 1:
            axes.set_title(wrapped(names[places[0]], 22, 2), fontsize=KEY, loc="center")
    return figure


def _spokes(axes: PolarAxes, *, small: bool) -> None:
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(0, 100)
    axes.set_yticks([25, 50, 75, 100], ["", "50", "", "100"])
    names = [name.replace(" and ", " and\n") if small else name for name in DIMENSIONS]
    axes.set_xticks([_angle(name) for name in DIMENSIONS], names)
    axes.tick_params(labelsize=KEY - 1.5 if small else KEY, pad=1 if small else 4)
    axes.spines["polar"].set_visible(False)


def _angle(dimension: str) -> float:
    return DIMENSIONS.index(dimension) / len(DIMENSIONS) * math.tau


def _polygon(axes: PolarAxes, found: Sequence[DimensionPoint], place: int) -> None:
    closed = [*found, *found[:1]]
    style = look(place)
    axes.plot(
        [_angle(point.dimension) for point in closed],
        [point.value for point in closed],
        color=style.colour,
        marker=style.marker,
        linestyle=style.line,
    )
