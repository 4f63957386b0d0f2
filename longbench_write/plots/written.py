"""Required against written length: each response a point, a panel a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from longbench_write.compare.collection import Block, Entry
from longbench_write.plots.fonts import labels, wrapped
from longbench_write.plots.legible import across, label_edges, note, panels_wide
from longbench_write.plots.style import COLOURS, FAINT, INK, KEY, KEY_WIDTH, SOFT, grid, log_axis, new_figure

COUNT = "Lengths are words by the reference scripts' count: runs of Latin letters, and Chinese characters."
TOO_SHORT, TOO_LONG = 1 / 3, 4.0
"""Written over required length at and beyond which the length score is 0."""

_PLAIN: dict[str, Any] = {
    "marker": "o",
    "color": COLOURS[0],
    "markersize": 4,
    "alpha": 0.6,
    "markeredgewidth": 0,
}
_TRUNCATED: dict[str, Any] = {"marker": "^", "color": COLOURS[2], "markersize": 5, "markerfacecolor": "none"}
EMPTY: dict[str, Any] = {"marker": "x", "color": COLOURS[3], "markersize": 5}


@dataclass(frozen=True)
class LengthPoint:
    """One response: lengths in words, and whether it was cut off."""

    required: int
    written: int
    truncated: bool


def points(entry: Entry) -> list[LengthPoint]:
    """Return a point a response to a prompt that asks for a length."""
    return [
        LengthPoint(row.length, row.response_length, "truncated" in row.flags)
        for row in entry.rows
        if row.length is not None
    ]


@dataclass(frozen=True)
class LengthAxes:
    """Where the axes begin and end, in words; with `empty`, space for responses of 0 words is kept below."""

    left: float
    low: float
    high: float
    empty: bool

    @property
    def zero(self) -> float:
        """Where responses of 0 words stand, for which a logarithmic axis has no place."""
        return self.low / 1.5

    @property
    def bottom(self) -> float:
        """The end of the axis of written lengths."""
        return self.zero / 1.5 if self.empty else self.low


def span(required: Iterable[float], written: Iterable[float]) -> LengthAxes:
    """Return the axes that show all these lengths and the zero-score borders."""
    required, written = list(required), list(written)
    shortest = min(required)
    low = min([shortest * TOO_SHORT, *(length for length in written if length)]) / 1.3
    return LengthAxes(shortest / 1.4, low, max(*required, *written) * 1.4, not all(written))


def draw(block: Block) -> Figure:
    """Draw the figure, its axes up to the largest length there is."""
    found = [points(entry) for entry in block.entries]
    every = [point for one in found for point in one]
    ends = span((point.required for point in every), (point.written for point in every))
    count = len(found)
    wide = panels_wide(count)
    side = wide / across(count)
    figure = new_figure(
        wide,
        -(-count // across(count)) * (0.85 * side + 0.3),
        title="Required and written length",
        subtitle=block.title,
        note=note(block, "One mark a response.", COUNT),
        keys=_keys(found),
    )
    names = labels((entry.label for entry in block.entries), KEY_WIDTH)
    panels = grid(figure, count, across(count), sharex=True, sharey=True)
    for axes, name, marks in zip(panels, names, found, strict=True):
        log_lengths(axes, ends)
        _marks(axes, marks, ends)
        axes.set_title(f"{wrapped(name, side * 56 / KEY, 2)}\n{tally(marks)}", fontsize=KEY)
    label_edges(panels, across(count), x="Required length (words)", y="Written length (words)")
    return figure


def tally(found: Sequence[LengthPoint]) -> str:
    """Say how many responses there are, and how many of them are odd."""
    odd = {
        "truncated": sum(point.truncated for point in found),
        "with 0 words": sum(not point.written for point in found),
    }
    return ", ".join([f"n = {len(found)}", *(f"{number} {what}" for what, number in odd.items() if number)])


def _keys(found: Sequence[Sequence[LengthPoint]]) -> list[Artist]:
    every = [point for one in found for point in one]
    keys: list[Artist] = [Line2D([], [], linestyle="", label="response", **_PLAIN)]
    if any(point.truncated for point in every):
        keys.append(Line2D([], [], linestyle="", label="truncated", **_TRUNCATED))
    if not all(point.written for point in every):
        keys.append(Line2D([], [], linestyle="", label="0 words written", **EMPTY))
    return [*keys, *guide_keys()]


def guide_keys() -> list[Artist]:
    """Return what the lines of `log_lengths` are."""
    return [
        Line2D([], [], color=INK, linewidth=0.9, label="as long as required"),
        Line2D(
            [], [], color=SOFT, linewidth=0.9, linestyle="--", label="a third, four times: score 0 from here"
        ),
    ]


def log_lengths(axes: Axes, ends: LengthAxes) -> None:
    """Draw the axes, the diagonal, the borders, and what lies beyond them in grey."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    edges = [ends.left, ends.high]
    short, long = [TOO_SHORT * edge for edge in edges], [TOO_LONG * edge for edge in edges]
    axes.fill_between(edges, ends.bottom, short, color=FAINT, alpha=0.45, linewidth=0)
    axes.fill_between(edges, long, max(long), color=FAINT, alpha=0.45, linewidth=0)
    if ends.empty:
        axes.axhline(ends.low, color="white", linewidth=4)
    axes.plot(edges, edges, color=INK, linewidth=0.9)
    for border in (short, long):
        axes.plot(edges, border, color=SOFT, linewidth=0.9, linestyle="--")
    log_axis(axes.xaxis, *edges)
    log_axis(axes.yaxis, ends.low, ends.high, zero=ends.zero if ends.empty else None)
    axes.set_xlim(*edges)
    axes.set_ylim(ends.bottom, ends.high)


def _marks(axes: Axes, found: Sequence[LengthPoint], ends: LengthAxes) -> None:
    groups = (
        (_PLAIN, [point for point in found if point.written and not point.truncated]),
        (_TRUNCATED, [point for point in found if point.written and point.truncated]),
        (EMPTY, [point for point in found if not point.written]),
    )
    for style, group in groups:
        axes.plot(
            [point.required for point in group],
            [point.written or ends.zero for point in group],
            linestyle="",
            **style,
        )
