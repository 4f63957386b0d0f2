"""A server's ceiling is found from its answers, said at once, and stands wherever the run's figures do."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace

import pytest
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write import evaluate
from longbench_write.cli.app import main
from longbench_write.runs.observer import Observer

LENGTHS = (100, 200, 400, 800, 1000, 1600)


class Notes(Observer):
    def __init__(self):
        self.notes = []
        self.answers = 0
        self.answers_at_note = None

    def note(self, text):
        self.notes.append(text)
        if "ceiling" in text:
            self.answers_at_note = self.answers

    def predicted(self, record):
        self.answers += 1


def obedient(*, window=None, output=None, finish="length", usage=True, names=None):
    """A model that writes exactly what is asked, behind a server with a ceiling; a token is a word."""

    def answer(body, number):
        prompt = body["messages"][-1]["content"]
        asked = len(prompt.split())
        wanted = int(prompt.split()[-2])
        room = min(body["max_tokens"], output or 10**6, (window or 10**6) - asked)
        cut = wanted > room
        text = writer(min(wanted, room))(body, number).text + ("" if cut else ".")
        counted = {"prompt_tokens": asked, "completion_tokens": min(wanted, room)}
        return Answer(text, finish if cut else "stop", usage=counted if usage else {})

    return answer


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "lengths.jsonl"
    lines = [
        {
            "prompt": f"{'Tell me more. ' * n}Write about a river in {length} words",
            "type": "Story",
            "length": length,
        }
        for n, length in enumerate(LENGTHS)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run(tmp_path, suite, server, notes=None, **more):
    options = {"judge": "none", "out": tmp_path / "out", "concurrency": 1, **more}
    return evaluate(
        model="m", base_url=[server.base_url], suite=str(suite), progress=notes or Notes(), **options
    )


def rows_of(tmp_path):
    (path,) = (tmp_path / "out").rglob("scores.csv")
    with open(path, newline="") as file:
        return {int(row["length"]): row for row in csv.DictReader(file)}


@pytest.mark.parametrize("finish", ["length", "stop"])
@pytest.mark.parametrize(
    ("ceiling", "kind", "tokens"), [({"window": 700}, "context", 700), ({"output": 500}, "output", 500)]
)
def test_a_ceiling_is_found_whatever_the_finish_reason(tmp_path, suite, ceiling, kind, tokens, finish):
    notes = Notes()
    with OpenAIServer(obedient(**ceiling, finish=finish)) as server:
        summary = run(tmp_path, suite, server, notes)
    assert summary.ceilings == [
        {"role": "writer", "kind": kind, "tokens": tokens, "count": 3, "source": "cut"}
    ]
    assert summary.reach["prompts"] == 3
    assert summary.reach["S_l"] == pytest.approx(summary.S_l, abs=1e-6)
    assert summary.counts["truncated"] == 3
    assert {length: row["cut_by"] for length, row in rows_of(tmp_path).items()} == {
        length: "server" if length > 400 else "" for length in LENGTHS
    }
    assert notes.answers_at_note == (2 if finish == "length" else 3)


def test_our_own_limit_is_no_ceiling(tmp_path, suite):
    notes = Notes()
    with OpenAIServer(obedient(finish="stop")) as server:
        found = run(tmp_path, suite, server, notes, max_tokens=500)
    assert (found.ceilings, found.reach) == ([], None)
    assert [row["cut_by"] for row in rows_of(tmp_path).values()].count("limit") == 3
    assert found.counts["truncated"] == 3
    assert notes.answers_at_note is None


def test_without_usage_nobody_can_tell_who_cut(tmp_path, suite):
    with OpenAIServer(obedient(output=500, usage=False)) as server:
        found = run(tmp_path, suite, server)
    assert found.ceilings == []
    assert [row["cut_by"] for row in rows_of(tmp_path).values()].count("unknown") == 3


def test_a_refusal_that_names_the_room_is_a_ceiling(tmp_path, suite):
    def answer(body, number):
        asked = len(body["messages"][-1]["content"].split())
        if asked + body["max_tokens"] > 700:
            told = (
                f"This model's maximum context length is 700 tokens. However, you requested "
                f"{asked + body['max_tokens']} tokens ({asked} in the messages, {body['max_tokens']} in the "
                "completion)."
            )
            return Answer(status=400, error={"message": told, "code": "context_length_exceeded"})
        return obedient()(body, number)

    with OpenAIServer(answer) as server:
        found = run(tmp_path, suite, server)
    (ceiling,) = found.ceilings
    assert (ceiling["kind"], ceiling["tokens"], ceiling["source"]) == ("context", 700, "refused")
    assert ceiling["count"] == [row["cut_by"] for row in rows_of(tmp_path).values()].count("limit") == 3


def lbw_eval(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["lbw-eval", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, capsys.readouterr().out


def test_it_stands_wherever_the_figures_do(tmp_path, suite, monkeypatch, capsys):
    out = tmp_path / "out"
    with OpenAIServer(obedient(output=500)) as server:
        words = [
            "--model",
            "m",
            "--base-url",
            server.base_url,
            "--suite",
            suite,
            "--judge",
            "none",
            "--out",
            out,
        ]
        code, table = lbw_eval(monkeypatch, capsys, *words)
        strict, _ = lbw_eval(monkeypatch, capsys, *words, "--strict")
    assert (code, strict) == (0, 1)
    path = next(out.rglob("scores.csv")).parent
    _, board = lbw_eval(monkeypatch, capsys, "leaderboard", path, "--format", "md")
    _, card = lbw_eval(monkeypatch, capsys, "export", path, "--to", "model-card")
    lbw_eval(monkeypatch, capsys, "report", path, "--out", tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (table, board, card, report):
        assert "ceiling" in text
        assert "500 tokens" in text
    for text in (table, card, report):
        assert "out of reach" in text


def test_who_answered_and_what_a_gateway_says_of_its_cache_is_counted_and_told(
    tmp_path, suite, monkeypatch, capsys
):
    def answer(body, number):
        headers = {"x-litellm-cache-hit": "True"} if number == 0 else {}
        return replace(obedient()(body, number), headers=headers, model="other" if number % 3 == 2 else "")

    with OpenAIServer(answer) as server:
        words = ["--model", "m", "--base-url", server.base_url, "--suite", suite, "--judge", "none"]
        _, table = lbw_eval(monkeypatch, capsys, *words, "--out", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("summary.json")
    serving = json.loads(path.read_text())["serving"]
    assert serving["cache_hits"] == 1
    assert serving["models"] == {"m": 4, "other": 2}
    assert "cache" in table
    assert "more than one model answered: m 4, other 2" in table


def test_a_ceiling_that_cut_nothing_is_shown_and_is_no_failure(tmp_path, suite, monkeypatch, capsys):
    def answer(body, number):
        if body["max_tokens"] > 3000:
            return Answer(status=400, error={"message": "max_tokens must be at most 3000", "code": None})
        return obedient()(body, number)

    with OpenAIServer(answer) as server:
        words = ["--model", "m", "--base-url", server.base_url, "--suite", suite, "--judge", "none"]
        code, table = lbw_eval(monkeypatch, capsys, *words, "--out", tmp_path / "out", "--strict")
    assert code == 0
    assert "3,000 tokens" in table
