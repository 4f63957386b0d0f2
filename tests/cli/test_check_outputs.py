"""The outputs of `lbw-eval check` never change its verdict, and none of them outlives the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from gate_samples import write_run, wrote_well
from value_faults import command

from longbench_write.cli.verdict_outputs import SUMMARY_LIMIT

OLD = "of yesterday"
FILES = ("--junit", "gate.xml", "--markdown", "gate.md", "--plot", "gate.svg", "--github")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """The working folder, with a baseline, a run that fell, and the outputs of yesterday."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    write_run(tmp_path / "good", wrote_well(), model="writer-1")
    write_run(tmp_path / "cut", wrote_well(share=0.3), model="writer-2")
    for name in ("gate.xml", "gate.md", "gate.svg"):
        (tmp_path / name).write_text(OLD)
    return tmp_path


def check(*words):
    return command("check", *words)


@pytest.mark.parametrize(
    "words",
    [
        ("cut", "--baseline", "nowhere"),
        ("nowhere", "--baseline", "good"),
        ("cut", "--baseline", "good", "--min", "S_l"),
        ("cut", "--baseline", "good", "--metric", "S_k"),
        ("cut", "--baseline", "good", "--config", "none.yaml"),
        ("cut",),
        ("cut", "--baseline", "gate.json"),
        ("cut", "--baseline", "good", "--plot", "gate.jpg"),
        ("cut", "--baseline", "good", "--max-missing", "few"),
        ("cut", "--baseline", "good", "--max-dorp=1"),
        ("cut", "--worst", "-1"),
        ("--baseline", "good"),
    ],
)
def test_where_there_is_no_verdict_each_output_says_why(place, words):
    (place / "gate.json").write_text('{"kind": "longbench-write baseline", "schema": 2}')
    more = tuple(word for word in FILES if "--plot" not in words or word not in ("--plot", "gate.svg"))
    done = check(*words, *more, "--json")
    assert done.raised is None
    assert done.code in (1, 2)
    values = json.loads(done.out)
    assert values["exit_code"] == done.code
    (annotation, *said) = done.err.splitlines()
    assert values["error"] in " ".join(said)
    assert annotation.startswith("::error title=")
    case = ElementTree.parse("gate.xml").find("testsuite/testcase")
    assert case.find("error").get("message") == values["error"]
    assert (place / "gate.md").read_text() == (place / "summary.md").read_text() != OLD
    assert "--plot" in words or "<svg" in (place / "gate.svg").read_text()


@pytest.mark.parametrize(
    "words", [["--common", "night"], ["night"], ["--max-drop=2", "night", "--worst", "3"]]
)
def test_words_that_cannot_be_read_name_the_run_and_no_value_of_an_option(place, words):
    shown = place / "shown.md"
    check("--baseline", "b.json", *words, "--markdown", str(shown), "--nosuch")
    assert "night was not checked" in shown.read_text(encoding="utf-8")


def test_an_unreadable_run_leaves_no_old_file(place):
    (place / "cut" / "scores.csv").write_text("id\n")
    done = check("cut", "--baseline", "good", *FILES)
    assert done.code == 1
    assert ElementTree.parse("gate.xml").find("testsuite").get("errors") == "1"
    assert "cut" in (place / "gate.md").read_text()


@pytest.mark.parametrize("option", ["--junit", "--markdown", "--plot"])
@pytest.mark.parametrize(("run", "code"), [("cut", 3), ("good", 2)])
def test_a_file_that_cannot_be_written_is_named_and_changes_no_verdict(option, run, code):
    done = check(run, "--baseline", "good", option, "nowhere/gate.svg")
    assert (done.code, done.raised) == (code, None)
    assert "nowhere" in done.err
    assert "S_l" in done.out


def test_one_output_that_fails_takes_no_other_with_it(place):
    (place / "gate.md").unlink()
    (place / "gate.md").mkdir()
    assert check("cut", "--baseline", "good", *FILES).code == 3
    assert ElementTree.parse("gate.xml").find("testsuite").get("failures") == "2"
    assert "<svg" in (place / "gate.svg").read_text()


