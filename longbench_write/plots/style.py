"""How every figure looks: fonts, colours, axes, and the frame with title, what is compared, and notes.

Draw inside `styled()`; matplotlib's own settings, and a user's matplotlibrc, are as before afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR, S_Q
from longbench_write.plots.fonts import families, shown, wrapped
from longbench_write.plots.fonts import width as text_width

COLOURS = (
    # Unpacked, as the formatter would give each colour a line of its own.
    *("#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#a96b59"),
    *("#e76300", "#717581", "#94a4a2", "#b9ac70", "#92dadd"),
)
"""Ten that colour-blind readers tell apart (Petroff, arXiv 2107.02270); never without a marker beside."""
MARKERS = "osD^vPX<>p*"
"""Eleven, so that no two of 110 have colour and marker in common."""
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1.5, 1)))
INK, SOFT, FAINT = "#1f1f1f", "#5f6368", "#d9dce0"
TITLE, TEXT, KEY, SMALL = 12.0, 9.0, 8.0, 7.5
"""Font sizes in points."""
KEY_WIDTH = 44.0
"""How wide the name of a model may be, in multiples of its font size."""

MATH = {S_L.name: "$S_l$", S_Q.name: "$S_q$", S_BAR.name: r"$\bar{S}$"}
"""The headlines' symbols, for texts with `parse_math=True`, which must not be untrusted text."""

_MARGIN = 0.12
_LINE = 1.45 / 72
"""Inches a line takes, per point of its font size."""


@dataclass(frozen=True)
class Look:
    """How one model is drawn wherever it stands among others."""

    colour: str
    marker: str
    line: Any


def look(place: int) -> Look:
    """Return the look of the model at this place (from 0) of its block."""
    return Look(COLOURS[place % 10], MARKERS[place % 11], LINES[place % 4])


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside in the project's style, whatever the user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.family": list(families()),
                "font.size": TEXT,
                "text.parse_math": False,
                "text.color": INK,
                "axes.edgecolor": SOFT,
                "axes.labelcolor": INK,
                "axes.titlesize": TEXT,
                "axes.titlelocation": "left",
                "axes.linewidth": 0.8,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": FAINT,
                "grid.linewidth": 0.6,
                "xtick.color": SOFT,
                "ytick.color": SOFT,
                "xtick.labelcolor": INK,
                "ytick.labelcolor": INK,
                "xtick.labelsize": KEY,
                "ytick.labelsize": KEY,
                "legend.fontsize": KEY,
                "legend.frameon": False,
                "lines.linewidth": 1.4,
                "lines.markersize": 5,
                "errorbar.capsize": 2,
                "savefig.dpi": 200,
                "svg.hashsalt": "longbench-write",
            }
        )
        yield


def new_figure(
    width: float,
    height: float,
    *,
    title: str = "",
    subtitle: str = "",
    note: str = "",
    keys: Sequence[Artist] = (),
) -> Figure:
    """Make a figure in the project's style, without pyplot; its axes are laid out between title and keys.

    Args:
        width: Inches.
        height: Inches for the axes; title, keys and note come on top.
        title: What is shown; may be untrusted text, as the others may.
        subtitle: What of: suite, prompts, judge.
        note: What must be known to read it.
        keys: What the legend explains, each with its label.
    """
    head = _stack((title, TITLE, INK), (subtitle, TEXT, SOFT), width=width)
    foot = _stack((note, SMALL, SOFT), width=width)
    for key in keys:
        key.set_label(shown(str(key.get_label()), KEY_WIDTH))
    across, rows = _key_grid(keys, width)
    keys_high = rows * _LINE * KEY + _MARGIN / 2 if keys else 0.0
    top = sum(part.height for part in head) + _MARGIN
    bottom = sum(part.height for part in foot) + keys_high + 1.5 * _MARGIN
    whole = height + top + bottom
    layout = ConstrainedLayoutEngine(
        rect=(0, bottom / whole, 1, height / whole), w_pad=_MARGIN, h_pad=0.06, wspace=0.02, hspace=0.03
    )
    figure = Figure(figsize=(width, whole), layout=layout, facecolor="white")
    _place(figure, head, whole - _MARGIN)
    _place(figure, foot, bottom - keys_high - _MARGIN)
    if keys:
        figure.legend(
            handles=list(keys),
            loc="upper left",
            bbox_to_anchor=(_MARGIN / width, (bottom - _MARGIN / 2) / whole),
            ncols=across,
            borderpad=0,
            borderaxespad=0,
            columnspacing=1.2,
        )
    return figure


@dataclass(frozen=True)
class _Paragraph:
    """Lines of one size; `height` in inches."""

    text: str
    size: float
    colour: str

    @property
    def height(self) -> float:
        return (self.text.count("\n") + 1) * _LINE * self.size


def _stack(*parts: tuple[str, float, str], width: float) -> list[_Paragraph]:
    return [
        _Paragraph(wrapped(line, (width - 2 * _MARGIN) * 72 / size, 3), size, colour)
        for text, size, colour in parts
        for line in text.splitlines()
    ]


def _place(figure: Figure, stack: Sequence[_Paragraph], y: float) -> None:
    """Put paragraphs below each other, from so many inches above the figure's bottom."""
    width, height = figure.get_size_inches()
    for part in stack:
        figure.text(
            _MARGIN / width,
            y / height,
            part.text,
            fontsize=part.size,
            color=part.colour,
            va="top",
            linespacing=1.25,
        )
        y -= part.height


def _key_grid(keys: Sequence[Artist], width: float) -> tuple[int, int]:
    """Return columns and rows of the legend."""
    if not keys:
        return 1, 0
    widest = max(text_width(str(key.get_label())) for key in keys) * KEY / 72 + 0.5
    across = min(len(keys), max(1, int((width - _MARGIN) / widest)))
    return across, math.ceil(len(keys) / across)


def log_axis(axis: Axis, low: float, high: float, *, zero: float | None = None) -> None:
    """Give a logarithmic axis of words its ticks, such as 1, 3, 10 and 30, between its ends.

    Args:
        axis: Of the axes.
        low: Where the ticks begin.
        high: Where they end.
        zero: Where 0 stands, which has no place on such an axis; None for nowhere.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high < 30 * low else (1, 3) if high < 1e5 * low else (1,)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    axis.set_major_locator(
        FixedLocator([tick for tick in ticks if low <= tick <= high] + ([zero] if zero else []))
    )
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: "0" if value == zero else f"{value:,.0f}"))


def grid(figure: Figure, count: int, across: int, **options: Any) -> list[Axes]:
    """Lay out so many axes in rows of so many; those of the last row start at the left."""
    down = math.ceil(count / across)
    axes = figure.subplots(down, across, squeeze=False, **options).flatten()
    for spare in axes[count:]:
        spare.remove()
    return list(axes[:count])


def dodge(count: int, width: float = 0.7) -> list[float]:
    """Return offsets that set so many marks side by side around 0, over so much of a category's width."""
    step = min(width / count, 0.18)
    return [(place - (count - 1) / 2) * step for place in range(count)]
