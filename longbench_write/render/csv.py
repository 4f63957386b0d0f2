"""Untrusted text in CSV files: nothing that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_MARK = "'"
_SIGNS = "=+\\-@＝＋－＠"
_MARKED = re.compile(rf"^(?=[\"']*[{_SIGNS}]|[\t\r\n'])|^(?=::)|(?<=[;\t\r\n])(?=[\"']*[{_SIGNS}])")
"""Where an apostrophe goes: before what begins a formula, full-width signs included, at the start (OWASP,
"CSV Injection") or where a program that separates cells by `;`, a tab or lines begins one; before `::`, as
the first cell of a line may be shown in the log of a CI job."""
_MARKS = re.compile(rf"^'|(?<=[;\t\r\n])'(?=[\"']*[{_SIGNS}])")


def escape_csv(text: str) -> str:
    """Return the text for a CSV cell, with an apostrophe wherever a spreadsheet would calculate what follows.

    Text that begins with an apostrophe itself gets another, so that `unescape_csv` restores every text.
    """
    return _MARKED.sub(_MARK, text)


def unescape_csv(found: str) -> str:
    """Return the text that `escape_csv` was given."""
    return _MARKS.sub("", found) if _MARK in found else found


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV with lines ending in LF; a lone CR is quoted, so that every text is read back."""
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)
