"""`lbw-eval` as a person runs it: a child process, real servers, real signals."""

from __future__ import annotations

import json
import os
import re
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

from longbench_write.judging.cards import load_card
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import DIMENSIONS, S_Q
from longbench_write.scoring.summary import Summary
from longbench_write.suites.suite import LENGTH_RANGES

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


def run_folder(tmp_path):
    (path,) = (tmp_path / "out").glob("*/*/*")
    return path


def recorded(tmp_path):
    path = run_folder(tmp_path) / "predictions.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def test_stdout_carries_the_table_alone(tmp_path, suite):
    with OpenAIServer(writer(80)) as model, OpenAIServer(judge_reply()) as judges:
        judge = ["--judge", "paper", "--judge-base-url", judges.base_url]
        done = lbw_eval(*words(tmp_path, suite, model, *judge))
        again = lbw_eval(*words(tmp_path, suite, model, *judge))
        assert len(model.requests) == len(judges.requests) == 8
    assert done.returncode == again.returncode == 0
    assert done.stdout == again.stdout
    for text in (S_L.label, S_Q.label, *DIMENSIONS, *LENGTH_RANGES[:4]):
        assert text in done.stdout
    assert str(run_folder(tmp_path)) in done.stderr
    assert str(load_card("paper")[0].retires) not in done.stderr


def test_json_on_stdout_is_the_summary_file(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--json", "--progress", "none"))
    path = run_folder(tmp_path) / "summary.json"
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


def test_what_each_request_has_is_said_on_the_command_line(tmp_path, suite, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "system.txt").write_text("Be long.")
    (tmp_path / ".env").write_text("MY_ORG=org-0123456789abcdef\n")
    with OpenAIServer(writer()) as model:
        more = (
            *("--gen", "top_p=0.8", "--gen", "chat_template_kwargs.enable_thinking=false"),
            *("--extra-body", '{"provider": {"only": ["p"]}}', "--header", "X-Org=MY_ORG"),
            *("--system", "@system.txt", "--seed", "none", "--temperature", "default"),
            *("--max-tokens-field", "max_output_tokens", "--max-tokens", "99"),
        )
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--limit", "1", *more))
        (request,) = model.requests
    assert done.returncode == 0, done.stderr
    assert request.headers["x-org"] == "org-0123456789abcdef"
    assert "MY_ORG" in done.stderr
    assert "org-0123456789abcdef" not in done.stderr
    expected = {
        "model": "m",
        "top_p": 0.8,
        "chat_template_kwargs": {"enable_thinking": False},
        "provider": {"only": ["p"]},
        "max_output_tokens": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert {name: value for name, value in request.body.items() if name != "messages"} == expected
    assert request.body["messages"][0] == {"role": "system", "content": "Be long."}


@pytest.mark.parametrize("more", [(), ("--base-url", "http://example.org/v1")])
def test_a_socks_proxy_is_one_sentence(tmp_path, suite, monkeypatch, more):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "")
    options = ("--model", "m", "--suite", str(suite), "--out", str(tmp_path / "out"), "--judge", "none")
    done = lbw_eval(*options, *more)
    assert done.returncode == 2
    assert "socks" in done.stderr
    assert "Traceback" not in done.stderr


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
    assert re.search(rf"{re.escape(str(run_folder(tmp_path)))}\D*\b{len(kept)}\b", done.stderr)


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
            assert any(re.search(r"\b1\b.*\b5 s\b", line) for line in said)
            child.send_signal(number) if again else released.set()
            out, err = child.communicate(timeout=60)
        released.set()
        assert len(model.requests) == 4
    assert child.returncode == 130
    assert out == ""
    last = err.strip().splitlines()[-1]
    kept = 3 if again else 4
    assert re.match(rf"\D*\b{kept}\b\D*\b0\b.*{re.escape(str(run_folder(tmp_path)))}", last)
    assert last.endswith(f"lbw-eval {' '.join(command[:-1])}")
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
    assert "Traceback" not in err


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
    assert re.search(rf"\b{child.pid}\b", second.stderr)
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
        strict = lbw_eval(*words(tmp_path, suite, model, *judge, "--strict", "--json"))
        retried = lbw_eval(*words(tmp_path, suite, model, *judge, "--strict", "--retry-failed"))
    assert (lenient.returncode, strict.returncode, retried.returncode) == (0, 1, 0)
    summary = json.loads(strict.stdout)
    assert (summary["counts"]["judged"], summary["counts"]["judge_failed"]) == (7, 1)
    assert summary["judge_failures"] == {"invalid_reply": 1}
    assert summary["S_q_bounds"] == [65.625, 78.125]
    shown = re.search(r"invalid_reply 1\b.*\b65\.6\b.*\b78\.1\b", lenient.stdout, re.DOTALL)
    assert shown, lenient.stdout


def test_a_run_is_judged_later_without_generating(tmp_path, suite):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply()) as judges:
        first = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--json"))
        run = run_folder(tmp_path)
        judged = lbw_eval("judge", str(run), "--judge", "paper", "--judge-base-url", judges.base_url)
        scored = lbw_eval("score", str(run))
        assert len(model.requests) == len(judges.requests) == 8
    summary = json.loads(first.stdout)
    assert (summary["S_q"], summary["counts"]["judged"], summary["counts"]["not_judged"]) == (None, 0, 8)
    assert Summary.read(run / "summary.json").counts["judged"] == 8
    assert scored.stdout == judged.stdout


