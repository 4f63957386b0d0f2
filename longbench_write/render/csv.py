"""Untrusted text in CSV files: nothing that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_MARK = "'"
_FORMULA_STARTS = (*"=+-@\t\r\n", *"＝＋－＠")
"""First characters of a formula, full-width signs included (OWASP, "CSV Injection")."""


def escape_csv(text: str) -> str:
    """Return the text for a CSV cell, prefixed with an apostrophe where a spreadsheet would calculate it.

    Text that begins with an apostrophe itself gets another, so that `unescape_csv` restores every text.
    """
    return _MARK + text if text.startswith((*_FORMULA_STARTS, _MARK)) else text


def unescape_csv(found: str) -> str:
    """Return the text that `escape_csv` was given."""
    return found.removeprefix(_MARK)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV with lines ending in LF; a lone CR is quoted, so that every text is read back."""
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)
