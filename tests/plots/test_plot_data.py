"""The data that each figure draws, pinned as numbers."""

from __future__ import annotations

import numpy as np
import pytest
from plotted import block, entry, written

from longbench_write.compare.collection import Block
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_Q
from longbench_write.plots import deviation, dimensions, figures, left_out, quality, ruler, scores
from longbench_write.plots import written as lengths
from longbench_write.plots.legible import MOST, legible
from longbench_write.plots.style import styled


@pytest.fixture
def two(tmp_path):
    """Two models on four prompts; one answer is cut off, one empty, and one judgement is missing."""
    good = entry(
        tmp_path / "good",
        "good",
        [
            written(100, 100),
            written(300, 250, (5, 5, 5, 5, 1, 1), language="zh"),
            written(800, 700),
            written(20000, 9000, (3, 3, 3, 3, 3, 3), finish_reason="length"),
        ],
    )
    bad = entry(
        tmp_path / "bad",
        "bad",
        [
            written(100, 0, None, response="12", response_length_unicode=1),
            written(300, 40, (1, 1, 1, 1, 1, 1), language="zh", type="News Report"),
            written(800, 3200, (2, 2, 2, 2, 2, 2)),
            written(20000, 500, (1, 2, 1, 2, 1, 2)),
        ],
    )
    return block(bad, good)


def test_each_response_is_a_point_of_required_against_written_length(two):
    bad, good = two.entries
    assert lengths.points(good) == [
        lengths.LengthPoint(100, 100, False),
        lengths.LengthPoint(300, 250, False),
        lengths.LengthPoint(800, 700, False),
        lengths.LengthPoint(20000, 9000, True),
    ]
    assert lengths.tally(lengths.points(good)) == "n = 4, 1 truncated"
    assert lengths.tally(lengths.points(bad)) == "n = 4, 1 with 0 words"


def drawn(draw, runs):
    with styled():
        return draw(legible(runs))


def marks(axes):
    """The data of an axes' marks, by their marker."""
    found: dict[str, list] = {}
    for line in axes.lines:
        if line.get_marker() not in ("None", "", None):
            found.setdefault(line.get_marker(), []).extend(zip(*line.get_data(), strict=True))
    return found


def test_what_is_drawn_are_these_points_with_truncated_and_empty_ones_marked(two):
    good, bad = drawn(lengths.draw, two).axes
    assert marks(good)["o"] == [(100, 100), (300, 250), (800, 700)]
    assert marks(good)["^"] == [(20000, 9000)]
    ((required, height),) = marks(bad)["x"]
    assert required == 100
    assert height == bad.get_yticks()[-1]
    assert bad.yaxis.get_major_formatter()(height) == "0"
    assert bad.get_ylim()[0] < height < 100 / 3
    assert good.get_title(loc="left").splitlines() == ["good", "n = 4, 1 truncated"]


def test_guides_are_the_diagonal_and_the_borders_where_the_length_score_is_zero(two):
    axes = drawn(lengths.draw, two).axes[0]
    ratios = {
        round(float(y[1] / x[1]), 6)
        for x, y in (line.get_data() for line in axes.lines if line.get_marker() == "None")
        if len(set(x)) == len(set(y)) == 2 and x[1] > 1
    }
    assert ratios == {1.0, round(1 / 3, 6), 4.0}


@pytest.mark.parametrize(("longest", "least"), [(30_000, 1), (600_000, 20_000)])
def test_the_axes_reach_the_longest_required_and_written_length(longest, least):
    ends = lengths.span([1000, 30_000], [longest, least, 0])
    assert ends.high > longest
    assert ends.low < min(least, 1000 / 3)
    assert ends.left < 1000
    assert ends.bottom < ends.zero < ends.low


def test_scores_by_length_range_are_the_summarys_with_their_intervals(two):
    shown = legible(two)
    (first, *rest) = scores.points(shown, S_L)
    assert (first.place, first.group, first.n) == (0, "[0,500)", 2)
    row = shown.entries[0].summary.by_length[0]
    assert first.value == row["S_l"] == pytest.approx((100 + 90) / 2)
    assert first.interval == tuple(row["ci"]["S_l"])
    assert [(point.place, point.group) for point in rest[:2]] == [(0, "[500,2000)"), (0, "[4000,20000]")]
    assert rest[0].interval is None
    judged = scores.points(shown, S_Q)
    assert [point.n for point in judged] == [2, 1, 1, 1, 1, 1]
    axes = drawn(scores.draw, two).axes[0]
    assert sorted(y for points in marks(axes).values() for _, y in points) == sorted(
        point.value for point in [first, *rest]
    )


def test_dimensions_stand_in_the_official_order(two):
    found = dimensions.points(legible(two))
    assert [point.dimension for point in found[:6]] == [
        *("Relevance", "Accuracy", "Coherence", "Clarity", "Breadth and Depth", "Reading Experience")
    ]
    assert [point.value for point in found[:6]] == [75.0, 75.0, 75.0, 75.0, 50.0, 50.0]
    dots = marks(drawn(dimensions.draw, two).axes[0])
    assert sorted(x for points in dots.values() for x, _ in points) == sorted(point.value for point in found)
    polygon = drawn(dimensions.draw_radar, two).axes[0].lines[0].get_ydata()
    assert list(polygon) == [75.0, 75.0, 75.0, 75.0, 50.0, 50.0, 75.0]


