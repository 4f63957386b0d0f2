"""Untrusted text in LaTeX, beside the symbols of scores."""

from __future__ import annotations

import re

_WRITTEN = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "`": r"\textasciigrave{}",
    "-": "-{}",
    "'": "'{}",
    "[": "{[}",
    "]": "{]}",
    "†": r"\dag{}",
    "·": r"$\cdot$",
    "\N{REPLACEMENT CHARACTER}": "?",
    "S̄": r"$\bar{S}$",
    "S_l": "$S_l$",
    "S_q": "$S_q$",
    **{char: f"\\{char}" for char in "&%$#_{}"},
}
_TOKEN = re.compile(r"S̄|\bS_[lq]\b|-(?=-)|'(?=')|[" + re.escape(r"\~^<>|`[]†·&%$#_{}�") + "]")


def escape_latex(text: str) -> str:
    """Escape text for LaTeX; S̄, S_l and S_q become their symbols."""
    return _TOKEN.sub(lambda token: _WRITTEN[token[0]], text)
