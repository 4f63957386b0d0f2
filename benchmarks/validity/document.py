"""The text of VALIDITY.md, from cells that were measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.validity.cells import Measured, Section, trials_of


def document(
    done: Mapping[str, Sequence[Measured]], sections: Mapping[str, Section], *, hours: float, quick: bool
) -> str:
    """Return the document.

    Args:
        done: The cells that were measured, by section.
        sections: All of them.
        hours: The budget.
        quick: Whether the quick part was asked for alone.
    """
    parts = ["# Validity", _head(done, sections, hours=hours, quick=quick)]
    parts.append(_missed(done, sections))
    for name, section in sections.items():
        cells = done.get(name, ())
        parts.append(f"## {section.title}")
        parts.append(section.text(cells) if cells else "Not measured yet.")
    return "\n\n".join(parts) + "\n"


def _head(
    done: Mapping[str, Sequence[Measured]], sections: Mapping[str, Section], *, hours: float, quick: bool
) -> str:
    command = "python -m benchmarks.validity" + (" --quick" if quick else "")
    seconds = sum(cell.seconds for cells in done.values() for cell in cells)
    where = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} CPU cores"
    intro = (
        f"Made by `{command}` ({where}): simulations through the functions that the commands call, in one "
        f"process, {seconds / 60:.0f} minutes in all. The whole measurement has a budget of {hours:g} hours; "
        "what is left over then is measured by the next start, as each finished cell is kept. "
    )
    if quick:
        intro += (
            "**This is the quick part, of few trials**: its standard errors are large, and it can miss much. "
        )
    lines = [
        f"- {section.title}: {len(done[name])} of {len(section.cells(quick))} cells, "
        f"{trials_of(done[name])} trials each"
        for name, section in sections.items()
        if done.get(name)
    ]
    return intro.strip() + "\n\n" + "\n".join(lines)


def _missed(done: Mapping[str, Sequence[Measured]], sections: Mapping[str, Section]) -> str:
    found = [line for name, section in sections.items() for line in section.missed(done.get(name, ()))]
    if not found:
        return "Nothing that was measured misses its bound."
    told = "What misses its bound (what just keeps it does so by chance in about one case of forty):\n\n"
    return told + "\n".join(f"- {each}" for each in found)