def test_quality_against_length_has_a_cross_a_model(two):
    good, bad = (entry.summary for entry in legible(two).entries)
    assert quality.points(legible(two)) == [
        quality.QualityPoint(0, good.S_l, good.S_q, tuple(good.ci["S_l"]), tuple(good.ci["S_q"])),
        quality.QualityPoint(1, bad.S_l, bad.S_q, tuple(bad.ci["S_l"]), tuple(bad.ci["S_q"])),
    ]


@pytest.mark.parametrize(
    ("lengths_", "qualities", "x", "y"),
    [
        ([88.0, 92.0], [70.0, 75.0], (60, 100), (50, 90)),
        ([0.0], [0.0], (0, 40), (0, 40)),
        ([100.0], [100.0], (60, 100), (60, 100)),
        ([5.0, 95.0], [50.0], (0, 100), (0, 100)),
    ],
)
def test_its_axes_are_equally_long_and_show_every_model(lengths_, qualities, x, y):
    found = [quality.QualityPoint(0, length, score, None, None) for length in lengths_ for score in qualities]
    assert quality.windows(found) == (x, y)


def test_a_ruler_has_the_mean_of_each_required_length(tmp_path):
    answers = [
        written(length, actual, None, name=f"{length}-{prompt}", sample=sample)
        for length, both in {1000: (900, 1100), 10000: (6000, 2000), 30000: (0, 0)}.items()
        for prompt, actual in enumerate(both)
        for sample in range(2)
    ]
    run = entry(tmp_path / "m", "m", answers, judge=False, samples=2)
    found = ruler.points(run)
    assert [(point.required, point.n, point.mean) for point in found] == [
        (1000, 2, 1000.0),
        (10000, 2, 4000.0),
        (30000, 2, 0.0),
    ]
    assert found[0].interval == pytest.approx((0.0, 1000 + 12.7062 * 100), abs=0.01)  # t with one degree
    (axes,) = drawn(ruler.draw, block(run)).axes
    assert axes.get_xlim()[1] > 30000
    assert [text.get_text() for text in axes.get_xticklabels()][-1] == "30,000\nn = 2"


def test_a_suite_that_is_no_ruler_has_no_such_figure(two):
    assert ruler.lacking(two)
    assert not left_out(two)


def test_deviations_are_ratios_by_language_and_type(two):
    bad, good = deviation.groups(two.entries)
    assert [group.name for group in good] == [
        *("all", "Chinese", "English", "News Report", "Popular Science")
    ]
    assert good[0].ratios == (1.0, 250 / 300, 700 / 800, 0.45)
    assert bad[0].ratios == (0.0, 40 / 300, 4.0, 0.025)
    assert bad[3].ratios == (40 / 300,)
    assert good[3].ratios == ()
    low, middle, high = good[0].quartiles
    assert (low, middle, high) == tuple(np.quantile(good[0].ratios, [0.25, 0.5, 0.75]))


def test_rare_types_share_a_row(tmp_path):
    run = entry(tmp_path / "m", "m", [written(100, 90, type=f"kind {n:02}") for n in range(20)])
    names = [group.name for group in deviation.groups([run])[0]]
    assert names[-1] == "other types"
    assert len(names) == 2 + deviation.MOST_TYPES + 1


def test_without_a_judge_no_figure_shows_quality(tmp_path):
    run = entry(tmp_path / "m", "m", [written(100, 90, None), written(900, 90, None)], judge=False)
    found = figures(block(run))
    assert list(found) == ["required-vs-written", "by-length", "deviation"]
    assert len(found["by-length"].axes) == 1
    lacking = ("dimensions", "dimensions-radar", "quality-vs-length")
    for name, told in zip(lacking, left_out(block(run)), strict=True):
        assert f" {name}:" in told


def test_a_run_of_empty_responses_is_drawn(tmp_path):
    run = entry(tmp_path / "m", "m", [written(100, 0), written(900, 0)])
    with styled():
        assert set(figures(block(run))) >= {"required-vs-written", "deviation", "by-length"}


def test_a_run_without_a_response_is_in_no_figure_and_named(tmp_path):
    silent = entry(tmp_path / "n", "silent", [])
    talking = entry(tmp_path / "m", "talking", [written(100, 90)])
    both = block(silent, talking)
    assert [one.label for one in legible(both).entries] == ["talking"]
    assert any(told.startswith("silent ") for told in left_out(both))
    assert figures(block(silent)) == {}


def test_runs_stand_best_first_and_no_more_than_are_legible(two):
    assert [one.label for one in legible(two).entries] == ["good", "bad"]
    many = Block("t", two.entries * MOST)
    kept = legible(many)
    assert len(kept.entries) == MOST
    assert kept.title == f"t · the best {MOST} of {2 * MOST} runs"
    assert {one.label for one in kept.entries} == {"good"}
