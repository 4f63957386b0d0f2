"""Metrics by length range: a panel a metric, the models side by side with their intervals."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from longbench_write.compare.collection import Block
from longbench_write.metrics.base import Metric
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_Q
from longbench_write.plots.fonts import labels, shown
from longbench_write.plots.forest import MANY, Mark, draw_rows, height
from longbench_write.plots.legible import counted, note
from longbench_write.plots.style import KEY, KEY_WIDTH, MATH, Look, dodge, grid, look, new_figure
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.suites.suite import LENGTH_RANGES

TITLE = "Scores by required length"
INTERVALS = "Bars: 95% intervals over prompts."
RANGES = "Required length (words; Chinese: characters) and number of responses"


@dataclass(frozen=True)
class RangePoint:
    """A metric's value over one run's responses in one length range.

    Attributes:
        place: Of the run in the block, from 0.
        group: The length range.
        n: Responses behind the score.
        interval: None for fewer than two prompts.
    """

    place: int
    group: str
    n: int
    value: float
    interval: tuple[float, float] | None


def points(block: Block, metric: Metric) -> list[RangePoint]:
    """Return a point a run and length range that has a value of this metric."""
    return [
        RangePoint(
            place,
            row["range"],
            row["judged" if metric.needs_judge else "n"],
            value,
            interval_in(row, metric),
        )
        for place, entry in enumerate(block.entries)
        for row in entry.summary.by_length
        if (value := value_in(row, metric)) is not None
    ]


def title(metric: Metric) -> str:
    """Return a metric's name in words and its symbol, for `parse_math=True` if it is built in."""
    return f"{metric.title.capitalize()} score {MATH[metric.name]}" if metric.name in MATH else metric.label


def scale(metric: Metric) -> str:
    """Return a scale's words: what a metric's values are, in brackets."""
    return f"({metric.range[0]:g} to {metric.range[1]:g})" if metric.range else f"({metric.unit})"


def name_axis(axes: Axes, metric: Metric, *, x: bool = False) -> None:
    """Name an axis of a metric's values; what others call their metric is untrusted text, no mathematics."""
    name = axes.set_xlabel if x else axes.set_ylabel
    if metric.name in MATH:
        name(f"{title(metric)} {scale(metric)}", parse_math=True)
    else:
        name(shown(f"{title(metric)} {scale(metric)}", KEY_WIDTH), parse_math=False)


def model_keys(block: Block, places: Container[int] | None = None, *, lines: bool = True) -> list[Line2D]:
    """Return what tells the models of a figure apart.

    Args:
        block: The models.
        places: Only those at these places, from 0; None for all.
        lines: Whether the figure joins a model's marks by a line.
    """
    return [
        Line2D(
            [],
            [],
            color=style.colour,
            marker=style.marker,
            linestyle=style.line if lines else "",
            label=name,
        )
        for place, name in enumerate(labels((entry.label for entry in block.entries), KEY_WIDTH))
        if (places is None or place in places) and (style := look(place))
    ]


def draw(block: Block) -> Figure:
    """Draw the figure; where no length range has a judgement it has no S_q."""
    return _draw(block, [S_L, S_Q] if points(block, S_Q) else [S_L], TITLE)


def lacking(metric: Metric, block: Block) -> str | None:
    """Return why a metric has no figure; None where it has one."""
    return None if points(block, metric) else "no response to a prompt with a required length has a value"


def draw_metric(metric: Metric, block: Block) -> Figure:
    """Draw the figure of one metric that is not built in."""
    return _draw(block, [metric], f"{metric.symbol} by required length")


def _draw(block: Block, metrics: Sequence[Metric], heading: str) -> Figure:
    if len(block.entries) > MANY:
        return _draw_many(block, metrics, heading)
    figure = new_figure(
        5.5 + 0.5 * max(2, len(block.entries)),
        2.7 * len(metrics),
        title=heading,
        subtitle=block.title,
        note=note(block, INTERVALS),
        keys=model_keys(block),
    )
    panels = grid(figure, len(metrics), 1)
    for axes, metric in zip(panels, metrics, strict=True):
        found = points(block, metric)
        looks = [(look(place), place) for place in range(len(block.entries))]
        range_panel(
            axes,
            [(style, [point for point in found if point.place == place]) for style, place in looks],
            metric.range,
        )
        name_axis(axes, metric)
    panels[-1].set_xlabel(RANGES)
    return figure


def _draw_many(block: Block, metrics: Sequence[Metric], heading: str) -> Figure:
    """Draw a row a model, a column a length range; the metrics are of one range."""
    found = [points(block, metric) for metric in metrics]
    groups = _ranges(found[0])
    counts = [counted(point.n for point in found[0] if point.group == group) for group in groups]
    keys = [
        Line2D([], [], color=style.colour, marker=style.marker, linestyle="", label=_words(metric))
        for style, metric in zip(map(look, range(len(metrics))), metrics, strict=True)
    ]
    figure = new_figure(
        2.4 + 1.7 * len(groups),
        height(len(block.entries)),
        title=heading,
        subtitle=block.title,
        note=note(block, f"{INTERVALS} Columns: required length in words, and number of responses."),
        keys=keys,
    )
    draw_rows(
        figure,
        [entry.label for entry in block.entries],
        [f"{group}\n{n}" for group, n in zip(groups, counts, strict=True)],
        [
            Mark(point.place + offset, groups.index(point.group), point.value, point.interval, look(place))
            for place, (one, offset) in enumerate(zip(found, dodge(len(found), 0.36), strict=True))
            for point in one
        ],
        metrics[0].range,
    )
    return figure


def _words(metric: Metric) -> str:
    """Return a metric for a legend, without mathematics."""
    name = f"{metric.title} score {metric.symbol}" if metric.name in MATH else metric.label
    return f"{name} {scale(metric)}"


def _ranges(found: Sequence[RangePoint]) -> list[str]:
    return [label for label in LENGTH_RANGES if any(point.group == label for point in found)]


def range_panel(
    axes: Axes, lines: Sequence[tuple[Look, Sequence[RangePoint]]], ends: tuple[float, float] | None
) -> None:
    """Draw a metric by length range, side by side.

    Args:
        axes: Where.
        lines: What is compared: how each is drawn, and its points, of which there may be none.
        ends: Of the scale; None for as long as the points need.
    """
    found = [point for _, mine in lines for point in mine]
    groups = _ranges(found)
    for (style, mine), offset in zip(lines, dodge(len(lines)), strict=True):
        if (
            not mine
        ):  # a line of no marks, not clipped, would stand at the figure's corner and break the layout
            continue
        x = [groups.index(point.group) + offset for point in mine]
        axes.plot(x, [point.value for point in mine], color=style.colour, linestyle=style.line, alpha=0.35)
        for at, point in zip(x, mine, strict=True):
            if point.interval:
                axes.plot([at, at], point.interval, color=style.colour, linewidth=1.1)
        axes.plot(
            x,
            [point.value for point in mine],
            color=style.colour,
            marker=style.marker,
            linestyle="",
            clip_on=False,
        )
    axes.set_xticks(
        range(len(groups)),
        [f"{group}\n{counted(point.n for point in found if point.group == group)}" for group in groups],
    )
    axes.set_xlim(-0.5, max(1, len(groups)) - 0.5)
    if ends:
        axes.set_ylim(*ends)
    axes.grid(axis="x", visible=False)
    axes.tick_params(labelsize=KEY)
