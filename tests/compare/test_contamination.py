"""The contamination gap: unpaired, cell by cell."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from gate_samples import responded
from samples import RUN_INFO

from longbench_write.compare.contamination import contamination_gap, is_gap
from longbench_write.compare.contamination_report import GAP_HEADS, gap_lines
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.rows import Row
from longbench_write.suites.suite import LENGTH_RANGES

TYPES = ("News Report", "Popular Science")


def row(name: str, score: float, *, kind=TYPES[0], language="en", length=300, quality=None, sample=0) -> Row:
    scores = None if quality is None else dict.fromkeys(DIMENSIONS, quality)
    return Row(
        id=name,
        sample=sample,
        type=kind,
        language=language,
        length=length,
        response_length=length,
        response_length_unicode=length,
        values=responded(name, sample, length, score, scores).values,
        scores=scores,
        failed=False,
        flags=frozenset(),
        repetition=Repetition(0.0, None, None),
        reasoning_words=0,
    )


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
    assert lines[0] == ("S_l", "80.0", "85.5", "−5.5", "-", "1", "1/1")
    assert lines[1][0] == "S_l [0,500)"
    assert len(lines[0]) == len(GAP_HEADS)
