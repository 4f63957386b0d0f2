import numpy as np
import pytest

from longbench_write.stats import bootstrap_means, interval


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
