"""Standard streams that are closed, full or lose their reader: the work is done and said in the exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest
from samples import write_suite
from servers.openai_server import Answer, OpenAIServer, in_turn, writer

COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
RUN = Path(__file__).parent.parent / "fixtures" / "v0_1_0" / "runs" / "all"


def lbw_eval(*words, **options):
    return subprocess.run([*COMMAND, *map(str, words)], timeout=120, **options)


@pytest.fixture
def run(tmp_path):
    """A run folder, scored."""
    shutil.copytree(RUN, tmp_path / "runs")
    (found,) = (path.parent for path in (tmp_path / "runs").rglob("run.yaml"))
    lbw_eval("score", found, capture_output=True, check=True)
    return found


@pytest.fixture
def words(tmp_path):
    """Of a run of eight prompts, without the server's place."""
    suite = write_suite(tmp_path)
    return ["--model", "m", "--suite", suite, "--judge", "none", "--out", tmp_path / "out"]


@pytest.mark.parametrize("numbers", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_streams_lead_nowhere(tmp_path, run, numbers):
    def close():
        for number in numbers:
            os.close(number)

    output = tmp_path / "scores"
    done = lbw_eval("export", run, "--to", "csv", "-o", output, preexec_fn=close, capture_output=True)
    assert done.returncode == 0
    assert done.stdout == b""
    assert (b"written: " in done.stderr) == (2 not in numbers)
    shown = lbw_eval("export", run, "--to", "csv", preexec_fn=close, capture_output=True)
    assert shown.returncode == 0
    assert shown.stdout == (b"" if 1 in numbers else output.read_bytes())
    assert b"Traceback" not in shown.stderr


@pytest.mark.parametrize("command", [("leaderboard", "@"), ("export", "@", "--to", "jsonl"), ("suites",)])
def test_an_output_that_is_full_is_one_sentence(run, command):
    with open("/dev/full", "w") as full:
        words = [run if word == "@" else word for word in command]
        done = lbw_eval(*words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (1, 2)
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_an_output_that_nobody_reads_any_more_is_no_traceback(run):
    reader, written = os.pipe()
    os.close(reader)
    done = lbw_eval("export", run, "--to", "jsonl", stdout=written, stderr=subprocess.PIPE)
    os.close(written)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("display", ["rich", "plain"])
def test_a_display_that_fails_in_mid_run_is_dropped_and_the_run_goes_on(tmp_path, words, display):
    """Its reader is gone after the second answer; in another run its disk is full from the start."""
    held = threading.Event()

    def answer(body, number):
        made = writer(80)(body, number)
        return made if number < 2 else replace(made, hold=held)

    with OpenAIServer(answer) as server:
        command = [*COMMAND, *map(str, words), "--base-url", server.base_url, "--progress", display]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert server.wait_for(lambda: len(server.requests) > 2)
            child.stderr.close()
            held.set()
            out = child.stdout.read()
        assert child.returncode == 0
        assert b"8 owed = 8 generated" in out
        with open("/dev/full", "w") as full:
            done = subprocess.run([*command, "--fresh"], stderr=full, stdout=subprocess.PIPE, timeout=120)
        assert done.returncode == 0
        assert b"8 owed = 8 generated" in done.stdout
    assert len(list((tmp_path / "out").glob("*/*/*/scores.csv"))) == 2


MARKUP = "[/x] [bold]not bold[/bold] \x1b[2J\x1b]0;title\x07 ::error::owned"


def test_what_a_server_says_is_no_markup_on_a_terminal(words):
    answers = in_turn(Answer(status=500, error={"message": MARKUP}), writer(80))
    with OpenAIServer(answers) as server:
        child = pexpect.spawn(
            COMMAND[0], [*COMMAND[1:], *map(str, words), "--base-url", server.base_url, "--concurrency", "1"],
            timeout=60, dimensions=(40, 200), encoding="utf-8", codec_errors="replace",
        )  # fmt: skip
        said = child.read()
        child.close()
    assert child.exitstatus == 0, said
    assert "[/x]" in said
    assert "\x1b[2J" not in said
    assert "\x1b]0;" not in said


@pytest.mark.parametrize("columns", ["0", "", "00"])
def test_a_width_of_nothing_is_no_width(run, columns):
    environment = os.environ | {"COLUMNS": columns, "LINES": "0"}
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    shown, expected = (
        lbw_eval("judges", env=each, capture_output=True, text=True) for each in (environment, plain)
    )
    assert shown.returncode == 0
    assert shown.stdout == expected.stdout


@pytest.mark.parametrize("to", ["csv", "jsonl", "model-card", "reference"])
def test_an_export_on_a_terminal_is_not_obeyed(run, to):
    records = run / "predictions.jsonl"
    text = records.read_text(encoding="utf-8")
    records.write_text(text.replace('"type": "', '"type": "\\u001b]0;owned\\u0007', 1), encoding="utf-8")
    manifest = run / "run.yaml"
    manifest.write_text(manifest.read_text().replace("model: ", 'model: "\\e[2Jm" #', 1))
    lbw_eval("score", run, capture_output=True, check=True)
    child = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "export", str(run), "--to", to], timeout=60, encoding="utf-8"
    )
    said = child.read()
    child.close()
    assert child.exitstatus == 0, said
    assert "\x1b" not in said
