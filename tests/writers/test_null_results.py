"""The committed figures of the null writer are those that it makes today."""

from pathlib import Path

import pytest

from longbench_write import evaluate
from longbench_write.compare.collection import Entry, collect
from longbench_write.metrics.length import S_L
from longbench_write.suites.suite import LENGTH_RANGES

COMMITTED = Path(__file__).parents[2] / "results" / "null-writer"


@pytest.fixture(scope="module")
def entry() -> Entry:
    (found,) = collect([COMMITTED]).entries
    return found


def test_the_length_score_is_full_everywhere_and_no_quality_is_claimed(entry):
    summary = entry.summary
    assert (summary.writer, summary.suite, summary.S_l, summary.S_q) == ("null", "lbw-open", 100.0, None)
    assert summary.suite_version == "1.0"
    assert [row["range"] for row in summary.by_length] == list(LENGTH_RANGES[:4])
    assert all((row["S_l"], row["S_q"]) == (100.0, None) for row in summary.by_length)
    assert all(row.response_length == row.length for row in entry.rows)
    assert summary.judge is None


def test_the_writer_makes_them_again(entry, tmp_path):
    again = evaluate(writer="null", suite="lbw-open@1.0", judge="none", out=tmp_path / "out")
    assert (again.S_l, again.counts["generated"]) == (entry.summary.S_l, entry.summary.counts["generated"])
    (made,) = collect([tmp_path / "out"]).entries
    both = [
        [(row.id, row.response_length, row.values[S_L.name]) for row in one.rows] for one in (entry, made)
    ]
    assert both[0] == both[1]
