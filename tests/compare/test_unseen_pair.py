"""Bounds of mean differences on few prompts: what a pair that was not seen adds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.paired import paired_means
from longbench_write.compare.unseen_pair import expected_half, unseen_weight, with_unseen_pair
from longbench_write.stats import t_quantile

S_L = parse_metric("S_l")


def test_the_ends_are_those_of_t_with_the_farthest_pair_once_more():
    change = np.array([-9.0, -1, 0, 2, 3, 5])
    low, _ = with_unseen_pair(change, 0.9)
    more = np.append(change, -9)
    assert low == pytest.approx(more.mean() - t_quantile(0.95, 5) * more.std(ddof=1) / math.sqrt(7))
    assert with_unseen_pair(-change, 0.9)[1] == pytest.approx(-low)


def test_it_weighs_less_beside_many():
    assert [unseen_weight(pairs) for pairs in (5, 25, 50, 100)] == [1, 1, 0.5, 0.25]


def test_runs_that_are_alike_stay_so():
    assert with_unseen_pair(np.zeros(12), 0.9) == (0, 0)


def test_a_bound_is_no_nearer_than_the_interval_and_no_order_shows():
    rng = np.random.default_rng(0)
    before = {f"p-{n}": float(value) for n, value in enumerate(rng.uniform(0, 100, 31))}
    after = {name: value * float(rng.uniform(0.6, 1)) for name, value in before.items()}
    change = paired_means(before, after, S_L)
    assert change.bound() < change.at(0.9)[0]
    turned = paired_means(dict(reversed(before.items())), after, S_L)
    assert turned.bound() == change.bound()


def skewed(rng, prompts):
    """Differences whose mean is -5: most prompts are as before, and a few lose much."""
    return np.where(rng.random(prompts) < 0.2, -40.0, 3.75) + rng.normal(0, 2, prompts)


@pytest.mark.parametrize(("prompts", "trials"), [(31, 1000), (60, 1000)])
def test_at_most_one_in_twenty_passes_that_is_worse_by_the_margin(prompts, trials):
    rng = np.random.default_rng(2)
    passed, by_t = 0, 0
    for _ in range(trials):
        change = skewed(rng, prompts)
        passed += with_unseen_pair(change, 0.9)[0] > -5
        half = t_quantile(0.95, prompts - 1) * change.std(ddof=1) / math.sqrt(prompts)
        by_t += change.mean() - half > -5
    most = trials * 0.05 + 2 * math.sqrt(trials * 0.05 * 0.95)
    assert passed <= most
    assert passed < by_t


@pytest.mark.parametrize("pairs", [12, 31, 120])
def test_a_plan_knows_how_far_the_bound_lies(pairs):
    rng = np.random.default_rng(1)
    halves = []
    for _ in range(300):
        change = rng.normal(0, 10, pairs)
        halves.append(change.mean() - with_unseen_pair(change, 0.9)[0])
    expected = expected_half(10 / math.sqrt(pairs), pairs, t_quantile(0.95, pairs - 1))
    assert np.mean(halves) == pytest.approx(expected, rel=0.05)
