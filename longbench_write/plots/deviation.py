"""How far lengths deviate from what was asked, over all, by language and by type: each response a dot."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from longbench_write.compare.collection import Block, Entry
from longbench_write.plots.fonts import labels, shown, wrapped
from longbench_write.plots.legible import across, counted, label_edges, note, panels_wide
from longbench_write.plots.style import COLOURS, FAINT, INK, KEY, KEY_WIDTH, SOFT, grid, new_figure
from longbench_write.plots.written import COUNT, EMPTY, TOO_LONG, TOO_SHORT, guide_keys
from longbench_write.scoring.rows import Row

MOST_TYPES = 12
"""Types that have a row of their own at most, the most frequent ones."""
EVERYTHING, OTHERS = "all", "other types"

_LANGUAGES = {"en": "English", "zh": "Chinese"}
_DOT: dict[str, Any] = {
    "marker": "o",
    "color": COLOURS[0],
    "markersize": 3,
    "alpha": 0.55,
    "markeredgewidth": 0,
}
_MIDDLE: dict[str, Any] = {"color": INK, "linewidth": 1.2}
_MEDIAN: dict[str, Any] = {"marker": "|", "color": INK, "markersize": 11, "markeredgewidth": 2}


@dataclass(frozen=True)
class DeviationGroup:
    """Responses of one language or type.

    Attributes:
        ratios: Written over required length of each; 0 where no word was written.
    """

    name: str
    ratios: tuple[float, ...]

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """The quarter, the half and the three quarters below which ratios lie."""
        if len(self.ratios) == 1:
            return self.ratios * 3
        low, middle, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, middle, high


def groups(entries: Sequence[Entry]) -> list[list[DeviationGroup]]:
    """Return the groups of each run, the same for all of them: over all, the languages, the types."""
    measured = [[row for row in entry.rows if row.length is not None] for entry in entries]
    rows = [row for found in measured for row in found]
    frequent = sorted(Counter(row.type for row in rows).items(), key=lambda item: (-item[1], item[0]))
    own = {name for name, _ in frequent[:MOST_TYPES]}
    keys: list[Callable[[Row], str]] = [
        lambda _: EVERYTHING,
        lambda row: _LANGUAGES.get(row.language, row.language),
        lambda row: row.type if row.type in own else OTHERS,
    ]
    names = [(key, name) for key in keys for name in sorted({key(row) for row in rows}, key=_last_others)]
    return [
        [
            DeviationGroup(
                name,
                tuple(row.response_length / row.length for row in found if row.length and key(row) == name),
            )
            for key, name in names
        ]
        for found in measured
    ]


def _last_others(name: str) -> tuple[bool, str]:
    return name == OTHERS, name


def draw(block: Block) -> Figure:
    """Draw the figure, a panel a model."""
    found = groups(block.entries)
    count, beside = len(found), across(len(found))
    rows = len(found[0])
    ends = span(found)
    wide = max(7.0, panels_wide(count) + 1.0)
    figure = new_figure(
        wide,
        -(-count // beside) * (0.27 * rows + 0.55),
        title="Deviation from the required length",
        subtitle=block.title,
        note=note(block, "Dots are responses, lines span the middle half of them.", COUNT),
        keys=[
            Line2D([], [], linestyle="", label="response", **_DOT),
            *([Line2D([], [], linestyle="", label="0 words written", **EMPTY)] if ends.empty else []),
            Line2D([], [], linestyle="", label="median", **_MEDIAN),
            *guide_keys(),
        ],
    )
    names = labels((entry.label for entry in block.entries), KEY_WIDTH)
    panels = grid(figure, count, beside, sharex=True, sharey=True)
    for axes, name, one in zip(panels, names, found, strict=True):
        _frame(axes, ends)
        for place, group in enumerate(one):
            _row(axes, place, group, ends)
        axes.set_title(wrapped(name, (wide - 1.8) / beside * 60 / KEY, 2), fontsize=KEY)
    numbers = [counted(len(one[place].ratios) for one in found) for place in range(rows)]
    panels[0].set_yticks(
        range(rows), [f"{shown(group.name, 20)}, {n}" for group, n in zip(found[0], numbers, strict=True)]
    )
    panels[0].set_ylim(rows - 0.4, -0.6)
    label_edges(panels, beside, x="Written over required length")
    return figure


@dataclass(frozen=True)
class RatioAxis:
    """Where the axis begins and ends; with `empty`, space for responses of 0 words is kept at its left."""

    low: float
    high: float
    empty: bool

    @property
    def zero(self) -> float:
        """Where responses of 0 words stand, for which a logarithmic axis has no place."""
        return self.low / 1.6

    @property
    def left(self) -> float:
        """Where the axis begins."""
        return self.zero / 1.4 if self.empty else self.low


def span(found: Iterable[Sequence[DeviationGroup]]) -> RatioAxis:
    """Return the axis that shows all of these and the zero-score borders."""
    ratios = [ratio for one in found for group in one for ratio in group.ratios]
    low = min([TOO_SHORT, *(ratio for ratio in ratios if ratio)]) / 1.2
    return RatioAxis(low, max([TOO_LONG, *ratios]) * 1.2, not all(ratios))


def _frame(axes: Axes, ends: RatioAxis) -> None:
    """Draw the axis of ratios, with what scores 0 in grey."""
    axes.set_xscale("log")
    axes.set_xlim(ends.left, ends.high)
    axes.axvspan(ends.left, TOO_SHORT, color=FAINT, alpha=0.45, linewidth=0)
    axes.axvspan(TOO_LONG, ends.high, color=FAINT, alpha=0.45, linewidth=0)
    if ends.empty:
        axes.axvline(ends.low, color="white", linewidth=4)
    axes.axvline(1, color=INK, linewidth=0.9)
    for border in (TOO_SHORT, TOO_LONG):
        axes.axvline(border, color=SOFT, linewidth=0.9, linestyle="--")
    octaves = range(math.ceil(math.log2(ends.low)), math.floor(math.log2(ends.high)) + 1)
    step = -(-len(octaves) // 7)
    ticks = [2.0**octave for octave in octaves if octave % step == 0]
    axes.xaxis.set_major_locator(FixedLocator([*ticks, *([ends.zero] if ends.empty else [])]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "0" if value == ends.zero else _ratio(value))
    )
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


def _ratio(value: float) -> str:
    return f"{value:g}" if value >= 1 else f"1/{1 / value:g}"


def _row(axes: Axes, place: int, group: DeviationGroup, ends: RatioAxis) -> None:
    if not group.ratios:
        return
    spread = [place + 0.5 * (number * 0.618 % 1 - 0.5) for number in range(len(group.ratios))]
    for style, empty in ((_DOT, False), (EMPTY, True)):
        dots = [(ratio, y) for ratio, y in zip(group.ratios, spread, strict=True) if empty == (not ratio)]
        axes.plot([ratio or ends.zero for ratio, _ in dots], [y for _, y in dots], linestyle="", **style)
    low, middle, high = (ratio or ends.zero for ratio in group.quartiles)
    axes.plot([low, high], [place, place], **_MIDDLE)
    axes.plot([middle], [place], linestyle="", **_MEDIAN)
