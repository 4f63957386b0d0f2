"""What a writer is worth: each model under its writers, S_l and S_q by length range, and the cost beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from longbench_write.compare.collection import Block, Entry
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_Q
from longbench_write.plots.fonts import wrapped
from longbench_write.plots.legible import note
from longbench_write.plots.scores import RANGES, name_axis, points, range_panel
from longbench_write.plots.style import FAINT, KEY, SMALL, SOFT, Look, grid, look, new_figure

MOST = 6
"""Models that the figure shows, a row each."""
DIRECT = "direct"
_COST, _TOKENS = "Cost a response, at the prices given", "Tokens a response, prompts included"


@dataclass(frozen=True)
class ModelRuns:
    """The runs of one model under two writers or more.

    Attributes:
        places: Of the runs in the block, from 0; of the direct one first.
        variants: What tells each of them from the others: its writer, and settings where those differ.
    """

    model: str
    places: tuple[int, ...]
    variants: tuple[str, ...]


def groups(block: Block) -> list[ModelRuns]:
    """Return the models that have runs under several writers, in the block's order."""
    found: dict[str, list[int]] = {}
    for place, entry in enumerate(block.entries):
        found.setdefault(entry.summary.model, []).append(place)
    made = []
    for model, places in found.items():
        runs = sorted(places, key=lambda place: _order(block.entries[place]))
        if len({block.entries[place].summary.writer for place in runs}) > 1:
            made.append(ModelRuns(model, tuple(runs), tuple(_variant(block.entries[run]) for run in runs)))
    return made


def _order(entry: Entry) -> tuple[bool, str, str]:
    return entry.summary.writer != DIRECT, entry.summary.writer, entry.label


def _variant(entry: Entry) -> str:
    """Return a run's label without its model's name."""
    model, writer = entry.summary.model, entry.summary.writer
    alone = model if writer == DIRECT else f"{model} + {writer}"
    settings = entry.label.removeprefix(alone) if entry.label.startswith(alone) else ""
    return writer + settings


def response_cost(entry: Entry) -> float | None:
    """Return what a response cost on average, plan and failures included; None where that is unknown."""
    parts = [entry.summary.cost.get(role) for role in ("model", "planner") if role in entry.summary.cost]
    known = [part for part in parts if part is not None]
    return sum(known) / _responses(entry) if known and len(known) == len(parts) else None


def response_tokens(entry: Entry) -> float | None:
    """Return how many tokens a response took on average, as above; None where nothing was counted."""
    counted = [entry.summary.usage.get(role, {}) for role in ("model", "planner")]
    whole = sum(usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0) for usage in counted)
    return whole / _responses(entry) if whole else None


def _responses(entry: Entry) -> int:
    return max(1, entry.summary.counts["generated"])


def lacking(block: Block) -> str | None:
    """Return why there is nothing to draw; None where there is."""
    found = {place for group in groups(block) for place in group.places}
    if not found:
        return "no model has runs under several writers"
    measured = any(point.place in found for metric in (S_L, S_Q) for point in points(block, metric))
    return None if measured else "no response to a prompt with a required length has a score"


def draw(block: Block) -> Figure:
    """Draw a row a model: a panel a score that any of the runs has, and one of what a response took."""
    found = groups(block)
    shown = found[:MOST]
    runs = [block.entries[place] for group in shown for place in group.places]
    places = {place for group in shown for place in group.places}
    scores = [
        (metric, mine)
        for metric in (S_L, S_Q)
        if (mine := [point for point in points(block, metric) if point.place in places])
    ]
    spent = _spent(runs)
    looks = {name: look(place) for place, name in enumerate(_variants(shown))}
    more = f" · the best {MOST} of {len(found)} models" if len(found) > MOST else ""
    figure = new_figure(
        4.2 * len(scores) + (1.2 + 0.45 * len(looks) if spent else 0),
        2.9 * len(shown),
        title="One model under several writers",
        subtitle=block.title + more,
        note=note(block, f"Vertical lines: 95% intervals over prompts. {RANGES} from left to right."),
        keys=[
            Line2D([], [], color=style.colour, marker=style.marker, linestyle=style.line, label=name)
            for name, style in looks.items()
        ],
    )
    across = len(scores) + bool(spent)
    widths = [4.2] * len(scores) + [1.2 + 0.45 * len(looks)] * bool(spent)
    panels = grid(figure, across * len(shown), across, gridspec_kw={"width_ratios": widths})
    for row, group in enumerate(shown):
        axes = panels[row * across : (row + 1) * across]
        styles = [looks[variant] for variant in group.variants]
        for panel, (metric, mine) in zip(axes, scores, strict=False):
            lines = [
                (style, [point for point in mine if point.place == place])
                for style, place in zip(styles, group.places, strict=True)
            ]
            range_panel(panel, lines, metric.range)
            name_axis(panel, metric)
        if spent:
            _bars(axes[-1], spent, [block.entries[place] for place in group.places], styles)
        axes[0].set_title(wrapped(group.model, 4.2 * 72 / KEY, 2))
    return figure


def _variants(shown: Sequence[ModelRuns]) -> list[str]:
    """Return every variant once, the direct ones first."""
    names = dict.fromkeys(variant for group in shown for variant in group.variants)
    return sorted(names, key=lambda name: not name.startswith(DIRECT))


def _spent(runs: Sequence[Entry]) -> str:
    """Return what is shown of what a response took: its cost, its tokens, or "" where neither is known."""
    if any(response_cost(run) is not None for run in runs):
        return _COST
    return _TOKENS if any(response_tokens(run) is not None for run in runs) else ""


def _bars(axes: Axes, spent: str, runs: Sequence[Entry], styles: Sequence[Look]) -> None:
    """Draw what a response took under each writer, its number above it."""
    values = [(response_cost if spent == _COST else response_tokens)(run) for run in runs]
    for x, (value, style) in enumerate(zip(values, styles, strict=True)):
        axes.bar(x, value or 0, width=0.6, color=style.colour)
        axes.annotate(
            "?" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}",
            (x, value or 0),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
            color=SOFT,
        )
    highest = max((value for value in values if value is not None), default=0)
    axes.set_xlim(-0.6, len(runs) - 0.4)
    axes.set_ylim(0, 1.15 * highest or 1)
    axes.set_xticks([])
    axes.set_ylabel(spent.replace(", ", ",\n"))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.grid(axis="x", visible=False)
    axes.spines["bottom"].set_color(FAINT)
