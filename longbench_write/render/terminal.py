"""Untrusted text on a terminal."""

from __future__ import annotations

from longbench_write.render.text import printable


def escape_terminal(text: str) -> str:
    """The text without what a terminal would obey: control characters but line feeds become U+FFFD."""
    return printable(text, keep="\n")