def test_a_step_summary_that_cannot_be_written_changes_no_verdict(place, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    done = check("cut", "--baseline", "good", "--github")
    assert (done.code, done.raised) == (3, None)
    assert str(place) in done.err


def test_the_step_summary_stays_under_the_limit(place):
    before = "x" * (SUMMARY_LIMIT - 1500) + "\n"
    (place / "summary.md").write_text(before)
    done = check("cut", "--baseline", "good", "--github")
    written = (place / "summary.md").read_text()
    assert len(written.encode()) <= SUMMARY_LIMIT
    assert written.startswith(before + "## ❌ writer-2")
    assert "summary.md" in done.err
    (place / "summary.md").write_text("x" * SUMMARY_LIMIT)
    assert check("cut", "--baseline", "good", "--github").code == 3
    assert (place / "summary.md").stat().st_size == SUMMARY_LIMIT


@pytest.mark.parametrize("option", ["--junit", "--markdown", "--plot"])
@pytest.mark.parametrize("more", [(), ("--no-such-option",)])
def test_no_output_takes_the_place_of_what_is_read(place, option, more):
    assert command("baseline", "good", "-o", "base.svg").code == 0
    (place / "nights.svg").write_text("earlier verdicts\n")
    (place / "settings.svg").write_text("baseline: base.svg\nhistory: nights.svg\n")
    kept = {name: (place / name).read_bytes() for name in ("base.svg", "nights.svg", "settings.svg")}
    other = {"--junit": "--markdown", "--markdown": "--junit", "--plot": "--junit"}[option]
    for words in (
        ("--baseline", "base.svg", "--history", "nights.svg"),
        ("--config", "settings.svg"),
    ):
        for name in kept:
            if name == "settings.svg" and "--config" not in words:
                continue
            done = check("cut", *words, option, f"./{name}", other, "told", *more)
            assert (done.code, done.raised) == (2, None)
            assert (place / "told").read_text()
            assert {name: (place / name).read_bytes() for name in kept} == kept


def test_settings_may_come_from_a_pipe(place):
    reader, writer = os.pipe()
    os.write(writer, f"baseline: {place / 'good'}\n".encode())
    os.close(writer)
    assert check("cut", "--config", f"/dev/fd/{reader}", "--junit", "gate.xml").code == 3
    os.close(reader)


def test_two_outputs_are_no_one_file(place):
    done = check("good", "--baseline", "good", "--junit", "gate.xml", "--markdown", "./gate.xml")
    assert (done.code, done.raised) == (2, None)
    assert ElementTree.parse("gate.xml").find("testsuite").get("errors") == "1"
    assert check("good", "--baseline", "good", "--junit", "/dev/null", "--markdown", "/dev/null").code == 0


def test_a_plot_of_no_known_format_removes_nothing(place):
    (place / "notes.txt").write_text(OLD)
    assert check("cut", "--baseline", "good", "--plot", "notes.txt").code == 2
    assert (place / "notes.txt").read_text() == OLD


def test_a_history_is_no_other_file_that_is_read(place):
    assert command("baseline", "good", "-o", "base.json").code == 0
    before = (place / "base.json").read_bytes()
    done = check("cut", "--baseline", "base.json", "--history", "base.json")
    assert (done.code, done.raised) == (2, None)
    assert (place / "base.json").read_bytes() == before


def _streams(*words, **streams):
    call = [sys.executable, "-m", "longbench_write", "check", *words]
    return subprocess.run(call, stderr=subprocess.PIPE, text=True, timeout=60, **streams)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_stdout_without_reader_is_said_and_changes_no_verdict(more):
    reader, written = os.pipe()
    os.close(reader)
    done = _streams("cut", "--baseline", "good", "--junit", "gate.xml", *more, stdout=written)
    os.close(written)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert Path("gate.xml").read_text() != OLD


def test_a_full_stdout_is_said_and_is_no_pass():
    for run, code in (("cut", 3), ("good", 1)):
        with open("/dev/full", "w") as full:
            done = _streams(run, "--baseline", "good", stdout=full)
        assert done.returncode == code
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
