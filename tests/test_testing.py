from dataclasses import replace

import pytest
from samples import RUN_INFO, judged, predicted

from longbench_write.errors import UsageError
from longbench_write.gate.gate import Outcome
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv
from longbench_write.testing import assert_no_regression


def put_run(folder, share, *, prompts=24, **info):
    """A run in which every text has this share of the length that was asked for."""
    predictions = [
        predicted(f"p-{n}", length=100 * n, response_length=int(100 * n * share))
        for n in range(1, prompts + 1)
    ]
    judgements = [judged(prediction.id) for prediction in predictions]
    summary, rows = summarise(replace(RUN_INFO, **info), predictions, judgements, owed=prompts, seconds=1.0)
    folder.mkdir()
    (folder / "run.yaml").write_text("")
    (folder / "summary.json").write_text(summary.to_json())
    (folder / "scores.csv").write_text(scores_csv(rows))
    return folder


def test_a_run_that_is_as_good_passes(tmp_path):
    assert_no_regression(put_run(tmp_path / "b", 1.0), put_run(tmp_path / "a", 1.0))


def test_a_run_that_got_worse_fails_and_says_where(tmp_path):
    with pytest.raises(AssertionError, match=rf"\b{Outcome.REGRESSED}\b.*\bS_l\b.*\[\d+,") as failure:
        assert_no_regression(put_run(tmp_path / "b", 0.5), put_run(tmp_path / "a", 1.0))
    assert "S_q" not in str(failure.value)


def test_the_rule_is_that_of_the_command_line(tmp_path):
    worse, before = put_run(tmp_path / "b", 0.9), put_run(tmp_path / "a", 1.0)
    assert_no_regression(worse, before, metrics=["S_q"])
    assert_no_regression(worse, before, max_drop=10)
    assert_no_regression(worse, before, max_drop={"S_l": 10, "S_bar": 10})
    with pytest.raises(AssertionError, match=rf"\b{Outcome.REGRESSED}\b.*\bS_l\b.*\b99\b"):
        assert_no_regression(worse, before, metrics=["S_q"], floors={"S_l": 99})
    with pytest.raises(UsageError, match="S_quality"):
        assert_no_regression(worse, before, metrics=["S_quality"])


def test_what_cannot_be_told_fails(tmp_path):
    with pytest.raises(AssertionError, match=rf"\b{Outcome.UNDECIDED}\b.*\bS_l\b"):
        assert_no_regression(put_run(tmp_path / "b", 1.0, prompts=12), put_run(tmp_path / "a", 1.0))
