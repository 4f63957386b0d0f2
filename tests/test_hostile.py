"""Hostile content, from names to megabytes: it stays data, and keys stay where they are."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.openai_server import Answer, OpenAIServer, in_turn, judge_reply, writer
from typer.testing import CliRunner

from longbench_write import evaluate, load_run
from longbench_write.cli.app import app, main
from longbench_write.errors import LbwError, UsageError
from longbench_write.render.terminal import escape_terminal
from longbench_write.scoring.table import read_rows

NAMES = {
    "upwards": "../../../etc/x",
    "dots": "..",
    "absolute": "/etc/passwd",
    "slashes": "a//b///c/",
    "colons": "ollama:7b:latest",
    "spaces": "  a model  ",
    "300": "x" * 300,
    "unicode": "模型-é-🥊",
    "device": "con",
    "escape": "\x1b[2Jm",
    "formula": '=HYPERLINK("http://evil","m")',
    "html": "<script>alert(1)</script>",
}
TEXT = "\x00 \x1b]0;pwned\x07\x1b[2J \x9b2J \u202egnp.exe <script>alert(1)</script> \ud800 =HYPERLINK(1)"
OBEYED = {"Cc", "Cf", "Cs"}


def suite_of(folder, **more):
    path = folder / "odd.jsonl"
    line = {"prompt": f"Write. {TEXT[:-20]}".replace("\ud800", ""), "type": "t", "length": 50} | more
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    return str(path)


def run(tmp_path, server, **more):
    suite = more.pop("suite", None) or suite_of(tmp_path)
    given = {"model": "m", "suite": suite, "base_url": [server.base_url], "judge": "none"}
    return evaluate(**given | {"out": tmp_path / "out"} | more)


def shown(*words):
    """Return what a command prints, which holds nothing that a terminal would interpret."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None, done.exception
    for text in (done.stdout, done.stderr):
        assert not {unicodedata.category(char) for char in text if char != "\n"} & OBEYED
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_any_model_name_stays_inside_the_folder_for_runs(tmp_path, name):
    with OpenAIServer(writer(20)) as server:
        summary = run(tmp_path, server, model=NAMES[name], backend="openai")
        again = run(tmp_path, server, model=NAMES[name], backend="openai")
        assert len(server.requests) == 1
    assert again == summary
    assert {path.name for path in tmp_path.iterdir()} == {"odd.jsonl", "out"}
    (path,) = (tmp_path / "out").glob("*/*/*/run.yaml")
    assert load_run(path.parent).manifest["model"] == NAMES[name]
    if name == "escape":
        assert "S_l" in shown("score", path.parent)
        assert "S_l" in shown("leaderboard", tmp_path / "out")


