import json
from contextlib import nullcontext
from dataclasses import replace

import pytest
from samples import RUN_INFO, judged, predicted

from longbench_write.errors import UsageError
from longbench_write.gate.gate import Outcome
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv
from longbench_write.testing import GateNoteWarning, assert_no_regression


def put_run(folder, share, *, prompts=24, **info):
    """A run in which every text has this share of the length that was asked for; "a" is a day older."""
    info = {"start": f"2026-11-{21 if folder.name == 'a' else 22}T00:00:00+00:00"} | info
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


def test_a_confident_floor_is_read_from_python_and_from_the_file(tmp_path, gate_file):
    worse, _ = put_run(tmp_path / "b", 0.9), put_run(tmp_path / "a", 1.0)
    for floor, fails in ((95, False), (99, True)):
        sure = {"S_l": {"at_least": floor, "confident": True}}
        gate_file.write_text(f"baseline: a\nmetrics: [S_q]\nmin: {json.dumps(sure)}\n")
        for floors in (None, sure):
            with pytest.raises(AssertionError, match=r"\bS_l\b") if fails else nullcontext():
                assert_no_regression(worse, floors=floors)
    with pytest.raises(AssertionError, match=r"\bS_l\b.*\b95\b"):
        assert_no_regression(worse, floors={"S_l": 95})


def test_what_cannot_be_told_fails(tmp_path):
    with pytest.raises(AssertionError, match=rf"\b{Outcome.UNDECIDED}\b.*\bS_l\b"):
        assert_no_regression(put_run(tmp_path / "b", 1.0, prompts=12), put_run(tmp_path / "a", 1.0))


@pytest.fixture
def gate_file(tmp_path, monkeypatch):
    """Writes the lbw-gate.yaml of the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "lbw-gate.yaml"


def test_lbw_gate_yaml_is_read_as_the_command_reads_it(tmp_path, gate_file):
    worse, before = put_run(tmp_path / "b", 0.9), put_run(tmp_path / "a", 1.0)
    gate_file.write_text("baseline: a\nmetrics: [S_q]\nmax-drop: {default: 3}\n")
    assert_no_regression(worse)
    assert_no_regression(worse, metrics=["S_l"], max_drop=20)
    with pytest.raises(AssertionError, match=rf"\b{Outcome.REGRESSED}\b.*\bS_l\b"):
        assert_no_regression(worse, metrics=["S_l"])
    gate_file.write_text("baseline: a\nmetrics: [S_q]\nmin: {S_l: 99}\n")
    with pytest.raises(AssertionError, match=rf"\b{Outcome.REGRESSED}\b.*\bS_l\b.*\b99\b"):
        assert_no_regression(worse)
    assert_no_regression(worse, floors={"S_l": 9})
    (tmp_path / "other.yaml").write_text("max-dorp: 1\n")
    with pytest.raises(UsageError, match=r"other\.yaml.*max-dorp"):
        assert_no_regression(worse, before, config="other.yaml")
    gate_file.unlink()
    with pytest.raises(UsageError, match="baseline"):
        assert_no_regression(worse)


def test_a_history_is_appended_to_whatever_the_verdict(tmp_path, gate_file):
    good, worse, _ = put_run(tmp_path / "b", 1.0), put_run(tmp_path / "c", 0.5), put_run(tmp_path / "a", 1.0)
    (tmp_path / "gates").mkdir()
    config = tmp_path / "gates" / "gate.yaml"
    config.write_text("baseline: ../a\nhistory: nights.jsonl\n")
    with pytest.warns(GateNoteWarning, match="nights"):
        assert_no_regression(good, config=config)
    with pytest.raises(AssertionError, match=r"\bS_l\b"):
        assert_no_regression(worse, config=config)
    lines = (tmp_path / "gates" / "nights.jsonl").read_text().splitlines()
    assert [json.loads(line)["exit_code"] for line in lines] == [0, 3]
    with pytest.raises(AssertionError, match=r"\bS_l\b[^|]*note: .*none"):
        assert_no_regression(worse, config=config, history=tmp_path / "none" / "nights.jsonl")
    with pytest.raises(UsageError, match="none"):
        assert_no_regression(good, config=config, history=tmp_path / "none" / "nights.jsonl")
    gate_file.write_text("baseline: a\nhistory: [nights.jsonl]\n")
    with pytest.raises(UsageError, match=r"lbw-gate\.yaml: history"):
        assert_no_regression(good)


def test_notes_are_shown_whatever_the_verdict(tmp_path):
    before = put_run(tmp_path / "a", 1.0)
    settings = RUN_INFO.settings | {"temperature": 1}
    same, worse = (put_run(tmp_path / str(share), share, settings=settings) for share in (1.0, 0.5))
    with pytest.warns(GateNoteWarning, match=r"temperature 0\.5 → 1"):
        assert_no_regression(same, before)
    with pytest.raises(AssertionError, match=r"temperature 0\.5 → 1"):
        assert_no_regression(worse, before)
