from datetime import date

import pytest

from longbench_write.leaderboards.layout import DERIVED, published_tables
from longbench_write.leaderboards.published import published
from longbench_write.suites.suite import LENGTH_RANGES, suite_names


def test_every_row_has_a_source_and_figures_of_a_known_suite():
    rows = published()
    assert len({(row.model, row.suite, row.source) for row in rows}) == len(rows) == 29
    for row in rows:
        assert row.model
        assert row.source
        assert row.origin in ("paper", "others")
        assert row.suite in suite_names()
        assert row.convention in ("", "mean", "20 x the score", "quality alone")
        assert date.fromisoformat(row.read_on) >= date(2026, 11, 21)
        assert set(row.derived) <= {name for name, value in row.scores.items() if value is not None}
        if row.convention == "quality alone":
            assert (row.scores["S_bar"], row.scores["S_l"]) == (None, None)
        figures = [*row.scores.values(), *row.range_mean.values()]
        figures += [value for scores in row.by_length.values() for value in scores.values()]
        assert all(0 <= value <= 100 for value in figures if value is not None)
        assert any(value is not None for value in figures)


def test_the_overall_score_is_the_mean_of_both_scores_where_all_three_were_read():
    whole = [row.scores for row in published() if None not in row.scores.values()]
    assert len(whole) == 8
    for scores in whole:
        assert scores["S_bar"] == pytest.approx((scores["S_l"] + scores["S_q"]) / 2, abs=0.051)


def test_the_range_means_are_those_of_the_ranges():
    rows = [row for row in published() if row.range_mean["S_l"] is not None]
    assert len(rows) == 6
    for row in rows:
        for name in ("S_l", "S_q"):
            values = [row.by_length[label][name] for label in LENGTH_RANGES[:4]]
            as_printed = row.model == "LongWriter-Llama + DPO" and name == "S_l"
            assert (row.range_mean[name] == pytest.approx(sum(values) / 4, abs=0.01)) is not as_printed
            assert f"{sum(values) / 4:.2f}" in row.source or not as_printed


def test_what_follows_from_other_figures_is_marked():
    derived = {row.model: row for row in published() if row.derived}
    assert {model: row.scores["S_q"] for model, row in derived.items()} == {
        "GPT-4o": 91.9,
        "GPT-4o + AgentWrite": 91.6,
    }
    assert all(row.derived == ("S_q",) for row in derived.values())
    whole, _ = published_tables(published())
    place = [column.head for column in whole.columns].index("S_q")
    cells = {row[0].text: row[place].text for row in whole.rows if row[place].text.endswith(DERIVED)}
    assert cells == {"GPT-4o": f"91.9 {DERIVED}", "GPT-4o + AgentWrite": f"91.6 {DERIVED}"}
    assert any(DERIVED in note for note in whole.notes)


def test_a_row_says_its_judge_its_convention_and_when_it_was_read():
    rows = published()
    shown = [row for table in published_tables(rows) for row in table.rows]
    assert len(shown) == len(rows)
    for row in rows:
        (cells,) = [
            cells
            for cells in shown
            if (cells[0].text, cells[-1].text) == (row.model, row.source) and cells[-1]
        ]
        assert row.judge in cells[0].small
        assert row.convention in cells[-1].small
        assert row.read_on in cells[-1].small


def test_what_nobody_read_is_empty_and_a_column_that_nobody_has_is_left_out():
    whole, english = published_tables(published())
    heads = [(column.head, column.group) for column in whole.columns]
    longest = ("S_l", LENGTH_RANGES[3])
    assert heads == [*((head, "") for head in ("model", "by", "S̄", "S_l", "S_q")), longest, ("read in", "")]
    claude = [cell.text for cell in whole.rows[0]]
    assert claude[:5] == ["Claude 3.5 Sonnet", "paper", "80.7", "", ""]
    assert {column.group for column in english.columns} == {
        "",
        *LENGTH_RANGES[:4],
        "mean of the four ranges",
    }
    assert all(row[-1].text for table in (whole, english) for row in table.rows)
