"""The contamination gap's false alarms: of models that obey the form of prompts, and know none of them."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import partial
from typing import Any

import numpy as np
from obedient_models import RATIOS, obedient

from benchmarks.validity.cells import Cell
from benchmarks.validity.shares import Share
from benchmarks.validity.written import SUITE, run_info, suite
from longbench_write.compare.contamination import PUBLIC, contamination_gap, mirrored
from longbench_write.metrics.length import S_L, S_L_RULE

SPREADS = (0.02, 0.2, 0.5)
"""The standard deviation of the log ratio of written words to what a model aims at."""


def alarms(ratio: float, spread: float, rng: np.random.Generator, trials: int) -> dict[str, Any]:
    """Return how often each interval leaves 0 out, over all and by length range."""
    prompts, chance = suite().prompts, random.Random(int(rng.integers(2**32)))
    mirrors = mirrored(run_info(PUBLIC[0], 120, 1), run_info(SUITE, 120, 1))
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(trials):
        public, unseen = (
            list(obedient(prompts, ratio, spread, chance, mirror=mirror)) for mirror in (True, False)
        )
        for gap in contamination_gap(public, unseen, mirrors=mirrors, metrics=(S_L, S_L_RULE)):
            if gap.interval:
                low, high = gap.interval
                found[f"{gap.measure} {gap.range or 'all'}"].append(float(not low <= 0 <= high))
    return {name: Share.of(of).to_dict() for name, of in found.items()}


def cells(quick: bool) -> list[Cell]:
    return [
        Cell(
            {"ratio": f"{ratio:g}", "spread": f"{spread:g}"},
            200 if quick else 500,
            partial(alarms, ratio, spread),
        )
        for ratio in (RATIOS[::3] if quick else RATIOS)
        for spread in SPREADS
    ]
