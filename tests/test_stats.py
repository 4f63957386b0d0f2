import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longbench_write.stats import (
    FLIPS,
    RESAMPLES,
    bootstrap_means,
    holm,
    interval,
    resampled_means,
    sign_flip_interval,
    sign_flip_p,
    summable,
    t_quantile,
    widened_interval,
)


def test_the_same_seed_gives_the_same_interval():
    column = np.random.default_rng(3).normal(50, 10, (80, 1))
    first, again, other = (interval(bootstrap_means(column, seed=seed)[:, 0]) for seed in (1, 1, 2))
    assert first == again != other


def test_the_interval_is_that_of_the_normal_theory():
    column = np.random.default_rng(3).normal(50, 10, (400, 1))
    low, high = interval(bootstrap_means(column)[:, 0])
    half = 1.96 * column.std() / 20
    assert low == pytest.approx(column.mean() - half, abs=0.1)
    assert high == pytest.approx(column.mean() + half, abs=0.1)


def test_missing_values_are_left_out_of_their_column_alone():
    columns = np.array([[0.0, np.nan], [100.0, 7.0], [50.0, np.nan]])
    means = bootstrap_means(columns, resamples=2000)
    assert set(np.unique(means[:, 1][~np.isnan(means[:, 1])])) == {7.0}
    assert np.isnan(means[:, 1]).any()
    assert not np.isnan(means[:, 0]).any()
    assert interval(means[:, 1]) == (7.0, 7.0)


def test_columns_are_resampled_together():
    values = np.random.default_rng(0).uniform(0, 100, 50)
    means = bootstrap_means(np.column_stack([values, 2 * values]), resamples=500)
    assert means[:, 1] == pytest.approx(2 * means[:, 0])


def test_many_prompts_are_drawn_in_parts():
    column = np.arange(3000.0)[:, None]
    means = bootstrap_means(column, resamples=5000)
    assert means.shape == (5000, 1)
    assert means.mean() == pytest.approx(1499.5, abs=2)


def test_no_values_no_interval():
    assert interval(np.array([np.nan, np.nan])) is None


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 12.7062), (2, 4.30265), (3, 3.18245), (5, 2.57058), (10, 2.22814), (23, 2.06866), (119, 1.98010)],
)
def test_t_quantiles_are_those_of_the_tables(freedom, expected):
    assert t_quantile(0.975, freedom) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("freedom", [1, 2, 7, 40])
def test_the_median_of_t_is_zero(freedom):
    assert t_quantile(0.5, freedom) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("prompts", [6, 24, 200])
def test_the_widened_interval_is_as_wide_as_that_of_the_t_distribution(prompts):
    values = np.random.default_rng(8).normal(3, 10, prompts)
    centre = float(values.mean())
    low, high = widened_interval(resampled_means(values), centre, prompts)
    width = 2 * t_quantile(0.975, prompts - 1) * values.std(ddof=1) / np.sqrt(prompts)
    assert high - low == pytest.approx(width, rel=0.06)
    assert low < centre < high


def test_resampled_means_are_those_of_a_plain_loop_to_the_last_bit():
    change = np.random.default_rng(4).normal(-2, 9, 30)
    values = summable(change).tolist()
    rng = np.random.default_rng(0)
    means = [sum(values[place] for place in rng.integers(30, size=30)) / 30 for _ in range(RESAMPLES)]
    assert resampled_means(change).tolist() == sorted(means)


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=200), st.randoms())
def test_summable_values_have_one_sum_in_any_order(values, rng):
    rounded = summable(np.array(values))
    assert rounded == pytest.approx(values, abs=1e-11)
    drawn = rng.choices(rounded.tolist(), k=len(values))
    assert sum(drawn) == sum(sorted(drawn)) == math.fsum(drawn)


def test_the_draws_of_more_prompts_than_are_kept_are_the_same():
    values = np.random.default_rng(1).normal(0, 5, 450)
    drawn = np.random.default_rng(0).integers(450, size=(RESAMPLES, 450))
    assert (resampled_means(values) == np.sort(summable(values)[drawn].sum(axis=1) / 450)).all()


