"""The contamination gap: paired where prompts have mirrors, cell by cell elsewhere."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from obedient_models import RATIOS, row
from samples import RUN_INFO

from benchmarks.validity.gap import alarms
from longbench_write.compare.contamination import contamination_gap, is_gap, mirrored
from longbench_write.compare.contamination_report import GAP_HEADS, gap_lines
from longbench_write.metrics.length import S_L
from longbench_write.scoring.rows import Row
from longbench_write.suites.suite import LENGTH_RANGES, load_suite

TYPES = ("News Report", "Popular Science")


def noisy(prefix: str, shift: float, seed: int) -> list[Row]:
    """One prompt for each of 28 cells, so that no cell shows scatter of its own."""
    noise = random.Random(seed)
    return [
        row(f"{prefix}-{n}", 60 + shift + noise.gauss(0, 10), kind=kind, language=language, length=length)
        for n, (kind, language, length) in enumerate(
            (f"{kind} {copy}", language, length)
            for kind in TYPES
            for copy in range(4)
            for language in ("en", "zh")
            for length in (300, 900, 2500, 6000)
        )
    ]


def by_name(gaps):
    return {(gap.measure, gap.range): gap for gap in gaps}


def test_which_runs_show_a_gap():
    public, unseen = (replace(RUN_INFO, suite=name) for name in ("longbench-write", "lbw-open"))
    assert is_gap(public, unseen)
    assert not is_gap(unseen, public)
    assert not is_gap(public, replace(unseen, model="another"))
    assert not is_gap(public, replace(public, suite="mine"))


def test_cells_are_compared_and_weighted_by_their_prompts():
    public = [row("a", 90), row("b", 70), row("c", 50, language="zh")]
    unseen = [row("x", 60), row("y", 80), row("z", 20, language="zh")]
    gap = by_name(contamination_gap(public, unseen))["S_l", None]
    assert (gap.public, gap.unseen) == (pytest.approx(70), pytest.approx(160 / 3))
    assert gap.value == pytest.approx((2 * 10 + 30) / 3)
    assert (gap.cells, gap.prompts, gap.left_out) == (2, (3, 3), 0)
    assert gap.interval[0] < gap.value < gap.interval[1]


def test_having_more_of_what_is_easy_is_no_gap():
    public = [row(f"a{n}", 100) for n in range(9)] + [row("b", 20, language="zh")]
    unseen = [row("x", 100)] + [row(f"y{n}", 20, language="zh") for n in range(9)]
    assert by_name(contamination_gap(public, unseen))["S_l", None].value == 0


def test_samples_are_averaged_within_the_prompt():
    public = [*(row("a", 100, sample=n) for n in range(9)), row("b", 0)]
    assert by_name(contamination_gap(public, [row("x", 50)]))["S_l", None].value == 0


def test_cells_of_one_suite_alone_are_left_out_and_counted():
    public = [row("a", 80), row("b", 0, language="zh")]
    unseen = [row("x", 70), row("y", 0, kind="Community Forum"), row("z", 0, length=900)]
    gaps = by_name(contamination_gap(public, unseen))
    assert (gaps["S_l", None].value, gaps["S_l", None].left_out) == (10, 3)
    assert gaps["S_l", None].interval is None
    nothing = gaps["S_l", "[500,2000)"]
    assert (nothing.value, nothing.cells, nothing.left_out) == (None, 0, 1)


def test_a_gap_is_seen_and_no_gap_is_not():
    for shift, seen in ((20, True), (0, False)):
        gap = by_name(contamination_gap(noisy("a", shift, 3), noisy("b", 0, 4)))["S_l", None]
        low, high = gap.interval
        assert (low > 0) is seen
        assert 4 < high - low < 15


@pytest.mark.slow
def test_the_interval_covers_the_truth():
    hits = 0
    for seed in range(100):
        gap = contamination_gap(noisy("a", 5, seed), noisy("b", 0, seed + 1000))[0]
        hits += gap.interval[0] <= 5 <= gap.interval[1]
    assert 88 <= hits <= 100


def test_ranges_come_in_order_and_quality_only_where_judged():
    public, unseen = noisy("a", 0, 1), noisy("b", 0, 2)
    assert [(gap.measure, gap.range) for gap in contamination_gap(public, unseen)] == [
        ("S_l", label) for label in (None, *LENGTH_RANGES[:4])
    ]
    judged = [row("a", 80, quality=5), row("b", 60, language="zh", quality=4)]
    gaps = by_name(
        contamination_gap(judged, [row("x", 80, quality=4), row("y", 60, language="zh", quality=4)])
    )
    assert gaps["S_q", None].value == 12.5
    assert gaps["S_bar", None].value == 6.25


def test_the_seed_and_the_order_of_rows():
    public, unseen = noisy("a", 5, 1), noisy("b", 0, 2)
    gaps = contamination_gap(public, unseen)
    assert contamination_gap(public[::-1], unseen[::-1]) == gaps
    assert contamination_gap(public, unseen, seed=1)[0].interval != gaps[0].interval


def test_nothing_to_compare():
    assert contamination_gap([], []) == []
    assert by_name(contamination_gap([row("a", 5)], []))["S_l", None].value is None


def test_lines():
    lines = gap_lines(contamination_gap([row("a", 80)], [row("x", 85.5)]))
    assert lines[0] == ("S_l", "80.0", "85.5", "−5.5", "-", "1 cells", "1/1")
    assert lines[1][0] == "S_l [0,500)"
    assert len(lines[0]) == len(GAP_HEADS)


# Pairs


def sides(*values: tuple[float, float], length: int = 300) -> tuple[list[Row], list[Row], dict[str, str]]:
    """Rows of both suites with these values, a pair each, and which mirrors which."""
    public = [row(f"lbw-{n}", one, length=length) for n, (one, _) in enumerate(values)]
    unseen = [row(f"open-{n}", other, length=length) for n, (_, other) in enumerate(values)]
    return public, unseen, {f"open-{n}": f"lbw-{n}" for n in range(len(values))}


def test_a_prompt_is_compared_with_its_mirror_alone():
    public, unseen, mirrors = sides((90, 80), (50, 60), (70, 40))
    public += [row("lbw-8", 0), row("lbw-9", 5, kind=TYPES[1])]
    unseen += [row("open-7", 3)]
    gap = by_name(contamination_gap(public, unseen, mirrors=mirrors | {"open-7": "lbw-7"}))["S_l", None]
    assert (gap.public, gap.unseen, gap.value) == (pytest.approx(70), pytest.approx(60), pytest.approx(10))
    assert (gap.pairs, gap.cells, gap.prompts, gap.left_out) == (3, None, (3, 3), 3)
    assert gap.interval is None


def test_pairs_are_seen_where_their_suites_are_not():
    """Prompts differ far more than a prompt from its mirror."""
    rng = random.Random(5)
    base = [rng.uniform(0, 90) for _ in range(24)]
    public, unseen, mirrors = sides(*((value + rng.gauss(6, 4), value) for value in base))
    paired, apart = (
        by_name(contamination_gap(public, unseen, mirrors=m))["S_l", None] for m in (mirrors, None)
    )
    assert paired.value == pytest.approx(apart.value)
    assert 0 < paired.interval[0] < paired.value < paired.interval[1]
    assert apart.interval is None


def test_samples_are_averaged_before_pairs_are_formed():
    public = [row("lbw-1", value, sample=n) for n, value in enumerate((100, 80, 60))]
    (gap, _) = contamination_gap(public, [row("open-1", 70)], mirrors={"open-1": "lbw-1"}, metrics=[S_L])
    assert gap.value == pytest.approx(10)


def test_six_pairs_have_an_interval_and_five_have_none():
    for number, there in ((5, False), (6, True)):
        public, unseen, mirrors = sides(*((50 + n, 40 + n * n) for n in range(number)))
        gap = by_name(contamination_gap(public, unseen, mirrors=mirrors))["S_l", None]
        assert (gap.interval is not None) is there
    public, unseen, mirrors = sides(*[(50, 50)] * 12)
    assert by_name(contamination_gap(public, unseen, mirrors=mirrors))["S_l", None].interval == (0, 0)


def test_neither_order_nor_seed_of_few_pairs_shows():
    public, unseen, mirrors = sides(*((50 + n, 40 + n * n) for n in range(9)))
    gaps = contamination_gap(public, unseen, mirrors=mirrors)
    assert contamination_gap(public[::-1], unseen[::-1], mirrors=mirrors, seed=3) == gaps
    assert contamination_gap([], [], mirrors=mirrors) == []
    (_, gap) = contamination_gap(public, [], mirrors=mirrors, metrics=[S_L])
    assert (gap.value, gap.pairs, gap.left_out) == (None, 0, 9)


def test_which_prompts_mirror_which():
    ours, first = load_suite("lbw-open"), load_suite("lbw-open@1.0")
    public = replace(RUN_INFO, suite="longbench-write")
    unseen = replace(RUN_INFO, suite="lbw-open", suite_sha256=ours.sha256)
    assert mirrored(public, unseen) == {prompt.id: prompt.mirrors for prompt in ours.prompts}
    assert mirrored(public, replace(unseen, suite_sha256=first.sha256)) == {}
    assert mirrored(public, replace(unseen, suite_sha256="0" * 64)) == {}


def test_the_english_suite_has_ids_of_its_own():
    names = mirrored(
        replace(RUN_INFO, suite="longbench-write-en"),
        replace(RUN_INFO, suite="lbw-open", suite_sha256=load_suite("lbw-open").sha256),
    )
    whole, english = (
        {prompt.id: prompt for prompt in load_suite(name).prompts}
        for name in ("longbench-write", "longbench-write-en")
    )
    assert {
        whole[prompt.mirrors].prompt for prompt in load_suite("lbw-open").prompts if prompt.id in names
    } == {english[name].prompt for name in names.values()}
    assert all(
        whole[prompt.mirrors].prompt == english[names[prompt.id]].prompt
        for prompt in load_suite("lbw-open").prompts
        if prompt.id in names
    )
    assert len(set(names.values())) == len(names) == 60


# A model that obeys the form alone


def test_a_model_that_obeys_the_rules_shows_a_gap_no_more_often_than_promised():
    rng = np.random.default_rng(11)
    found = [alarms(ratio, 0.2, rng, 6) for ratio in RATIOS]
    rates = [sum(each[name]["value"] for each in found) / len(found) for name in found[0]]
    assert len(rates) == 10
    assert max(rates) <= 0.05 + 3 * (0.05 * 0.95 / 36) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("spread", [0.02, 0.2, 0.5])
def test_false_alarms_at_each_ratio(ratio, spread):
    """Three standard errors are allowed for."""
    found = alarms(ratio, spread, np.random.default_rng(11), 400)
    rates = {name: values["value"] for name, values in found.items()}
    assert max(rates.values()) <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5, rates
