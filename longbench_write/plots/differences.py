"""What changed from one run to another, drawn: each metric over all and by length range."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from longbench_write.compare.correction import correct
from longbench_write.compare.paired import Difference
from longbench_write.compare.scores import RunScores
from longbench_write.metrics.base import Metric
from longbench_write.metrics.quality import CRITERIA
from longbench_write.plots.fonts import shown
from longbench_write.plots.style import COLOURS, INK, MATH, SOFT, TEXT, grid, new_figure, styled

_TITLE_WIDTH = 22.0
"""How wide a panel's title may be, in multiples of its font size."""
_FELL, _ROSE, _OPEN = COLOURS[2], COLOURS[0], COLOURS[6]


def differences_figure(a: RunScores, b: RunScores, differences: Sequence[Difference]) -> Figure:
    """Draw a difference and its 95% interval for each length range, a panel a metric, without dimensions.

    Args:
        a: The reference.
        b: What was compared with it.
        differences: Of `paired.differences`.
    """
    panes: dict[Metric, list[Difference]] = {}
    for each in differences:
        if each.value is not None and each.metric.metric not in CRITERIA:
            panes.setdefault(each.metric.metric, []).append(each)
    alike = len({metric.range for metric in panes}) == 1
    most = max((len(rows) for rows in panes.values()), default=1)
    units = "runs and prompts" if max(a.runs, b.runs) > 1 else "prompts"
    with styled():
        figure = new_figure(
            3.1 * max(len(panes), 2),
            1.1 + 0.34 * most,
            title=f"{b.name} against {a.name}",
            subtitle=_subtitle(a),
            note=f"With 95% intervals over {units}; in brackets the number of prompts. Red: the whole "
            f"interval says that B is worse; blue: better. {_chance(differences)}",
        )
        panels = grid(figure, len(panes), len(panes), sharex=alike) if panes else []
        for axes, (metric, rows) in zip(panels, panes.items(), strict=True):
            _draw(axes, rows)
            axes.set_xlabel(shown(f"B − A, {metric.unit}", _TITLE_WIDTH))
            axes.set_title(_title(metric), parse_math=metric.name in MATH, fontsize=TEXT)
            axes.tick_params(
                labelleft=axes is panels[0] or _labels(rows) != _labels(next(iter(panes.values())))
            )
    return figure


def error_figure(run: str, message: str) -> Figure:
    """Draw nothing but why there is no verdict on a run.

    Args:
        run: What was to be checked.
        message: Why it was not.
    """
    with styled():
        return new_figure(6.2, 0.1, title=f"{run} was not checked", subtitle=message)


def _title(metric: Metric) -> str:
    """Return a panel's title, for `parse_math=True` where the metric is in `MATH`, else drawable text."""
    symbol = MATH.get(metric.name, metric.symbol)
    text = f"{symbol}: {metric.title}" if metric.title else symbol
    return text if metric.name in MATH else shown(text, _TITLE_WIDTH)


def _chance(differences: Sequence[Difference]) -> str:
    drawn = correct([each for each in differences if each.metric.metric not in CRITERIA])
    return f"Of {drawn.intervals} intervals, {drawn.by_chance:.1f} would be off zero by chance."


def _subtitle(scores: RunScores) -> str:
    if scores.info is None:
        return "paired by prompt"
    judge = f"judge {scores.info.judge}" if scores.info.judge else "no judge"
    return f"{scores.info.suite} · {judge}"


def _draw(axes: Axes, rows: Sequence[Difference]) -> None:
    axes.axvline(0, color=SOFT, linewidth=0.8)
    for place, each in enumerate(rows):
        value = each.value or 0.0
        low, high = each.interval or (value, value)
        colour = _OPEN if low <= 0 <= high else _FELL if (each.drop or 0) > 0 else _ROSE
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
    axes.grid(visible=False, axis="y")


def _labels(rows: Sequence[Difference]) -> list[str]:
    return [f"{each.metric.range or 'all'} ({each.n})" for each in rows]