def test_without_scatter_the_interval_is_the_mean():
    values = np.full(9, 2.5)
    assert widened_interval(resampled_means(values), 2.5, 9) == (2.5, 2.5)


def test_a_small_sign_flip_test_is_exact():
    assert sign_flip_p(np.array([1.0, 2.0, 3.0, 4.0])) == 2 / 16
    assert sign_flip_p(np.array([1.0, 1.0, -1.0])) == 1.0
    assert sign_flip_p(np.zeros(5)) == 1.0


def test_a_large_sign_flip_test_is_seeded_and_never_0():
    change = np.random.default_rng(2).normal(3, 10, 60)
    assert sign_flip_p(change) == sign_flip_p(change)
    assert sign_flip_p(np.full(60, 9.0)) == 1 / (FLIPS + 1)
    assert sign_flip_p(change) == pytest.approx(sign_flip_p(change, seed=1), abs=0.02)


def test_sign_flips_know_no_rounding():
    change = np.array([0.1, 0.2, 0.3, -0.6])
    assert sign_flip_p(change) == 1.0


@settings(max_examples=40)
@given(st.lists(st.floats(-100, 100).map(lambda value: round(value, 3)), min_size=6, max_size=20))
def test_the_interval_holds_what_the_sign_flip_test_does_not_refuse(values):
    change = np.array(values)
    low, high = sign_flip_interval(change)
    assert low <= change.mean() + 1e-9
    assert high >= change.mean() - 1e-9
    for end, outside in ((low, -1e-6), (high, 1e-6)):
        assert sign_flip_p(change - (end + outside)) <= 0.05
        assert sign_flip_p(change - (end - outside)) > 0.05 or high - low < 4e-6


def test_how_many_pairs_an_interval_of_sign_flips_needs():
    for pairs, level, there in ((5, 0.95, False), (6, 0.95, True), (6, 0.99, False), (8, 0.99, True)):
        assert (sign_flip_interval(np.arange(float(pairs)), level=level) is not None) is there
    assert sign_flip_interval(np.full(9, 3.0)) == (3, 3)


def test_an_interval_of_sign_flips_covers_whatever_is_symmetric():
    """Where an interval by t does not: two values alone, as judgements of one criterion have them."""
    rng = np.random.default_rng(3)
    hits = sum(
        low <= 7 <= high
        for low, high in (sign_flip_interval(7 + rng.choice([-25.0, 25.0], 26)) for _ in range(400))
    )
    assert hits >= 0.95 * 400 - 2 * math.sqrt(400 * 0.05 * 0.95)


def test_sign_flip_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(6)
    found = np.array([sign_flip_p(rng.normal(0, 1, 10)) for _ in range(400)])
    assert np.mean(found <= 0.05) == pytest.approx(0.05, abs=0.033)
    assert np.mean(found <= 0.5) == pytest.approx(0.5, abs=0.08)


def test_holm_sets_aside_what_falls_and_is_kinder_to_the_rest():
    p = {"a": 0.01, "b": 0.02, "c": 0.04}
    levels = holm(p, lambda name, level: p[name] <= level, alpha=0.05)
    assert levels == {"a": 0.05 / 3, "b": 0.05 / 2, "c": 0.05}
    p["a"] = 0.02
    assert holm(p, lambda name, level: p[name] <= level, alpha=0.05) == dict.fromkeys(p, 0.05 / 3)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=6))
def test_holm_rejects_what_its_textbook_form_rejects(p):
    levels = holm(range(len(p)), lambda place, level: p[place] <= level, alpha=0.05)
    order = sorted(range(len(p)), key=p.__getitem__)
    expected = set()
    for rank, place in enumerate(order):
        if p[place] > 0.05 / (len(p) - rank):
            break
        expected.add(place)
    assert {place for place in range(len(p)) if p[place] <= levels[place]} == expected
