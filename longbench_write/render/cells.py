"""Foreign text in CSV files: nothing that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_MARK = "'"
_OBEYED = (*"=+-@\t\r\n", *"＝＋－＠")
"""What begins a formula, full-width signs included (OWASP, "CSV Injection")."""


def cell(text: str) -> str:
    """The text of a CSV cell: behind an apostrophe where a spreadsheet would take it for a formula.

    What begins with an apostrophe itself gets another, so that `cell_text` gives every text back.
    """
    return _MARK + text if text.startswith((*_OBEYED, _MARK)) else text


def cell_text(found: str) -> str:
    """The text that `cell` was given."""
    return found.removeprefix(_MARK)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """CSV with lines that end in LF, in which a lone CR stands in quotes, so that every text is read back."""
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)
