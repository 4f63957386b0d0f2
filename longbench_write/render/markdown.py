"""Text in Markdown."""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    """Foreign text as Markdown that shows just that text: no markup, no link, no new line."""
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return re.sub(r"([\\`*_{}\[\]()<>#!|~@&$^=]|:(?=/))", r"\\\1", line)
