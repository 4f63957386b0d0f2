"""The console for tables on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PLAIN_WIDTH = 110
"""Columns where the output is no terminal."""


def console(plain_width: int = _PLAIN_WIDTH) -> Console:
    """Make a console as wide as the terminal, of a fixed width where stdout is none."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else plain_width)
