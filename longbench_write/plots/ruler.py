"""The ruler: required against mean written length, a line a model."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from longbench_write.compare.collection import Block, Entry
from longbench_write.plots.fonts import labels, wrapped
from longbench_write.plots.forest import MANY
from longbench_write.plots.legible import across, counted, label_edges, note, panels_wide, unmeasured
from longbench_write.plots.scores import INTERVALS, model_keys
from longbench_write.plots.style import KEY, KEY_WIDTH, Look, grid, look, new_figure
from longbench_write.plots.written import COUNT, LengthAxes, guide_keys, log_lengths, span
from longbench_write.stats import t_half_width
from longbench_write.suites.cards import card_of_file

MEAN = "Mean written length (words)"
SUITE = "longwrite-ruler"
LENGTHS = 3
"""Different required lengths that a suite of one's own needs at least to be a ruler."""


@dataclass(frozen=True)
class RulerPoint:
    """Mean written length of the prompts of one required length, in words.

    Attributes:
        n: Prompts.
        interval: Student's t over prompts, or over topics where the suite has few and says so; None for fewer
            than two.
    """

    required: int
    n: int
    mean: float
    interval: tuple[float, float] | None


def points(entry: Entry) -> list[RulerPoint]:
    """Return a point a required length, the shortest first; samples are averaged within their prompt."""
    card = card_of_file(entry.summary.suite_sha256)
    independent = attrgetter(card.cluster_by if card and card.cluster_by else "id")
    written: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    topics: dict[str, str] = {}
    for row in entry.rows:
        if row.length is not None:
            written[row.length][row.id].append(row.response_length)
            topics[row.id] = independent(row)
    return [_point(required, written[required], topics) for required in sorted(written)]


def _point(required: int, samples: Mapping[str, list[int]], topics: Mapping[str, str]) -> RulerPoint:
    means = {prompt: sum(lengths) / len(lengths) for prompt, lengths in samples.items()}
    of_topics: dict[str, list[float]] = defaultdict(list)
    for prompt in sorted(means):
        of_topics[topics[prompt]].append(means[prompt])
    mean = math.fsum(means.values()) / len(means)
    ends = None
    if len(of_topics) > 1:
        half = t_half_width([math.fsum(each) / len(each) for each in of_topics.values()])
        ends = max(0.0, mean - half), mean + half
    return RulerPoint(required, len(means), mean, ends)


def lacking(block: Block) -> str | None:
    """Return why there is nothing to draw, as where the suite is no ruler; None where there is."""
    if reason := unmeasured(block):
        return reason
    suite = block.entries[0].summary.suite
    if suite == SUITE or any(_is_ruler(entry) for entry in block.entries):
        return None
    return f"{suite} is no ruler, which asks for each length in equally many prompts"


def _is_ruler(entry: Entry) -> bool:
    """Return whether every length is asked for in equally many prompts, at least two."""
    asked = Counter(length for _, length in {(row.id, row.length) for row in entry.rows if row.length})
    return len(asked) >= LENGTHS and len(set(asked.values())) == 1 and min(asked.values()) > 1


def draw(block: Block) -> Figure:
    """Draw the figure: all models in one panel, or for many models a panel each."""
    found = [points(entry) for entry in block.entries]
    every = [point for one in found for point in one]
    places = range(len(found))
    panels = [list(places)] if len(found) <= MANY else [[place] for place in places]
    beside = across(len(panels))
    wide = max(6.5, panels_wide(len(panels)))
    figure = new_figure(
        wide,
        4.8 if len(panels) == 1 else -(-len(panels) // beside) * (0.85 * wide / beside + 0.3),
        title="Required and mean written length",
        subtitle=block.title,
        note=note(block, INTERVALS, COUNT),
        keys=[*(model_keys(block) if len(panels) == 1 else ()), *guide_keys()],
    )
    grids = grid(figure, len(panels), beside, sharex=True, sharey=True)
    names = labels((entry.label for entry in block.entries), KEY_WIDTH)
    ends = span((point.required for point in every), (end for point in every for end in _ends(point)))
    for axes, here in zip(grids, panels, strict=True):
        log_lengths(axes, ends)
        for place in here:
            _line(axes, found[place], ends, look(place))
        if len(panels) > 1:
            axes.set_title(wrapped(names[here[0]], wide / beside * 56 / KEY, 2), fontsize=KEY)
    if len(panels) == 1:
        required = sorted({point.required for point in every})
        grids[0].set_xticks(required, [_tick(length, found) for length in required])
        label_edges(grids, 1, x="Required length (words) and number of prompts", y=MEAN)
    else:
        label_edges(grids, beside, x="Required length (words)", y=MEAN)
    return figure


def _line(axes: Axes, found: Sequence[RulerPoint], ends: LengthAxes, style: Look) -> None:
    for point in found:
        if point.interval:
            low, high = (end or ends.zero for end in point.interval)
            axes.plot([point.required] * 2, [low, high], color=style.colour, linewidth=1.1)
    axes.plot(
        [point.required for point in found],
        [point.mean or ends.zero for point in found],
        color=style.colour,
        marker=style.marker,
        linestyle=style.line,
    )


def _ends(point: RulerPoint) -> tuple[float, ...]:
    return (point.mean, *(point.interval or ()))


def _tick(required: int, found: Sequence[Sequence[RulerPoint]]) -> str:
    return f"{required:,}\n{counted(point.n for one in found for point in one if point.required == required)}"
