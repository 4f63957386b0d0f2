"""Simultaneous confidence sets of ranks: how often one is wrong, and what they find."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gate_samples import World

from longbench_write.compare.rank_sets import MOST_RESAMPLED, apart

ALPHA = 0.05


def parted(values, worst=None, best=None, **options):
    """The pairs (above, below)."""
    found = apart(values, values if worst is None else worst, values if best is None else best, **options)
    return set(zip(found.above.tolist(), found.below.tolist(), strict=True))


def any_wrong(found, truth):
    """Whether a pair is apart the wrong way: then, and only then, a rank's set lacks the rank."""
    return any(truth[above] <= truth[below] for above, below in found)


def normal_block(rng, prompts, truth):
    """Scores that prompts have in common, with noise of a spread of its own for each model."""
    spread = 5 + 10 * rng.random(len(truth))
    return rng.normal(60, 20, (prompts, 1)) + truth + spread * rng.standard_normal((prompts, len(truth)))


def length_block(rng, prompts, models):
    """S_l of models that write alike, as `World` has one: with atoms at 0 and 100."""
    return np.concatenate([World().lengths(rng, prompts, 1)[0] for _ in range(models)], axis=1)


def binomial_bound(trials):
    """So many of all trials may be wrong if 5% are: two standard errors above."""
    return trials * ALPHA + 2 * math.sqrt(trials * ALPHA * (1 - ALPHA))


@pytest.mark.parametrize(("models", "trials"), [(2, 120), (5, 80), (20, 40)])
def test_at_most_one_block_in_twenty_has_a_wrong_rank(models, trials):
    rng = np.random.default_rng(models)
    truth = np.zeros(models)
    wrong = sum(any_wrong(parted(normal_block(rng, 60, truth)), truth) for _ in range(trials))
    assert wrong <= binomial_bound(trials)


def opposite_shapes(rng, prompts, models):
    """Models whose means are 95: every second never fails, and the others at one prompt of twenty."""
    seldom = np.where(rng.random((prompts, models)) < 0.05, 0.0, 100.0)
    never = rng.normal(95, 3, (prompts, models))
    return np.where(np.arange(models) % 2, never, seldom)


@pytest.mark.parametrize(("models", "trials"), [(2, 300), (5, 200)])
def test_models_that_fail_seldom_and_badly_are_not_above_their_equals(models, trials):
    """Of runs at which few prompts failed both the mean and its standard error mislead."""
    rng = np.random.default_rng(models)
    truth = np.zeros(models)
    wrong = sum(any_wrong(parted(opposite_shapes(rng, 120, models)), truth) for _ in range(trials))
    assert wrong <= binomial_bound(trials)


@pytest.mark.slow
@pytest.mark.parametrize("prompts", [31, 120])
@pytest.mark.parametrize(("models", "trials"), [(5, 300), (20, 60), (50, 20)])
@pytest.mark.parametrize("kind", ["normal", "lengths", "steps"])
def test_at_most_one_block_in_twenty_has_a_wrong_rank_in_many(kind, models, trials, prompts):
    rng = np.random.default_rng(models)
    truth = np.arange(models) // 2 * 0.5 if kind == "steps" else np.zeros(models)
    wrong = 0
    for _ in range(trials):
        values = (
            length_block(rng, prompts, models) if kind == "lengths" else normal_block(rng, prompts, truth)
        )
        wrong += any_wrong(parted(values), truth)
    assert wrong <= binomial_bound(trials)


def test_two_models_are_parted_about_as_often_as_a_paired_test_finds_them():
    rng = np.random.default_rng(3)
    prompts, trials = 120, 60
    found = 0
    for _ in range(trials):
        base = rng.normal(60, 25, (prompts, 1))
        values = base + rng.normal([0, 3.3], 8, (prompts, 2))  # standard error 1.03: power 88%
        found += parted(values) == {(1, 0)}
    assert found >= 47  # 88%, less two standard errors


def test_a_step_down_parts_more_than_one_step():
    """Where most pairs are apart, those that are left are held to the critical value of few."""
    rng = np.random.default_rng(1)
    truth = np.array([0, 0, 100, 200, 300, 400, 500, 600])
    values = normal_block(rng, 60, truth)
    assert {(above, below) for below in range(2, 8) for above in range(below + 1, 8)} <= parted(values)


def test_identical_runs_are_no_pair_apart():
    values = np.random.default_rng(0).normal(60, 20, (50, 1)).repeat(4, axis=1)
    assert parted(values) == set()


def test_a_difference_that_is_the_same_in_all_prompts_is_apart_where_a_sign_test_says_so():
    values = np.random.default_rng(0).uniform(20, 80, (50, 1)) + np.array([0, 5])
    assert parted(values) == {(1, 0)}
    assert parted(values[:4]) == set()


def test_prompts_that_one_lacks_are_left_out():
    rng = np.random.default_rng(0)
    values = normal_block(rng, 60, np.array([0, 30, 60]))
    values[:20, 0] = np.nan
    values[20:30, 1] = np.nan
    assert parted(values) == {(1, 0), (2, 0), (2, 1)}


@pytest.mark.parametrize("low", [0.0, -math.inf])
def test_a_run_is_above_only_if_it_would_be_with_what_it_lacks_at_its_worst(low):
    values = np.random.default_rng(0).normal([60, 63], 2, (40, 2))
    assert parted(values) == {(1, 0)}
    values[:3, 1] = np.nan
    worst, best = values.copy(), values.copy()
    worst[:3, 1], best[:3, 1] = low, 100
    assert parted(values, worst, best) == set()


def test_a_run_is_below_only_if_it_would_be_with_what_it_lacks_at_its_best():
    values = np.random.default_rng(0).normal([60, 63], 2, (40, 2))
    values[:3, 0] = np.nan
    worst, best = values.copy(), values.copy()
    worst[:3, 0], best[:3, 0] = 0, 100
    assert parted(values, worst, best) == set()
    best[:3, 0] = 60
    assert parted(values, worst, best) == {(1, 0)}


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3, 1), (1, 3)])
def test_too_little_to_tell_tells_nothing(shape):
    assert parted(np.full(shape, 50.0)) == set()


def test_runs_without_a_prompt_in_common_are_not_apart():
    values = np.full((40, 2), np.nan)
    values[:20, 0], values[20:, 1] = 90, 10
    assert parted(values, np.nan_to_num(values), np.nan_to_num(values, nan=100)) == set()


def test_the_order_of_runs_and_the_seed_decide_nothing_that_is_sure():
    rng = np.random.default_rng(5)
    values = normal_block(rng, 60, np.arange(6) * 20.0)
    order = rng.permutation(6)
    turned = {(order[above], order[below]) for above, below in parted(values[:, order])}
    assert turned == parted(values) == parted(values, seed=1)


def test_more_runs_than_are_resampled_are_held_to_holms_correction():
    rng = np.random.default_rng(2)
    values = normal_block(rng, 60, np.repeat([0.0, 50.0], [MOST_RESAMPLED, 1]))
    found = parted(values)
    assert {(MOST_RESAMPLED, below) for below in range(MOST_RESAMPLED)} <= found
    assert len(found) <= MOST_RESAMPLED + 1
