"""S_l and S_q by length range: a panel a score, the models side by side with their intervals."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from longbench_write.compare.collection import Block
from longbench_write.plots.fonts import labels
from longbench_write.plots.forest import MANY, Mark, draw_rows, height
from longbench_write.plots.legible import counted, note, unjudged
from longbench_write.plots.style import KEY, KEY_WIDTH, S_L, S_Q, dodge, grid, look, new_figure
from longbench_write.suites.suite import LENGTH_RANGES

Score = Literal["S_l", "S_q"]
NAMES: Mapping[Score, str] = {"S_l": f"Length score {S_L}", "S_q": f"Quality score {S_Q}"}
WORDS: Mapping[Score, str] = {"S_l": "length score S_l (0 to 100)", "S_q": "quality score S_q (0 to 100)"}
TITLE = "Scores by required length"
INTERVALS = "Bars: 95% bootstrap intervals over prompts."


@dataclass(frozen=True)
class Point:
    """A score of one run's responses in one length range.

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


def points(block: Block, score: Score) -> list[Point]:
    """A point a run and length range that has this score."""
    return [
        Point(
            place,
            row["range"],
            row["n" if score == "S_l" else "judged"],
            row[score],
            bounds(row["ci"], score),
        )
        for place, entry in enumerate(block.entries)
        for row in entry.summary.by_length
        if row[score] is not None
    ]


def bounds(ci: Mapping[str, Any], score: Score) -> tuple[float, float] | None:
    """The interval of a score."""
    return (ci[score][0], ci[score][1]) if ci[score] else None


def model_keys(block: Block, places: Container[int] | None = None, *, lines: bool = True) -> list[Line2D]:
    """What tells the models of a figure apart.

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
    """The figure; without a judge it has no S_q."""
    scores: list[Score] = ["S_l"] if unjudged(block) else ["S_l", "S_q"]
    if len(block.entries) > MANY:
        return _draw_many(block, scores)
    figure = new_figure(
        5.5 + 0.5 * max(2, len(block.entries)),
        2.7 * len(scores),
        title=TITLE,
        subtitle=block.title,
        note=note(block, INTERVALS),
        keys=model_keys(block),
    )
    panels = grid(figure, len(scores), 1)
    for axes, score in zip(panels, scores, strict=True):
        found = points(block, score)
        _panel(axes, found, len(block.entries))
        axes.set_ylabel(f"{NAMES[score]} (0 to 100)", parse_math=True)
    panels[-1].set_xlabel("Required length (words; Chinese: characters) and number of responses")
    return figure


def _draw_many(block: Block, scores: Sequence[Score]) -> Figure:
    """A row a model, a column a length range."""
    found = {score: points(block, score) for score in scores}
    groups = _ranges(found["S_l"])
    counts = [counted(point.n for point in found["S_l"] if point.group == group) for group in groups]
    keys = [
        Line2D([], [], color=look(place).colour, marker=look(place).marker, linestyle="", label=WORDS[score])
        for place, score in enumerate(scores)
    ]
    figure = new_figure(
        2.4 + 1.7 * len(groups),
        height(len(block.entries)),
        title=TITLE,
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
            for place, (score, offset) in enumerate(zip(scores, dodge(len(scores), 0.36), strict=True))
            for point in found[score]
        ],
    )
    return figure


def _ranges(found: Sequence[Point]) -> list[str]:
    return [label for label in LENGTH_RANGES if any(point.group == label for point in found)]


def _panel(axes: Axes, found: Sequence[Point], runs: int) -> None:
    groups = _ranges(found)
    for place, offset in enumerate(dodge(runs)):
        mine = [point for point in found if point.place == place]
        style = look(place)
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
    axes.set_xlim(-0.5, len(groups) - 0.5)
    axes.set_ylim(0, 100)
    axes.grid(axis="x", visible=False)
    axes.tick_params(labelsize=KEY)
