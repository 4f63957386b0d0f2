"""`lbw-eval` as a person runs it: a child process, real servers, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager

import pexpect
import pytest
from samples import write_suite
from servers.openai_server import Answer, OpenAIServer, in_turn, judge_reply, writer

COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path)


def words(tmp_path, suite, model, *more):
    return [
        "--model",
        "m",
        "--suite",
        str(suite),
        "--base-url",
        model.base_url,
        "--out",
        str(tmp_path / "out"),
        *more,
    ]


def lbw_eval(*words):
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=600)


@contextmanager
def started(*words, **streams):
    """The command in the background, not left behind whatever the test finds."""
    with subprocess.Popen([*COMMAND, *words], text=True, **streams) as child:
        try:
            yield child
        finally:
            child.kill()


def hearing_each_signal(*words, **streams):
    """As `started`, but two signals count as two however soon the second one comes."""
    code = "from longbench_write.cli import app, signals; signals.TOGETHER = 0.0; app.main()"
    return subprocess.Popen([sys.executable, "-c", code, *words], text=True, **streams)


def blocking_after(count, answer):
    """Answers `count` requests, then tells and keeps the others waiting until released."""
    reached, released = threading.Event(), threading.Event()

    def respond(body, number):
        if number >= count and not released.is_set():
            reached.set()
            released.wait(60)
        return answer(body, number)

    return respond, reached, released


def recorded(tmp_path):
    (path,) = (tmp_path / "out").glob("*/*/*/predictions.jsonl")
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def test_stdout_carries_the_table_alone(tmp_path, suite):
    with OpenAIServer(writer(80)) as model, OpenAIServer(judge_reply()) as judges:
        judge = ["--judge", "paper", "--judge-base-url", judges.base_url]
        done = lbw_eval(*words(tmp_path, suite, model, *judge))
        again = lbw_eval(*words(tmp_path, suite, model, *judge))
        assert len(model.requests) == len(judges.requests) == 8
    assert done.returncode == again.returncode == 0
    assert done.stdout == again.stdout
    for text in (
        "S_l (length)",
        "S_q (quality)",
        "Reading Experience",
        "[4000,20000]",
        "8 owed = 8 generated",
    ):
        assert text in done.stdout
    assert "recording in" in done.stderr
    assert "shut down on 2026-10-23" not in done.stderr
    assert "nothing is owed" in again.stderr


def test_json_on_stdout_is_the_summary_file(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--json", "--progress", "none"))
    (path,) = (tmp_path / "out").glob("*/*/*/summary.json")
    assert done.stdout == path.read_text(encoding="utf-8")
    assert json.loads(done.stdout)["counts"]["owed"] == 8


def test_a_yaml_file_is_overruled_by_the_command_line(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        config = tmp_path / "run.yaml"
        config.write_text(
            f"model: other\nsuite: {suite}\nbase-url: {model.base_url}\nlimit: 4\njudge: none\n"
            f"out: {tmp_path / 'out'}\n"
        )
        done = lbw_eval("--config", str(config), "--model", "m", "--json")
        assert {request.body["model"] for request in model.requests} == {"m"}
    assert json.loads(done.stdout)["counts"]["owed"] == 4


@pytest.mark.slow
def test_killed_in_the_middle_it_resumes_and_repeats_nothing_finished(tmp_path, suite):
    answer, reached, released = blocking_after(5, writer(80))
    with OpenAIServer(answer) as model:
        command = words(tmp_path, suite, model, "--judge", "none", "--concurrency", "2")
        with started(*command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
            assert reached.wait(60)
            while child.poll() is None and len(recorded(tmp_path)) < 4:
                pass
        released.set()
        assert child.returncode == -signal.SIGKILL
        kept = {record["prompt"] for record in recorded(tmp_path)}
        assert 4 <= len(kept) < 8
        done = lbw_eval(*command)
        asked = Counter(request.prompt for request in model.requests)
    assert done.returncode == 0
    assert all(asked[prompt] == 1 for prompt in kept)
    assert len(recorded(tmp_path)) == len(asked) == 8
    assert f"{len(kept)} responses are there already" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_interrupted_it_keeps_what_is_done_and_tells_how_to_resume(tmp_path, suite, number, again):
    """Once, what is in flight may finish; twice, it ends at once."""
    answer, reached, released = blocking_after(3, writer(80))
    with OpenAIServer(answer) as model:
        command = words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1", "--fresh")
        with hearing_each_signal(*command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert reached.wait(60)
            child.send_signal(number)
            said = iter(child.stderr.readline, "")
            assert any("1 requests in flight have 5 s to finish" in line for line in said)
            child.send_signal(number) if again else released.set()
            out, err = child.communicate(timeout=60)
        released.set()
        assert len(model.requests) == 4
    assert child.returncode == 130
    assert out == ""
    last = err.strip().splitlines()[-1]
    kept = 3 if again else 4
    assert f"interrupted; {kept} new responses and 0 judgements are kept in" in last
    assert last.endswith(f"Resume with: lbw-eval {' '.join(command[:-1])}")
    assert len(recorded(tmp_path)) == kept


def test_interrupted_while_it_fetches_it_ends_at_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        code = (
            "from longbench_write.assets import assets; from longbench_write.cli.app import main;"
            f"assets.RAW_URL = {host!r}; main()"
        )
        environment = os.environ | {"LBW_CACHE": str(tmp_path / "cache"), "PIP_INDEX_URL": host}
        with subprocess.Popen(
            [sys.executable, "-c", code, "--model", "m", "--base-url", host, "--judge", "none"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            silent.accept()[0].close()
            silent.settimeout(60)
            pip, _ = silent.accept()
            with pip:
                child.send_signal(signal.SIGINT)
                _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "interrupted; nothing had been asked yet" in err


@pytest.mark.slow
def test_a_second_process_is_told_who_is_at_work(tmp_path, suite):
    answer, reached, released = blocking_after(1, writer(80))
    with OpenAIServer(answer) as model:
        command = words(tmp_path, suite, model, "--judge", "none")
        with started(*command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
            assert reached.wait(60)
            second = lbw_eval(*command, "--wait", "0")
            with started(*command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as third:
                assert any("--wait" in line for line in iter(third.stderr.readline, ""))
                released.set()
                _, err = third.communicate(timeout=60)
            child.wait(60)
        assert len(model.requests) == 8
    assert second.returncode == 1
    assert f"in use by process {child.pid}" in second.stderr
    assert third.returncode == 0
    assert "nothing is owed" in err
    assert len(recorded(tmp_path)) == 8


def test_strict_exits_with_1_where_a_score_is_missing(tmp_path, suite):
    with (
        OpenAIServer(writer()) as model,
        OpenAIServer(in_turn(Answer("no"), *[Answer("no")] * 4, judge_reply())) as judges,
    ):
        judge = ["--judge", "paper", "--judge-base-url", judges.base_url, "--judge-concurrency", "1"]
        lenient = lbw_eval(*words(tmp_path, suite, model, *judge))
        strict = lbw_eval(*words(tmp_path, suite, model, *judge, "--strict"))
        retried = lbw_eval(*words(tmp_path, suite, model, *judge, "--strict", "--retry-failed"))
    assert (lenient.returncode, strict.returncode, retried.returncode) == (0, 1, 0)
    assert "7 judged + 1 judge failed (invalid_reply 1)" in strict.stdout
    assert "S_q lies between 65.6 and 78.1" in strict.stdout


def test_a_run_is_judged_later_without_generating(tmp_path, suite):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply()) as judges:
        first = lbw_eval(*words(tmp_path, suite, model, "--judge", "none"))
        (run,) = (tmp_path / "out").glob("*/*/*")
        judged = lbw_eval("judge", str(run), "--judge", "paper", "--judge-base-url", judges.base_url)
        scored = lbw_eval("score", str(run))
        assert len(model.requests) == len(judges.requests) == 8
    assert "S_q is missing" in first.stdout
    assert "8 generated = 8 judged" in judged.stdout
    assert scored.stdout == judged.stdout


def test_a_refused_key_is_one_sentence(tmp_path, suite):
    with OpenAIServer(in_turn(Answer(status=401, error={"message": "who are you"}))) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1"))
        debug = lbw_eval("--debug", *words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1"))
        assert len(model.requests) == 2
    assert done.returncode == 1
    assert "HTTP 401: who are you" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in debug.stderr


def test_on_a_terminal_the_line_renews_itself(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        child = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *words(tmp_path, suite, model, "--judge", "none")],
            dimensions=(40, 120),
            env=os.environ | {"TERM": "xterm-256color"},
            encoding="utf-8",
            timeout=60,
        )
        child.expect("written 8/8")
        child.expect("8 owed = 8 generated")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0


def test_a_run_without_any_response_has_failed(tmp_path, suite):
    too_long = Answer(status=400, error={"message": "maximum context length is 32768, you requested 32790"})
    with OpenAIServer(in_turn(too_long)) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none"))
    assert done.returncode == 1
    assert "not one response came (context_length 8); ask for fewer tokens with --max-tokens" in done.stderr
    assert "8 owed = 0 generated + 8 failed (context_length 8)" in done.stdout


def test_a_judge_without_any_valid_reply_has_failed(tmp_path, suite):
    with OpenAIServer(writer()) as model, OpenAIServer(in_turn(Answer("no"))) as judges:
        done = lbw_eval(
            *words(tmp_path, suite, model, "--judge", "paper", "--judge-base-url", judges.base_url)
        )
    assert done.returncode == 1
    assert "not one judgement came (invalid_reply 8)" in done.stderr


def test_after_a_stop_it_says_what_is_kept(tmp_path, suite):
    with OpenAIServer(in_turn(writer(), writer(), Answer(status=401))) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1"))
    assert done.returncode == 1
    assert "2 new responses and 0 judgements are kept in" in done.stderr
    assert "resume with: lbw-eval --model m" in done.stderr


def test_what_a_server_says_commands_no_terminal(tmp_path, suite):
    nasty = Answer(status=401, error={"message": "\x1b]0;pwned\x07\x1b[2J"})
    with OpenAIServer(in_turn(nasty)) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1"))
    assert "pwned" in done.stderr
    assert "\x1b" not in done.stderr
    assert "\x07" not in done.stderr


def test_the_table_is_utf_8_whatever_the_locale(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        done = subprocess.run(
            [*COMMAND, *words(tmp_path, suite, model, "--judge", "none")],
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": "cp1252"},
            timeout=120,
        )
    assert done.returncode == 0
    assert "S̄" in done.stdout.decode("utf-8")


def test_a_fresh_run_from_a_file_is_resumed_without_fresh(tmp_path, suite):
    config = tmp_path / "run.yaml"
    config.write_text("fresh: true\njudge: none\nconcurrency: 1\n")
    with OpenAIServer(in_turn(writer(), Answer(status=401))) as model:
        command = words(tmp_path, suite, model, "--config", str(config))
        stopped = lbw_eval(*command)
        model.answer = writer()
        again = stopped.stderr.split("resume with: lbw-eval ")[1].splitlines()[0].split()
        done = lbw_eval(*again)
        assert len(model.requests) == 2 + 7
    assert again == [*command, "--no-fresh"]
    assert done.returncode == 0


def test_options_of_a_run_before_a_command_are_refused(tmp_path):
    done = lbw_eval("--judge-base-url", "http://127.0.0.1:1/v1", "judge", str(tmp_path), "--judge", "paper")
    assert done.returncode == 2
    assert "put them after judge" in done.stderr


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_model_writes_and_judges(tmp_path):
    command = [
        "--model",
        "local/smollm2-135m",
        "--judge",
        "local-smollm2",
        "--limit",
        "8",
        "--max-tokens",
        "48",
    ]
    done = lbw_eval(*command, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "out").glob("*/*/*/summary.json")
    summary = json.loads(path.read_text(encoding="utf-8"))
    counts = summary["counts"]
    assert counts["owed"] == counts["generated"] == counts["judged"] == 8
    assert [row["n"] for row in summary["by_length"]] == [2, 2, 2, 2]
    assert all(len(record["response"]) > 0 for record in recorded(tmp_path))
    assert "scores mean nothing" in done.stdout
    again = lbw_eval(*command, "--out", str(tmp_path / "out"))
    assert again.stdout == done.stdout
    assert "nothing is owed" in again.stderr
