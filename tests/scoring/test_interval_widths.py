"""How wide intervals of bounded means are: beside the betting interval, and beside a stratified t."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from benchmarks.validity.worlds import WORLDS, draw
from benchmarks.validity.written import drawn_prompts
from longbench_write.metrics.length import length_score
from longbench_write.scoring.bounded_mean import SMALLEST, ends_of, weighted_means
from longbench_write.stats import t_quantile
from longbench_write.suites.suite import length_range

MOST = 1.1
"""What the median width may be, of that of the interval beside it."""


def betting_interval(values, *, alpha=0.05, theta=0.5, most=0.5):
    """The hedged capital interval, of values from 0 to 1 in their order.

    Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", Journal of the
    Royal Statistical Society B 86: theorem 3 with the bets of section 4.2 for a fixed number of values, the
    running intersection taken. No mean is in it at which somebody who bets against it has become too rich.
    It is `betting_ci(values, m_trunc=True, trunc_scale=0.5)` of confseq 0.0.11 to within that one's grid;
    that package needs Boost to be built, so it is no dependency of the tests.

    Args:
        values: Shape (n,).
        alpha: 1 minus the level.
        theta: The share of the capital that bets on a larger mean.
        most: The share of what could be lost at most that is ever bet.
    """
    n = len(values)
    number = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(values)) / (number + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (number + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    grid = np.linspace(0, 1, 2001)[1:-1, None]
    gains = []
    for share, sign, loss in ((theta, 1, grid), (1 - theta, -1, 1 - grid)):
        bets = np.sqrt(2 * math.log(1 / (alpha * share)) / (n * before))
        bets = np.minimum(bets, most / loss)
        gains.append(share * np.cumprod(1 + sign * bets * (values - grid), axis=1))
    inside = grid[(np.maximum(*gains) < 1 / alpha).all(axis=1), 0]
    return float(inside.min()), float(inside.max())


def stratified_t(values, strata, *, level=0.95):
    """Student's t of a mean over strata whose sizes are fixed, in the unit of the values."""
    parts = [values[strata == one] for one in np.unique(strata)]
    error = math.sqrt(sum(len(part) * part.var(ddof=1) for part in parts)) / len(values)
    half = t_quantile((1 + level) / 2, len(values) - len(parts)) * error
    return values.mean() - half, values.mean() + half


def lengths(world, rng, number):
    """S_l by prompt, and each prompt's length range."""
    prompts = drawn_prompts(rng, number)
    words = draw([world], rng, prompts, 1).words[0, :, 0]
    found = [length_score(prompt.length, int(n)) for prompt, n in zip(prompts, words, strict=True)]
    names = [length_range(prompt.length) for prompt in prompts]
    return np.array(found), np.unique(names, return_inverse=True)[1]


def ours(values, strata):
    fit = strata if min(np.bincount(strata)) >= SMALLEST else np.zeros_like(strata)
    low, high = weighted_means(values[:, None], np.array([[0.0, 100.0]]), fit)
    return ends_of(low[:, 0], high[:, 0])


def median_widths(world, number, beside, trials):
    rng = np.random.default_rng(number)
    widths = []
    for _ in range(trials):
        values, strata = lengths(world, rng, number)
        widths.append([high - low for low, high in (ours(values, strata), beside(rng, values, strata))])
    return [statistics.median(each) for each in zip(*widths, strict=True)]


def betting(rng, values, strata):
    low, high = betting_interval(rng.permutation(values) / 100)
    return 100 * low, 100 * high


@pytest.mark.parametrize("number", [6, 12, 31])
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_of_few_prompts_it_is_hardly_wider_than_the_betting_interval(world, number):
    own, other = median_widths(world, number, betting, 40)
    assert own <= MOST * other


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_of_120_prompts_it_is_hardly_wider_than_a_stratified_t(world):
    own, other = median_widths(world, 120, lambda rng, values, strata: stratified_t(values, strata), 40)
    assert own <= MOST * other


def test_the_betting_interval_covers():
    """As it must: what is held against it is no narrower than an interval that holds."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        low, high = betting_interval(np.where(rng.random(31) < 0.07, 0.2, rng.uniform(0.9, 1, 31)))
        covered += low <= 0.07 * 0.2 + 0.93 * 0.95 <= high
    assert covered >= 190
