"""The figures of a block of comparable runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from longbench_write.compare.collection import Block
from longbench_write.metrics.catalogue import merged
from longbench_write.plots import deviation, dimensions, quality, ruler, scores, writers, written
from longbench_write.plots.legible import has_responses, legible, unjudged, unmeasured
from longbench_write.plots.style import styled


@dataclass(frozen=True)
class _Plot:
    """A kind of figure.

    Attributes:
        draw: Makes it.
        lacking: Why a block has not the data for it; None where it has.
        expected: Whether it is missed where it is lacking; what needs other suites or several writers is not.
    """

    draw: Callable[[Block], Figure]
    lacking: Callable[[Block], str | None]
    expected: bool = True


_PLOTS = {
    "required-vs-written": _Plot(written.draw, unmeasured),
    "by-length": _Plot(scores.draw, unmeasured),
    "dimensions": _Plot(dimensions.draw, unjudged),
    "dimensions-radar": _Plot(dimensions.draw_radar, unjudged),
    "quality-vs-length": _Plot(quality.draw, quality.lacking),
    "ruler": _Plot(ruler.draw, ruler.lacking, expected=False),
    "deviation": _Plot(deviation.draw, unmeasured),
    "writers": _Plot(writers.draw, writers.lacking, expected=False),
}


def _plots(block: Block) -> dict[str, _Plot]:
    """Return every kind of figure: those above, and one for each metric that is not built in."""
    besides = merged(*(entry.summary.others for entry in block.entries))
    return _PLOTS | {
        f"metric-{metric.name}": _Plot(partial(scores.draw_metric, metric), partial(scores.lacking, metric))
        for metric in besides
    }


def figures(block: Block) -> dict[str, Figure]:
    """Draw every figure that the block has the data for, by the name of its file; none without a response.

    Raises:
        RunFolderError: The rows of one of its runs cannot be read.
    """
    shown = legible(block)
    if not shown.entries:
        return {}
    with styled():
        return {name: plot.draw(shown) for name, plot in _plots(shown).items() if plot.lacking(shown) is None}


def left_out(block: Block) -> list[str]:
    """Say what `figures` does not show of a block though one would expect it, and why: a sentence each."""
    empty = [entry.label for entry in block.entries if not has_responses(entry)]
    shown = legible(block)
    expected = {name: plot for name, plot in _plots(shown).items() if plot.expected and shown.entries}
    reasons = {name: plot.lacking(shown) for name, plot in expected.items()}
    return [
        *(f"{label} is in no figure: it has no response" for label in empty),
        *(f"no figure {name}: {reason}" for name, reason in reasons.items() if reason is not None),
    ]
