"""A run that cannot be read blocks no leaderboard, plot or report: it is named and left out."""

from __future__ import annotations

import pytest
from gate_samples import write_run, wrote_well
from value_faults import command

import longbench_write
from longbench_write.errors import RunFolderError

COMMANDS = {
    "leaderboard": (),
    "plot": ("--format", "svg", "--out", "plots"),
    "report": ("-o", "page.html"),
}
NEEDED = {
    "leaderboard": ("summary.json",),
    "plot": ("summary.json", "scores.csv"),
    "report": ("summary.json", "scores.csv", "predictions.jsonl", "judgements.jsonl", "run.yaml"),
}
CASES = [(name, file) for name, files in NEEDED.items() for file in files]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder with two runs, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs" / "good", wrote_well(6))
    write_run(tmp_path / "runs" / "bad", wrote_well(6), model="another")
    return tmp_path / "runs"


@pytest.mark.parametrize(("name", "file"), CASES)
def test_a_bad_run_is_named_and_left_out(runs, name, file):
    (runs / "bad" / file).write_text("not what it was\n")
    done = command(name, runs, *COMMANDS[name])
    assert (done.code, done.raised) == (0, None)
    (line,) = [line for line in done.err.splitlines() if "bad" in line]
    assert file in line
    assert command(name, runs, *COMMANDS[name], "--strict").code == 1
    alone = command(name, runs / "bad", *COMMANDS[name])
    assert (alone.code, alone.raised) == (1, None)
    assert file in alone.err


@pytest.mark.parametrize("name", COMMANDS)
def test_good_runs_alone_are_no_fault_with_strict(runs, name):
    assert command(name, runs, *COMMANDS[name], "--strict").code == 0


def test_in_python(runs, caplog):
    (runs / "bad" / "summary.json").write_text("[]")
    assert len(longbench_write.leaderboard(runs)) == 1
    assert longbench_write.report(runs, output=runs / "r.html").is_file()
    assert any("summary.json" in record.getMessage() for record in caplog.records)
    with pytest.raises(RunFolderError):
        longbench_write.leaderboard(runs / "bad")