def test_a_refused_key_is_one_sentence(tmp_path, suite):
    with OpenAIServer(in_turn(Answer(status=401, error={"message": "who are you"}))) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1"))
        debug = lbw_eval("--debug", *words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1"))
        assert len(model.requests) == 2
    assert done.returncode == 1
    assert re.search(r"\b401\b.*who are you", done.stderr)
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
        child.expect("8/8")
        child.expect_exact(S_L.label)
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0


def test_a_run_without_any_response_has_failed(tmp_path, suite):
    too_long = Answer(status=400, error={"message": "maximum context length is 32768, you requested 32790"})
    with OpenAIServer(in_turn(too_long)) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--json"))
    assert done.returncode == 1
    assert re.search(r"\bcontext_length 8\b.*--max-tokens\b", done.stderr)
    summary = json.loads(done.stdout)
    assert summary["failures"] == {"context_length": 8}
    assert (summary["counts"]["generated"], summary["S_l"]) == (0, None)


def test_a_judge_without_any_valid_reply_has_failed(tmp_path, suite):
    with OpenAIServer(writer()) as model, OpenAIServer(in_turn(Answer("no"))) as judges:
        done = lbw_eval(
            *words(tmp_path, suite, model, "--judge", "paper", "--judge-base-url", judges.base_url)
        )
    assert done.returncode == 1
    assert re.search(r"\binvalid_reply 8\b", done.stderr)


def test_after_a_stop_it_says_what_is_kept(tmp_path, suite):
    with OpenAIServer(in_turn(writer(), writer(), Answer(status=401))) as model:
        done = lbw_eval(*words(tmp_path, suite, model, "--judge", "none", "--concurrency", "1"))
    assert done.returncode == 1
    folder = re.escape(str(run_folder(tmp_path)))
    assert re.search(rf"\b2\b\D*\b0\b.*{folder}.*\blbw-eval --model m\b", done.stderr)
    assert len(recorded(tmp_path)) == 2


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
        (again,) = re.findall(r"\blbw-eval (--.*)", stopped.stderr)
        again = again.split()
        done = lbw_eval(*again)
        assert len(model.requests) == 2 + 7
    assert again == [*command, "--no-fresh"]
    assert done.returncode == 0


def test_options_of_a_run_before_a_command_are_refused(tmp_path):
    done = lbw_eval("--judge-base-url", "http://127.0.0.1:1/v1", "judge", str(tmp_path), "--judge", "paper")
    assert done.returncode == 2
    assert re.search(r"\bjudge$", done.stderr.strip())


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
    summary = Summary.read(run_folder(tmp_path) / "summary.json")
    assert summary.counts["owed"] == summary.counts["generated"] == summary.counts["judged"] == 8
    assert [row["n"] for row in summary.by_length] == [2, 2, 2, 2]
    first = recorded(tmp_path)
    assert all(len(record["response"]) > 0 for record in first)
    assert summary.judge_note
    assert summary.judge_note in " ".join(done.stdout.split())
    again = lbw_eval(*command, "--out", str(tmp_path / "out"))
    assert again.stdout == done.stdout
    assert recorded(tmp_path) == first
