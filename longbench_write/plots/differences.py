"""What changed from one run to another, drawn: S̄, S_l and S_q over all and by length range."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from longbench_write.compare.paired import Difference
from longbench_write.compare.scores import HEADLINES, Scores
from longbench_write.plots.style import COLOURS, INK, S_BAR, S_L, S_Q, SOFT, TEXT, grid, new_figure, styled

_TITLES = {"S_bar": S_BAR, "S_l": f"{S_L}: length", "S_q": f"{S_Q}: quality"}
_FELL, _ROSE, _OPEN = COLOURS[2], COLOURS[0], COLOURS[6]


def differences_figure(a: Scores, b: Scores, differences: Sequence[Difference]) -> Figure:
    """Draw a difference and its 95% interval for each length range, a panel a headline.

    Args:
        a: The reference.
        b: What was compared with it.
        differences: Of `paired.differences`.
    """
    shown = {
        name: [each for each in differences if each.metric.measure == name and each.value is not None]
        for name in HEADLINES
    }
    shown = {name: rows for name, rows in shown.items() if rows}
    most = max((len(rows) for rows in shown.values()), default=1)
    with styled():
        figure = new_figure(
            3.1 * max(len(shown), 2),
            1.1 + 0.34 * most,
            title=f"{b.name} against {a.name}",
            subtitle=_subtitle(a),
            note="Points on the scale of 0 to 100, with 95% bootstrap intervals over prompts, whose "
            "number stands in brackets. Red: the whole interval lies below zero; blue: above.",
        )
        panels = grid(figure, len(shown), len(shown), sharex=True) if shown else []
        for axes, (name, rows) in zip(panels, shown.items(), strict=True):
            _draw(axes, rows)
            axes.set_title(_TITLES[name], parse_math=True, fontsize=TEXT)
            axes.tick_params(
                labelleft=axes is panels[0] or _labels(rows) != _labels(next(iter(shown.values())))
            )
    return figure


def _subtitle(scores: Scores) -> str:
    if scores.heading is None:
        return "paired by prompt"
    judge = f"judge {scores.heading.judge}" if scores.heading.judge else "no judge"
    return f"{scores.heading.suite} · {judge}"


def _draw(axes: Axes, rows: Sequence[Difference]) -> None:
    axes.axvline(0, color=SOFT, linewidth=0.8)
    for place, each in enumerate(rows):
        value = each.value or 0.0
        low, high = each.interval or (value, value)
        colour = _FELL if high < 0 else _ROSE if low > 0 else _OPEN
        axes.errorbar(
            [value],
            [place],
            xerr=[[value - low], [high - value]],
            color=INK if each.interval is None else colour,
            marker="D" if each.metric.range is None else "o",
            linestyle="none",
        )
    axes.set_yticks(range(len(rows)), _labels(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("B − A, points")
    axes.grid(visible=False, axis="y")


def _labels(rows: Sequence[Difference]) -> list[str]:
    return [f"{each.metric.range or 'all'} ({each.n})" for each in rows]
