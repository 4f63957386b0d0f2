import pytest

from longbench_write.leaderboards.layout import published_tables
from longbench_write.leaderboards.published import published
from longbench_write.suites.suite import LENGTH_RANGES, suite_names


def test_every_row_has_a_source_and_figures_of_a_known_suite():
    rows = published()
    assert len({(row.model, row.suite, row.source) for row in rows}) == len(rows) == 13
    for row in rows:
        assert row.model
        assert row.source
        assert row.origin in ("paper", "others")
        assert row.suite in suite_names()
        figures = [*row.scores.values(), *row.range_mean.values()]
        figures += [value for scores in row.by_length.values() for value in scores.values()]
        assert all(0 <= value <= 100 for value in figures if value is not None)
        assert any(value is not None for value in figures)


def test_the_overall_score_is_the_mean_of_both_scores_where_all_three_were_read():
    whole = [row.scores for row in published() if None not in row.scores.values()]
    assert len(whole) == 6
    for scores in whole:
        assert scores["S_bar"] == pytest.approx((scores["S_l"] + scores["S_q"]) / 2, abs=0.051)


def test_the_range_means_are_those_of_the_ranges():
    rows = [row for row in published() if row.range_mean["S_l"] is not None]
    assert len(rows) == 2
    for row in rows:
        for name in ("S_l", "S_q"):
            values = [row.by_length[label][name] for label in LENGTH_RANGES[:4]]
            assert row.range_mean[name] == pytest.approx(sum(values) / 4, abs=0.01)


def test_what_nobody_read_is_empty_and_a_column_that_nobody_has_is_left_out():
    whole, english = published_tables(published())
    assert [column.head for column in whole.columns] == ["model", "by", "S̄", "S_l", "S_q", "read in"]
    claude = [cell.text for cell in whole.rows[0]]
    assert claude[:5] == ["Claude 3.5 Sonnet", "paper", "80.7", "", ""]
    assert {column.group for column in english.columns} == {
        "",
        *LENGTH_RANGES[:4],
        "mean of the four ranges",
    }
    assert all(row[-1].text for table in (whole, english) for row in table.rows)
