"""Intervals of means over prompts: what they cover, that they are not hollow, and no matter of order."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import dataclass

import numpy as np
import pytest

from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR, S_Q
from longbench_write.scoring.bounded_mean import ends_of, weighted_means
from longbench_write.scoring.intervals import intervals, shared_intervals
from longbench_write.stats import t_quantile

ENDS = np.array([[0.0, 100.0]])


@dataclass(frozen=True)
class Row:
    id: str
    values: dict[str, float]
    stratum: str = ""
    cluster: str = ""
    scores: None = None


def of_length(*values: float, stratum: str = "") -> list[Row]:
    return [Row(f"{stratum}p-{place}", {"S_l": value}, stratum) for place, value in enumerate(values)]


def interval_of(rows, metric=S_L, **how):
    return intervals(rows, [metric], stratum=lambda row: row.stratum, **how)[metric.name]


def interval(values, strata=None):
    column = np.array(values, dtype=float)[:, None]
    low, high = weighted_means(column, ENDS, np.zeros(len(values), int) if strata is None else strata)
    return ends_of(low[:, 0], high[:, 0])


@pytest.mark.parametrize(("good", "number"), [(20, 20), (18, 20), (3, 6), (25, 30)])
def test_of_yes_and_no_it_is_that_of_clopper_and_pearson(good, number):
    """Gaffke's interval of a binary variable is theirs (1934), whose ends solve the binomial tails."""
    low, high = interval([100.0] * good + [0.0] * (number - good))

    def at_least(share):
        return sum(
            math.comb(number, n) * share**n * (1 - share) ** (number - n) for n in range(good, number + 1)
        )

    assert at_least(low / 100) == pytest.approx(0.025, abs=0.006)
    if good == number:
        assert high == 100
    else:
        more = at_least(high / 100) - math.comb(number, good) * (high / 100) ** good * (1 - high / 100) ** (
            number - good
        )
        assert 1 - more == pytest.approx(0.025, abs=0.006)


@pytest.mark.parametrize("number", [6, 12, 31, 60])
def test_prompts_that_are_all_good_do_not_prove_that_none_is_bad(number):
    low, high = interval([100.0] * number)
    assert high == 100
    assert 100 * 0.025 ** (1 / number) - 1 < low < 100 - 30 / number


@pytest.mark.parametrize("number", [6, 12, 31])
@pytest.mark.parametrize("world", ["good", "even", "rare"])
def test_it_covers_and_is_not_hollow(world, number):
    rng = np.random.default_rng(7)
    trials = 300
    draw = {
        "good": lambda: 100 * rng.beta(9, 0.7, size=number),
        "even": lambda: 100 * rng.beta(2, 2, size=number),
        "rare": lambda: 100.0 * (rng.random(number) > 0.05),
    }[world]
    truth = {"good": 100 * 9 / 9.7, "even": 50.0, "rare": 95.0}[world]
    found = [interval(draw()) for _ in range(trials)]
    covered = sum(low <= truth <= high for low, high in found) / trials
    assert covered >= 0.93 - 2 * math.sqrt(0.93 * 0.07 / trials)
    assert statistics.median(high - low for low, high in found) < 75


def test_strata_take_out_what_differs_between_them():
    rng = random.Random(3)
    strata = {"a": 94.0, "b": 90.0, "c": 67.0, "d": 14.0}
    rows = [
        row
        for name, mean in strata.items()
        for row in of_length(*(min(100.0, max(0.0, rng.gauss(mean, 15))) for _ in range(30)), stratum=name)
    ]
    stratified = interval_of(rows)
    pooled = interval_of([Row(row.id, row.values) for row in rows])
    assert (stratified[1] - stratified[0]) * 1.5 < pooled[1] - pooled[0]
    spread = math.sqrt(
        sum(statistics.variance([r.values["S_l"] for r in rows if r.stratum == s]) for s in strata) / 480
    )
    plain = 2 * t_quantile(0.975, 116) * spread
    assert stratified[1] - stratified[0] <= 1.1 * plain


def test_strata_of_fewer_than_eight_are_pooled():
    rows = of_length(*[90.0, 95.0, 100.0] * 3, stratum="a") + of_length(*[10.0] * 7, stratum="b")
    assert interval_of(rows) == interval_of([Row(row.id, row.values) for row in rows])


def test_no_order_of_the_responses_shows():
    rng = random.Random(5)
    rows = [
        Row(f"p-{n}", {"S_l": rng.random() * 100, "S_q": rng.random() * 100}, "ab"[n % 2]) for n in range(40)
    ]
    first = intervals(rows, HEADLINES, stratum=lambda row: row.stratum)
    rng.shuffle(rows)
    assert intervals(rows, HEADLINES, stratum=lambda row: row.stratum) == first


def test_what_is_formed_of_others_is_formed_within_each_draw():
    rows = [Row(f"p-{n}", {"S_l": float(n), "S_q": 100.0 - n, "S_bar": 50.0}) for n in range(101)]
    low, high = interval_of(rows, S_BAR)
    assert low > 49
    assert high < 51
    apart = interval_of(rows, S_L)
    assert apart[1] - apart[0] > 10


def test_unjudged_responses_have_no_say_in_the_quality():
    rows = [Row(f"p-{n}", {"S_l": 50.0} | ({"S_q": 80.0 + n} if n < 12 else {})) for n in range(40)]
    assert interval_of(rows, S_Q)[0] > 50
    assert interval_of(rows[:1] + rows[12:], S_Q) is None


def test_prompts_on_few_topics_have_the_t_of_their_means():
    values = {"w": 80.0, "x": 70.0, "y": 60.0, "z": 90.0}
    rows = [
        Row(f"{name}-{n}", {"S_l": mean + n - 5.5}, cluster=name)
        for name, mean in values.items()
        for n in range(12)
    ]
    low, high = interval_of(rows, cluster=lambda row: row.cluster)
    half = 3.182446 * statistics.stdev(values.values()) / 2
    assert (low, high) == pytest.approx((75 - half, min(100, 75 + half)), abs=1e-4)
    assert interval_of(rows[:12], cluster=lambda row: row.cluster) is None


def test_a_metric_without_a_range_has_the_interval_of_few_prompts():
    words = Metric("words", "words", range=None, of=lambda response: None)
    rows = [Row(f"p-{n}", {"words": 1000.0 + 10 * n}) for n in range(30)]
    low, high = interval_of(rows, words)
    spread = statistics.stdev(10 * n for n in range(30)) / math.sqrt(30)
    assert (low, high) == pytest.approx((1145 - 2.045 * spread, 1145 + 2.045 * spread), abs=3)


def test_given_shares_count_whatever_the_prompts():
    rows = of_length(*[100.0] * 20, stratum="a") + of_length(*[0.0] * 4, stratum="b")
    half = shared_intervals(rows, [S_L], stratum=lambda row: row.stratum, shares={"a": 0.5, "b": 0.5})["S_l"]
    assert half[0] < 50 < half[1]
    most = shared_intervals(rows, [S_L], stratum=lambda row: row.stratum, shares={"a": 0.9, "b": 0.1})["S_l"]
    assert most[0] > half[0]
    assert most[1] <= 100
