"""Untrusted text as one line."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return the text as one line of printable characters.

    White space becomes single spaces, none at either end; a character that is not printable becomes U+FFFD.
    """
    return printable(" ".join(text.split()))


def printable(text: str, keep: str = "") -> str:
    """Return the text with U+FFFD for each character that is neither printable nor one of `keep`."""
    return "".join(
        char if char.isprintable() or char in keep else "\N{REPLACEMENT CHARACTER}" for char in text
    )
