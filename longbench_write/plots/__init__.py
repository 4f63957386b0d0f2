"""The figures of a block of comparable runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from longbench_write.compare.collection import Block
from longbench_write.plots import deviation, dimensions, quality, ruler, scores, written
from longbench_write.plots.legible import legible, unjudged
from longbench_write.plots.style import styled


@dataclass(frozen=True)
class _Plot:
    """A kind of figure.

    Attributes:
        draw: Makes it.
        lacking: Why a block has not the data for it; None where it has.
        expected: Whether it is missed where it is lacking; one for suites of another design is not.
    """

    draw: Callable[[Block], Figure]
    lacking: Callable[[Block], str | None]
    expected: bool = True


def _nothing(block: Block) -> None:
    """Lengths are there wherever there are responses."""


_PLOTS = {
    "required-vs-written": _Plot(written.draw, _nothing),
    "by-length": _Plot(scores.draw, _nothing),
    "dimensions": _Plot(dimensions.draw, unjudged),
    "dimensions-radar": _Plot(dimensions.draw_radar, unjudged),
    "quality-vs-length": _Plot(quality.draw, unjudged),
    "ruler": _Plot(ruler.draw, ruler.lacking, expected=False),
    "deviation": _Plot(deviation.draw, _nothing),
}


def figures(block: Block) -> dict[str, Figure]:
    """Every figure that the block has the data for, by the name of its file; none without a response.

    Raises:
        RunFolderError: The rows of one of its runs cannot be read.
    """
    shown = legible(block)
    if not shown.entries:
        return {}
    with styled():
        return {name: plot.draw(shown) for name, plot in _PLOTS.items() if plot.lacking(shown) is None}


def left_out(block: Block) -> list[str]:
    """What of a block `figures` does not show though one would expect it, and why: a sentence each."""
    empty = [entry.label for entry in block.entries if entry.summary.S_l is None]
    shown = legible(block)
    expected = {name: plot for name, plot in _PLOTS.items() if plot.expected and shown.entries}
    reasons = {name: plot.lacking(shown) for name, plot in expected.items()}
    return [
        *(f"{label} is in no figure: it has no response" for label in empty),
        *(f"no figure {name}: {reason}" for name, reason in reasons.items() if reason is not None),
    ]
