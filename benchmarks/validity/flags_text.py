"""The part of VALIDITY.md about flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flag_rates import Rates

from benchmarks.speed.section import table
from benchmarks.validity.cells import Measured
from benchmarks.validity.shares import Share, marked

LEAST = 0.9
"""Of precision and of recall."""


def _shares(values: dict[str, Any]) -> tuple[Share, Share]:
    """Return precision and recall."""
    found = Rates(**values)
    precision, recall = (
        Share.of([1.0] * found.found + [0.0] * wrong) for wrong in (found.false, found.missed)
    )
    return precision, recall


def missed(done: Sequence[Measured]) -> list[str]:
    return [
        f"{name} of {flag}: {share}%"
        for cell in done
        for flag, values in cell.found.items()
        for name, share in zip(("precision", "recall"), _shares(values), strict=True)
        if share.value < LEAST
    ]


def text(done: Sequence[Measured]) -> str:
    told = (
        "Texts that were written without sight of the detectors, half of them traps "
        "(tests/scoring/flag_texts), of the half that is held out: each through `flags_of`, which "
        "`lbw-eval score` calls. In percent ± the "
        f"standard error; below {LEAST:.0%} it is bold, whatever the standard error, as the texts are few."
    )
    rows = []
    for cell in done:
        for flag, values in cell.found.items():
            precision, recall = _shares(values)
            shown = [marked(str(share), met=share.value >= LEAST) for share in (precision, recall)]
            counts = [values[name] for name in ("found", "false", "missed", "clean")]
            rows.append((flag, sum(counts), *shown, *counts))
    heads = ("flag", "texts", "precision", "recall", "found", "false", "missed", "neither")
    return "\n\n".join([told, table(heads, rows)])
