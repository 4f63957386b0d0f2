"""Draws what growth.py measured: time and CPU of a request, and peak memory, over the number of prompts.

    python -m benchmarks.speed.growth_plot POINTS growth.svg

POINTS is a JSON list of objects with prompts, span and cpu (milliseconds a request), and megabytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from longbench_write.plots.save import render
from longbench_write.plots.style import Look, grid, look, new_figure, styled

WIDTH, HEIGHT = 6.5, 2.4
"""Inches."""


def draw(points: Sequence[Mapping[str, float]]) -> bytes:
    """The picture, as SVG."""
    wall, cpu, memory = look(0), look(1), look(2)
    keys = [_key("first request to last answer", wall), _key("CPU of the whole process", cpu)]
    with styled():
        figure = new_figure(WIDTH, HEIGHT, keys=keys)
        left, right = grid(figure, 2, 2)
        _line(left, points, "span", wall)
        _line(left, points, "cpu", cpu)
        _line(right, points, "megabytes", memory)
        left.set_title("A request (ms)")
        right.set_title("Peak memory (MB)")
        sizes = [point["prompts"] for point in points]
        for axes in (left, right):
            axes.set_xscale("log")
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.set_xticks([], minor=True)
            axes.set_xlabel("Prompts, two requests each (logarithmic)")
            axes.set_ylim(bottom=0)
        return render(figure, "svg")


def _key(label: str, style: Look) -> Line2D:
    return Line2D([], [], color=style.colour, marker=style.marker, linestyle=style.line, label=label)


def _line(axes: Axes, points: Sequence[Mapping[str, float]], name: str, style: Look) -> None:
    axes.plot(
        [point["prompts"] for point in points],
        [point[name] for point in points],
        color=style.colour,
        marker=style.marker,
        linestyle=style.line,
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(draw(json.loads(sys.argv[1])))
