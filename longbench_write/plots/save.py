"""Figures as the bytes of files."""

from __future__ import annotations

import io
from typing import Literal

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from longbench_write.errors import unknown_name
from longbench_write.plots.style import styled

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")

_METADATA = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""What would differ from one day or version to the next is left out."""


def parse_format(name: str) -> Format:
    """Return the format of that name.

    Raises:
        UsageError: There is none.
    """
    for known in FORMATS:
        if name == known:
            return known
    raise unknown_name("format of a figure's file", name, FORMATS)


def render(figure: Figure, kind: Format) -> bytes:
    """Return the figure as a file's bytes; the same data give the same bytes.

    Args:
        figure: Drawn inside `styled()`.
        kind: "png" (200 dots an inch), "svg" (text as outlines, so that it needs no font) or "pdf".
    """
    buffer = io.BytesIO()
    with styled():
        _lay_out(figure)
        figure.savefig(buffer, format=kind, metadata=_METADATA[kind])
    return buffer.getvalue()


def _lay_out(figure: Figure) -> None:
    """Fix the axes' positions, rounded: the solver's last digits differ from one process to the next."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(6)))
