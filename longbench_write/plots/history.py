"""A metric's figures night by night with the verdicts, and the trend through them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from longbench_write.files.output import make_folder, write_file
from longbench_write.gate.history import VerdictLine, by_night, by_subject, once_each, read_history
from longbench_write.gate.trend import FEWEST, trend_of
from longbench_write.plots.fonts import shown
from longbench_write.plots.save import parse_format, render
from longbench_write.plots.style import COLOURS, INK, MATH, SOFT, TEXT, grid, new_figure, styled
from longbench_write.runs.folder import folder_name

_VERDICTS = {
    0: ("passed", COLOURS[0], "o"),
    3: ("regressed", COLOURS[2], "D"),
    1: ("cannot tell", COLOURS[6], "^"),
}
"""How a verdict is named and drawn, by its exit code."""
_WIDTH, _PANEL = 8.0, 1.9
_TICKS = 7
"""Dates that stand under the last panel."""
_MOST = 12
"""Metrics that are drawn; a file that was edited may name any number."""


@dataclass(frozen=True)
class Course:
    """A metric's figures over time.

    Attributes:
        metric: Its name.
        points: A run each: when its responses were made, its figure and its verdict's exit code.
        line: Both ends of the trend; None where it is too early to tell one.
    """

    metric: str
    points: list[tuple[datetime, float, int]]
    line: list[tuple[datetime, float]] | None


def points(lines: Sequence[VerdictLine]) -> list[Course]:
    """Return the course of every metric that any of these lines has.

    Args:
        lines: Of one model, suite and judge, in the file's order.
    """
    runs = once_each(lines)
    return [_course(runs, metric) for metric in dict.fromkeys(name for run in runs for name in run.figures)]


def _course(runs: Sequence[VerdictLine], metric: str) -> Course:
    nights = by_night(runs, metric)
    trend = trend_of(nights) if len(nights) >= FEWEST else None
    ends = [datetime.combine(day, time(), UTC) for day in (min(nights), max(nights))]
    return Course(
        metric,
        [(run.time, run.figures[metric], run.exit_code) for run in runs if metric in run.figures],
        list(zip(ends, (trend.start, trend.end), strict=True)) if trend else None,
    )


def draw(lines: Sequence[VerdictLine]) -> Figure:
    """Draw a panel a metric; the lines are as in `points`, at least one."""
    about = lines[0].of
    courses = points(lines)[:_MOST]
    with styled():
        keys = [
            Line2D([], [], color=colour, marker=marker, linestyle="none", label=name)
            for name, colour, marker in _VERDICTS.values()
        ]
        figure = new_figure(
            _WIDTH,
            0.4 + _PANEL * len(courses),
            title=f"{about.get('model')} night by night",
            subtitle=" · ".join(
                str(each) for each in (about.get("suite"), _judge(about.get("judge"))) if each
            ),
            note="The mean of each run, with the verdict that it had against its baseline. The line is the "
            f"trend, by least squares over the means of days (UTC), drawn from {FEWEST} nights on.",
            keys=[*keys, Line2D([], [], color=INK, linestyle="--", label="trend")],
        )
        panels = grid(figure, len(courses), 1, sharex=True) if courses else []
        for axes, course in zip(panels, courses, strict=True):
            _draw(axes, course)
        for axes in panels[-1:]:
            days = [_day(when) for course in courses for when, *_ in course.points]
            first, last = math.floor(min(days)), math.ceil(max(days))
            ticks = list(range(first, last + 1, -(-(last - first) // _TICKS) or 1))
            axes.set_xticks(ticks, [date.fromordinal(tick).isoformat() for tick in ticks])
    return figure


def _day(when: datetime) -> float:
    """Return a time as a number of days, of which the whole part is `date.toordinal`."""
    return when.toordinal() + (when - datetime.combine(when, time(), UTC)) / timedelta(days=1)


def _judge(label: str | None) -> str:
    return f"judge {label}" if label else "no judge"


def _draw(axes: Axes, course: Course) -> None:
    axes.plot(
        [_day(when) for when, *_ in course.points],
        [figure for _, figure, _ in course.points],
        color=SOFT,
        linewidth=0.7,
        alpha=0.6,
    )
    for code, (_, colour, marker) in _VERDICTS.items():
        own = [(when, figure) for when, figure, exit_code in course.points if exit_code == code]
        axes.plot(
            [_day(when) for when, _ in own],
            [figure for _, figure in own],
            color=colour,
            marker=marker,
            markersize=4,
            linestyle="none",
        )
    if course.line:
        axes.plot(
            [_day(when) for when, _ in course.line],
            [value for _, value in course.line],
            color=INK,
            linewidth=1.2,
            linestyle="--",
        )
    axes.set_title(
        MATH.get(course.metric, shown(course.metric, 40)), parse_math=course.metric in MATH, fontsize=TEXT
    )
    axes.set_ylabel("mean")


def write_history(path: Path, out: Path, forms: Sequence[str], note: Callable[[str], None]) -> Iterator[Path]:
    """Draw a history: a figure for each model, suite, writer and judge that it is about.

    Args:
        path: The file that `lbw-eval check --history` wrote.
        out: The folder for the figures.
        forms: "png", "svg", "pdf".
        note: Told of lines that are left out.

    Yields:
        The path of each figure, once it is written.

    Raises:
        UsageError: There is no such format, or a file cannot be written.
    """
    kinds = [parse_format(form) for form in dict.fromkeys(forms)]
    lines, faults = read_history(path, datetime.now(UTC))
    for fault in faults:
        note(fault)
    drawn = [each for each in by_subject(lines) if any(line.figures for line in each)]
    if not drawn:
        note(f"{path} has no verdict to draw")
        return
    make_folder(out)
    names = [folder_name(f"history-{each[0].of.get('model')}") for each in drawn]
    for place, (name, each) in enumerate(zip(names, drawn, strict=True)):
        own = "history" if len(drawn) == 1 else name if names.count(name) == 1 else f"{name}-{place + 1}"
        figure = draw(each)
        for kind in kinds:
            file = out / f"{own}.{kind}"
            write_file(file, render(figure, kind))
            yield file
