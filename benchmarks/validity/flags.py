"""Precision and recall of the flags, on the half of the texts that no detector was tuned on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from flag_rates import entries, flag_rates

from benchmarks.validity.cells import Cell


def rates(_: np.random.Generator, __: int) -> dict[str, Any]:
    """Measure all flags; nothing is drawn, the texts are what they are."""
    return {each.flag: asdict(each) for each in flag_rates("held_out")}


def cells(quick: bool) -> list[Cell]:
    texts = sum(1 for name in ("refusal", "repetition", "language") for _ in entries(name, "held_out"))
    return [Cell({"half": "held out"}, texts, rates)]
