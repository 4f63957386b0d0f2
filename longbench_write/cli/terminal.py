"""The standard streams."""

from __future__ import annotations

import io
import sys


def prepare_streams() -> None:
    """Make stdout and stderr take any text: files and pipes as UTF-8, terminals with replacements."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
