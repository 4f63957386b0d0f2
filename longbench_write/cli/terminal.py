"""What goes to a person's terminal."""

from __future__ import annotations

import io
import sys


def printable(text: str) -> str:
    """The text without what a terminal would obey: control characters become U+FFFD."""
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def one_line(text: str) -> str:
    """Foreign text as one line that neither a terminal nor a CI runner obeys.

    GitHub's runner takes a `##[` anywhere in a line for a command (actions/runner issue 4692).
    """
    line = printable(text).replace("\n", "\N{REPLACEMENT CHARACTER}")
    return line.replace("##[", "#\N{REPLACEMENT CHARACTER}[")


def prepare_streams() -> None:
    """Make stdout and stderr take any text: files and pipes as UTF-8, terminals with replacements."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
