"""Untrusted text on a terminal, which may be the log of a CI job."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from longbench_write.render.ci_log import escape_ci_log
from longbench_write.render.text import printable


def escape_terminal(text: str) -> str:
    """Return the text with U+FFFD for what a terminal or, at a line's start, a CI runner would interpret.

    Line feeds stay.
    """
    return "\n".join(map(escape_ci_log, text.split("\n")))


def print_output(parts: Iterable[str]) -> None:
    """Print data on stdout: exactly where it goes to a file or a program, printable on a terminal."""
    if sys.stdout.isatty():
        parts = (printable(part, keep="\n") for part in parts)
    sys.stdout.writelines(parts)
