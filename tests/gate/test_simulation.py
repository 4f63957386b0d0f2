"""The gate's promises, kept in simulations through its real code: false alarms, power, coverage.

Runs of a few trials are part of every test run, those of 500 are marked slow; bounds are widened by three
standard errors of a share. The document of benchmarks.validity has thousands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from gate_samples import World

from longbench_write.gate.gate import check

SLOW = pytest.mark.slow
TRIALS = 500
SHAPES = [
    pytest.param(24, 1, 60, id="24 quick"),
    *(
        pytest.param(prompts, samples, TRIALS, id=f"{prompts} of {samples}", marks=SLOW)
        for prompts, samples in ((12, 1), (24, 1), (24, 3), (60, 1), (120, 1), (120, 3))
    ),
]


@dataclass
class Tally:
    """Shares over trials: gates that closed, and 95% intervals that covered the truth, by metric."""

    closed: float
    covered: dict[str, float]
    detectable: float


def simulate(world: World, prompts: int, samples: int, trials: int, *, seed: int) -> Tally:
    truth = world.truth if world.shift or world.dull else dict.fromkeys(("S_bar", "S_l", "S_q"), 0.0)
    rng = np.random.default_rng(seed)
    closed, covered, detectable = 0, dict.fromkeys(truth, 0), 0.0
    for _ in range(trials):
        verdict = check(*world.pair(rng, prompts, samples))
        closed += verdict.exit_code == 3
        for finding in verdict.findings:
            low, high = finding.difference.interval
            covered[str(finding.metric)] += low <= truth[str(finding.metric)] <= high
            if str(finding.metric) == "S_l":
                detectable += finding.detectable / trials
    return Tally(closed / trials, {name: count / trials for name, count in covered.items()}, detectable)


def slack(share: float, trials: int) -> float:
    """What chance may add to a share."""
    return 3 * math.sqrt(share * (1 - share) / trials)


@pytest.mark.parametrize(("prompts", "samples", "trials"), SHAPES)
def test_without_a_true_difference_it_closes_in_at_most_5_percent_and_intervals_cover(
    prompts, samples, trials
):
    found = simulate(World(), prompts, samples, trials, seed=1)
    assert found.closed <= 0.05 + slack(0.05, trials)
    for share in found.covered.values():
        assert 0.93 - slack(0.05, trials) <= share <= 0.97 + slack(0.05, trials)


@SLOW
@pytest.mark.parametrize("prompts", [24, 120])
def test_with_a_true_difference_intervals_cover_as_often(prompts):
    found = simulate(World(shift=0.25, dull=0.25), prompts, 1, TRIALS, seed=2)
    more = slack(0.05, TRIALS)
    assert all(0.93 - more <= share <= 0.97 + more for share in found.covered.values()), found


@pytest.mark.parametrize(
    "trials", [pytest.param(25, id="quick"), pytest.param(TRIALS, id="full", marks=SLOW)]
)
def test_a_drop_of_twice_what_it_says_it_could_see_closes_it_in_95_percent(trials):
    world = World(shift=1.1)
    found = simulate(world, 60, 1, trials, seed=3)
    assert -world.truth["S_l"] <= 2 * found.detectable
    assert found.closed >= 0.95 - slack(0.05, trials)


@SLOW
def test_a_drop_of_just_what_it_says_it_could_see_is_found_in_about_80_percent():
    world = World(shift=0.47)
    rng = np.random.default_rng(5)
    found, detectable = 0, 0.0
    for _ in range(TRIALS):
        verdict = check(*world.pair(rng, 60))
        (length,) = [finding for finding in verdict.findings if str(finding.metric) == "S_l"]
        found += length.outcome == "regressed"
        detectable += length.detectable / TRIALS
    assert -world.truth["S_l"] == pytest.approx(detectable, rel=0.03)
    assert abs(found / TRIALS - 0.81) <= 0.04 + slack(0.2, TRIALS)
