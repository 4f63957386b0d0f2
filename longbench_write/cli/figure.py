"""A figure into the file that an option names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from longbench_write.errors import UsageError, unknown_name
from longbench_write.files.output import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from longbench_write.plots.save import Format


def check_format(path: Path) -> Format:
    """Return the format that a figure's file has by its name.

    Raises:
        UsageError: There is no such format.
    """
    from longbench_write.plots.save import FORMATS

    kind = next((known for known in FORMATS if path.suffix == f".{known}"), None)
    if kind is None:
        raise unknown_name("format of a figure's file", path.suffix, [f".{known}" for known in FORMATS])
    return kind


def is_format(path: Path) -> bool:
    """Return whether a figure's file has a format by its name."""
    try:
        check_format(path)
    except UsageError:
        return False
    return True


def save_figure(path: Path, draw: Callable[[], Figure]) -> None:
    """Draw a figure and write it in the format that the file's name ends in.

    Raises:
        UsageError: There is no such format, or the file cannot be written.
    """
    from longbench_write.plots.save import render

    kind = check_format(path)
    write_file(path, render(draw(), kind))
