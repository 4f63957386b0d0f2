"""How far judges agree, drawn: kappa, and how far the second scores above the first, per dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from longbench_write.compare.agreement import Agreement
from longbench_write.metrics.quality import SIX
from longbench_write.plots.style import SOFT, dodge, grid, look, new_figure, styled


def agreement_figure(pairs: Mapping[tuple[str, str], Sequence[Agreement]], *, title: str) -> Figure:
    """Draw the rows of `agreement.agree` of each pair of raters.

    Args:
        pairs: At least one.
        title: May be untrusted text.
    """
    with styled():
        keys = [
            Line2D([], [], color=look(place).colour, marker=look(place).marker, label=f"{two} beside {one}")
            for place, (one, two) in enumerate(pairs)
        ]
        figure = new_figure(
            8,
            3.2 + 0.25 * len(pairs),
            title="How far the judges agree",
            subtitle=title,
            note="Offset: the second judge's mean score less the first's, with 95% bootstrap intervals. "
            "A kappa without a mark is not defined: there is no variation to agree on.",
            keys=keys,
        )
        kappa, offset = grid(figure, 2, 2, sharey=True)
        dimensions = [row.dimension for row in next(iter(pairs.values()))]
        kappa.set_yticks(range(len(dimensions)), dimensions)
        kappa.invert_yaxis()
        for place, (rows, shift) in enumerate(zip(pairs.values(), dodge(len(pairs)), strict=True)):
            _draw(kappa, offset, rows, shift, place)
        kappa.set_xlabel("kappa, quadratic weights")
        kappa.set_xlim(min(0.0, kappa.get_xlim()[0]), 1.02)
        offset.set_xlabel(f"offset, points of {SIX.low} to {SIX.high}")
        for axes in (kappa, offset):
            axes.axvline(0, color=SOFT, linewidth=0.8)
    return figure


def _draw(kappa: Axes, offset: Axes, rows: Sequence[Agreement], shift: float, place: int) -> None:
    colour, marker = look(place).colour, look(place).marker
    for level, row in enumerate(rows):
        if row.kappa is not None:
            kappa.plot([row.kappa], [level + shift], color=colour, marker=marker, linestyle="none")
        low, high = row.offset_ci or (row.offset, row.offset)
        reach = [[row.offset - low], [high - row.offset]]
        offset.errorbar(
            [row.offset], [level + shift], xerr=reach, color=colour, marker=marker, linestyle="none"
        )