def test_a_hostile_response_is_kept_whole_and_commands_nothing(tmp_path):
    kept = TEXT.replace("\ud800", "\ufffd")
    with OpenAIServer(in_turn(Answer(TEXT))) as server, OpenAIServer(judge_reply()) as judges:
        judge = {"judge": "rubric", "judge_model": "j", "judge_base_url": [judges.base_url]}
        run(tmp_path, server, suite=suite_of(tmp_path, type="\x1b[2J<b>", id="=1+1\r"), **judge)
    (path,) = (tmp_path / "out").glob("*/*/*")
    (record,) = load_run(path).predictions
    assert record.response == kept
    (row,) = read_rows(path / "scores.csv")
    assert (row.id, row.type) == ("=1+1\r", "\x1b[2J<b>")
    with (path / "scores.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["id"] == "'=1+1\r"
    shown("score", path)
    shown("leaderboard", tmp_path / "out")


PLANTED = ["scores.csv", "summary.json", ".lock.holder", "run.yaml.tmp", "scores.csv.tmp", "summary.json.tmp"]


def test_links_planted_in_a_run_folder_and_for_outputs_are_not_written_through(tmp_path):
    with OpenAIServer(writer(20)) as server:
        run(tmp_path, server)
    (path,) = (tmp_path / "out").glob("*/*/*")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in PLANTED:
        (path / name).unlink(missing_ok=True)
        (path / name).symlink_to(victim)
    shown("score", path)
    for form in ("csv", "jsonl"):
        (tmp_path / form).symlink_to(victim)
        shown("export", path, "--to", form, "-o", tmp_path / form)
        assert not (tmp_path / form).is_symlink()
    assert victim.read_text() == "mine"
    assert not (path / "scores.csv").is_symlink()
    assert {name for name in PLANTED if (path / name).is_symlink()} == set(PLANTED[3:])


def test_half_a_surrogate_pair_is_no_name():
    with pytest.raises(UsageError, match="--model"):
        evaluate(model="m\ud800")


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_is_printable_is_obeyed(text):
    assert not {unicodedata.category(char) for char in escape_terminal(text) if char != "\n"} & OBEYED


@pytest.mark.parametrize("key", ["sk-abc-123", "my key", "1"])
def test_a_key_in_place_of_its_variables_name_is_refused_and_not_repeated(key):
    with pytest.raises(UsageError, match="--api-key-env") as caught:
        evaluate(model="m", base_url=["http://127.0.0.1:1/v1"], api_key_env=key)
    assert key not in str(caught.value)


def test_a_key_that_looks_like_a_name_is_not_repeated_either(tmp_path):
    with pytest.raises(UsageError, match="--api-key-env") as caught:
        evaluate(
            model="m", base_url=["http://127.0.0.1:1/v1"], api_key_env="hf_secret", judge="none",
            suite=suite_of(tmp_path), out=tmp_path / "out",
        )  # fmt: skip
    assert "hf_secret" not in str(caught.value)
    assert not any(
        "hf_secret" in path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()
    )


SECRET, JUDGES_SECRET = "sk-very-secret-4711-0815", "sk-judges-secret-4711-0815"
ECHOES = [
    Answer(status=401, error={"message": f"Incorrect API key provided: {SECRET}", "code": SECRET}),
    Answer(status=403, error=f"no: {SECRET}"),
    Answer("x", error={"message": SECRET, "code": "401"}, fault="error_in_200"),
    Answer("x", page=f"<p>{SECRET}</p>", fault="html"),
    Answer(f"My headers hold {SECRET}.", reasoning=f"Bearer {SECRET}"),
]


@pytest.mark.slow
def test_no_key_is_left_behind_whatever_a_server_echoes(tmp_path, monkeypatch, capfd):
    """Failures first, then a run to its end, with all that can be made of it; each file is searched."""
    monkeypatch.setenv("THE_KEY", SECRET)
    monkeypatch.setenv("JUDGES_KEY", JUDGES_SECRET)
    said = [json.dumps({"message": JUDGES_SECRET}), f"not JSON: {JUDGES_SECRET}"]
    with OpenAIServer(writer()) as server, OpenAIServer(in_turn(*map(Answer, said), judge_reply())) as judges:
        words = ["--model", "m", "--suite", suite_of(tmp_path), "--base-url", server.base_url]
        words += ["--api-key-env", "THE_KEY", "--out", str(tmp_path / "out"), "--debug"]
        words += ["--judge", "rubric", "--judge-model", "j", "--judge-base-url", judges.base_url]
        words += ["--judge-api-key-env", "JUDGES_KEY"]
        for echo in ECHOES:
            server.answer = in_turn(echo)
            monkeypatch.setattr(sys, "argv", ["lbw-eval", *words])
            try:
                main()
            except (LbwError, SystemExit) as error:
                sys.stderr.write(f"{error!r} {error}")
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
        assert judges.requests[0].headers["authorization"] == f"Bearer {JUDGES_SECRET}"
    (path,) = (tmp_path / "out").glob("*/*/*")
    shown("report", path, "-o", tmp_path / "r.html")
    for form in ("reference", "csv", "jsonl", "model-card"):
        shown("export", path, "--to", form, "-o", tmp_path / form)
    left = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    left += [stream.encode() for stream in capfd.readouterr()]
    assert len(left) > 8
    assert b"My headers hold ***." in b"".join(left)
    for secret in (SECRET, JUDGES_SECRET):
        assert not any(secret.encode() in content for content in left)


def test_no_key_is_in_a_traceback(tmp_path):
    command = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
    with OpenAIServer(in_turn(ECHOES[0])) as server:
        done = subprocess.run(
            [
                *(*command, "--debug", "--model", "m", "--suite", suite_of(tmp_path), "--judge", "none"),
                *("--base-url", server.base_url, "--api-key-env", "THE_KEY", "--out", str(tmp_path / "out")),
            ],
            env=os.environ | {"THE_KEY": SECRET, "OPENAI_LOG": "debug", "PYTHONFAULTHANDLER": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert "Traceback" in done.stderr
    assert SECRET not in done.stderr + done.stdout


# Large


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp would have a file
def test_a_response_of_50_megabytes_is_read_counted_and_judged(tmp_path):
    words = 1_000_000
    text = "once " + f"{'riverbank' * 6} " * (words - 1)  # two equal halves would be a text and its replay
    assert len(text) > 50_000_000
    with OpenAIServer(in_turn(Answer(text, pieces=200))) as server, OpenAIServer(judge_reply()) as judges:
        judge = {"judge": "rubric", "judge_model": "j", "judge_base_url": [judges.base_url]}
        summary = run(tmp_path, server, max_tokens=2 * words, **judge)
        assert len(server.requests) == len(judges.requests) == 1
    assert (summary.counts["judged"], summary.counts["repetitive"]) == (1, 1)
    (path,) = (tmp_path / "out").glob("*/*/*")
    (record,) = load_run(path).predictions
    assert record.response == text
    assert record.response_length == words


READ = """
import resource, sys
from longbench_write.exchange.sources import read_objects
from longbench_write.files.jsonl import Records
from longbench_write.records import Prediction
import hashlib, pathlib
path = pathlib.Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if sys.argv[2] == "records":
    count = sum(1 for _ in Records(path, Prediction.from_json, lambda record: record.key))
else:
    count = sum(1 for _ in read_objects(path, hashlib.sha256()))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("how", "most"), [("records", 400_000), ("objects", 20_000)])
def test_a_million_lines_are_streamed(tmp_path, how, most):
    """Of a gigabyte, only the identities of records are held; kilobytes of resident memory are measured."""
    from samples import predicted

    path = tmp_path / "predictions.jsonl"
    line = json.dumps(predicted("p-@", response="w" * 600).to_json()) + "\n"
    with path.open("w") as file:
        for number in range(1_000_000):
            file.write(line.replace("p-@", f"p-{number}"))
    assert path.stat().st_size > 1e9
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), how], capture_output=True, text=True, check=True
    )
    count, grown = map(int, done.stdout.split())
    assert count == 1_000_000
    assert grown < most
