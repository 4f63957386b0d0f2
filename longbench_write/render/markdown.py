"""Untrusted text in Markdown, as CommonMark, GitHub, GitLab and hubs of models read it."""

from __future__ import annotations

import re

from longbench_write.render.text import one_line

_ACTIVE = re.compile(
    r"""(?P<linked>@(?=\w) | [#](?=\d) | /(?=/) | www(?=\.) | (?<!\d):(?=[\w+-]+:))
    | [\\`*\[\]<>&|~$\#@^{}]             # code, emphasis, links, HTML, tables, mathematics, headings
    | (?<![^\W_])_ | _(?![^\W_])         # emphasis; inside a word a _ is none
    | =(?==) | :(?=/)                    # highlights, links
    | (?<=[^\W_])\.(?=[^\W\d])           # a host's name
    | ^= | ^[-+](?=[-\s]|$)              # a heading's underline, a rule, a list
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Active syntax; `linked` is what begins a link, a mention, a reference or an emoji."""

_NUMBERED = re.compile(r"^(\d+)(?=[.)](?:\s|$))")

_BREAK = "&#8203;"
"""A space of no width: GitHub and others link the text that is left when backslashes have been read."""


def escape_markdown(text: str) -> str:
    """Escape text as one line of Markdown: no markup, no link, no mention.

    The line may stand in a paragraph, a heading, a list or a table's cell. Where a link could begin, a space
    of no width follows.
    """
    return _NUMBERED.sub(r"\1\\", _ACTIVE.sub(_escape, one_line(text)))


def _escape(found: re.Match[str]) -> str:
    escaped = found[0] if found[0].isalnum() else f"\\{found[0]}"
    return escaped + _BREAK if found["linked"] else escaped


def cut_markdown(text: str, most: int, note: str) -> str:
    """Return the first lines of Markdown, as many as fit, and a line that says so; all of it where it fits.

    Args:
        text: Its lines; one that is too long by itself is left out, and all that follows.
        most: Bytes of UTF-8.
        note: What the last line says, as Markdown; left out where not even that fits.
    """
    if len(text.encode()) <= most:
        return text
    room = most - len(f"\n{note}\n".encode())
    kept = []
    for line in text.splitlines(keepends=True):
        room -= len(line.encode())
        if room < 0:
            break
        kept.append(line)
    return f"{''.join(kept)}\n{note}\n" if kept else ""
