"""Untrusted text on a terminal."""

from __future__ import annotations

from longbench_write.render.text import printable


def escape_terminal(text: str) -> str:
    """Return the text with U+FFFD for control characters other than line feeds."""
    return printable(text, keep="\n")
