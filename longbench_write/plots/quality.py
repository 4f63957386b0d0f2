"""S_l against S_q: a cross a model, its arms the intervals, over lines of equal S̄."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from longbench_write.compare.collection import Block
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR, S_Q, partner
from longbench_write.plots.legible import judged_counts, note, unjudged, unmeasured
from longbench_write.plots.scores import model_keys, name_axis
from longbench_write.plots.style import FAINT, MATH, SMALL, SOFT, look, new_figure
from longbench_write.scoring.figures import interval_in


@dataclass(frozen=True)
class QualityPoint:
    """One run's scores; an interval is None for fewer than two prompts.

    Attributes:
        place: Of the run in the block, from 0.
    """

    place: int
    length: float
    quality: float
    length_interval: tuple[float, float] | None
    quality_interval: tuple[float, float] | None


def points(block: Block) -> list[QualityPoint]:
    """Return a point a run that has both scores."""
    return [
        QualityPoint(
            place,
            entry.summary.S_l,
            entry.summary.S_q,
            interval_in(entry.summary.overall, S_L),
            interval_in(entry.summary.overall, S_Q),
        )
        for place, entry in enumerate(block.entries)
        if entry.summary.S_l is not None and entry.summary.S_q is not None
    ]


def lacking(block: Block) -> str | None:
    """Return why there is nothing to draw; None where there is."""
    if points(block):
        return None
    return unjudged(block) or unmeasured(block) or "no run has both S_l and S_q"


def draw(block: Block) -> Figure:
    """Draw the figure, its axes as long as the models' scores need."""
    found = points(block)
    figure = new_figure(
        6.5,
        5.2,
        title="Quality and length",
        subtitle=f"{block.title}\n{judged_counts(block)}",
        note=note(block, "Arms: 95% intervals over prompts."),
        keys=model_keys(block, {point.place for point in found}, lines=False),
    )
    axes = figure.subplots()
    x, y = windows(found)
    _equal_means(axes, x, y)
    for point in found:
        style = look(point.place)
        if point.length_interval:
            axes.plot(point.length_interval, [point.quality] * 2, color=style.colour, linewidth=1.1)
        if point.quality_interval:
            axes.plot([point.length] * 2, point.quality_interval, color=style.colour, linewidth=1.1)
        axes.plot(
            point.length,
            point.quality,
            color=style.colour,
            marker=style.marker,
            markersize=7,
            linestyle="",
            clip_on=False,
        )
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.set_box_aspect(1)
    name_axis(axes, S_L, x=True)
    name_axis(axes, S_Q)
    return figure


def windows(found: Sequence[QualityPoint]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where the axes of S_l and S_q begin and end: equally far apart, multiples of ten."""
    ends = [
        [point.length for point in found] + [end for point in found for end in point.length_interval or ()],
        [point.quality for point in found] + [end for point in found for end in point.quality_interval or ()],
    ]
    tens = [(math.floor((min(one) - 2) / 10), math.ceil((max(one) + 2) / 10)) for one in ends]
    tens = [(max(low, 0), min(high, 10)) for low, high in tens]
    long = max(4, *(high - low for low, high in tens))
    starts = [min(max(low - (long - (high - low)) // 2, 0), 10 - long) for low, high in tens]
    x, y = ((10 * start, 10 * (start + long)) for start in starts)
    return x, y


def _equal_means(axes: Axes, x: tuple[int, int], y: tuple[int, int]) -> None:
    """Draw lines on which S̄ is 5, 10, 15 and so on; every second one has its label."""
    axes.grid(visible=False)
    for mean in range(5, 100, 5):
        left, right = max(x[0], partner(mean, y[1])), min(x[1], partner(mean, y[0]))
        if left >= right:
            continue
        ends = [partner(mean, left), partner(mean, right)]
        axes.plot([left, right], ends, color=FAINT, linewidth=0.8, zorder=0)
        if mean % 10 == 0 and right - left > (x[1] - x[0]) / 5:
            axes.annotate(
                f"{MATH[S_BAR.name]} = {mean}",
                (left, partner(mean, left)),
                xytext=(6, -3),
                textcoords="offset points",
                fontsize=SMALL,
                color=SOFT,
                parse_math=True,
                rotation=-45,
                rotation_mode="anchor",
                zorder=0,
            )
