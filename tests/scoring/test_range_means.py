"""Means by length range: unweighted, by the suite's shares, and over clusters of prompts on one topic."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from samples import RUN_INFO, judged, predicted

from longbench_write.cli.table import footer
from longbench_write.scoring.intervals import CLUSTERED_METHOD
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.summary import Summary
from longbench_write.suites.cards import load_card

LENGTHS = (300, 1000, 3000, 8000)


def summary_of(suite, predictions, judgements=()):
    card = load_card(suite)
    prompts = {"n": len({each.id for each in predictions}), "sha256": "4" * 64}
    info = replace(RUN_INFO, suite=suite, suite_sha256=card.sha256, prompts=prompts)
    return summarise(info, predictions, judgements, owed=len(predictions), seconds=None)[0]


def equal_shares(written=(300, 900, 2000, 4000), each=3):
    return [
        predicted(f"p-{length}-{n}", length=length, response_length=words - n)
        for length, words in zip(LENGTHS, written, strict=True)
        for n in range(each)
    ]


def test_a_selection_is_weighted_by_the_shares_of_its_suite(tmp_path):
    predictions = equal_shares()
    summary = summary_of("longbench-write", predictions, [judged(each.id) for each in predictions])
    by_range = [group["S_l"] for group in summary.by_length]
    shares = [number / 120 for number in load_card("longbench-write").ranges[:4]]
    expected = sum(share * mean for share, mean in zip(shares, by_range, strict=True))
    assert summary.weighted["S_l"] == pytest.approx(expected)
    assert summary.S_l == pytest.approx(statistics.mean(by_range))
    assert summary.weighted["S_l"] != pytest.approx(summary.S_l, abs=0.1)
    low, high = summary.weighted["ci"]["S_l"]
    assert low < expected < high
    assert summary.is_selection
    assert sum(f"{expected:.1f}" in line for line in footer(summary, tmp_path)) == 1
    (tmp_path / "summary.json").write_text(summary.to_json())
    assert Summary.read(tmp_path / "summary.json").weighted == summary.weighted


def test_where_a_range_of_the_suite_lacks_a_score_there_is_no_weighted_one():
    predictions = equal_shares()[:9]
    assert summary_of("longbench-write", predictions).weighted is None
    every = equal_shares()
    some = summary_of("longbench-write", every, [judged(each.id) for each in every[:9]])
    assert some.weighted["S_l"] is not None
    assert some.weighted["S_q"] is some.weighted["S_bar"] is None
    assert some.weighted["ci"]["S_q"] is None


def test_without_a_card_the_shares_of_a_suite_are_not_known():
    predictions = equal_shares()
    info = replace(RUN_INFO, suite="longbench-write", suite_sha256="1" * 64)
    summary = summarise(info, predictions, [], owed=len(predictions), seconds=None)[0]
    assert summary.weighted is None
    assert not summary.is_selection


def test_the_unweighted_mean_has_its_interval():
    summary = summary_of("longbench-write", equal_shares(each=10))
    assert summary.range_mean["S_l"] == pytest.approx(statistics.mean(g["S_l"] for g in summary.by_length))
    low, high = summary.ci["range_mean"]["S_l"]
    assert low < summary.range_mean["S_l"] < high
    assert summary.ci["range_mean"]["S_q"] is None
    assert summary.by_length[0]["ci"]["range_mean"] is None
    assert summary_of("longbench-write", equal_shares()[:9]).ci["range_mean"] is None


def test_every_group_has_intervals_of_all_its_means():
    predictions = equal_shares(each=10)
    judgements = [judged(each.id, scores=(3 + n % 3,) * 6) for n, each in enumerate(predictions)]
    summary = summary_of("longbench-write", predictions, judgements)
    for group in (summary.overall, *summary.by_length, *summary.by_language.values()):
        for name in ("S_bar", "S_l", "S_q", "S_l_unicode"):
            low, high = group["ci"][name]
            assert low <= group[name] <= high
            assert low < high
        for name, value in group["dimensions"].items():
            low, high = group["ci"]["dimensions"][name]
            assert low < value < high


def test_the_ruler_s_prompts_are_four_topics():
    types = load_card("longwrite-ruler").types.values()
    predictions = [
        predicted(f"r-{place}-{n}", type=name, length=1000, response_length=400 + 100 * place + n)
        for place, name in enumerate(types)
        for n in range(12)
    ]
    summary = summary_of("longwrite-ruler", predictions)
    means = [group["S_l"] for group in summary.by_type.values()]
    half = 3.182446 * statistics.stdev(means) / 2
    assert summary.ci["S_l"] == pytest.approx(
        [max(0, summary.S_l - half), min(100, summary.S_l + half)], abs=1e-3
    )
    assert summary.ci_method == CLUSTERED_METHOD
    assert all(group["ci"]["S_l"] is None for group in summary.by_type.values())
    assert summary.weighted is None


def test_topics_that_are_all_at_one_end_leave_their_mean_an_interval():
    predictions = [
        predicted(f"r-{place}-{n}", type=name, length=1000, response_length=1000)
        for place, name in enumerate(load_card("longwrite-ruler").types.values())
        for n in range(3)
    ]
    summary = summary_of("longwrite-ruler", predictions)
    (low, high) = summary.ci["S_l"]
    assert low < 90
    assert summary.S_l == high == 100
