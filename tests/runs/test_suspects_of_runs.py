"""Suspects of a run stand in its files, under its table, in the report and in the list that is asked for."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace

import pytest
from samples import write_suite
from servers.openai_server import Answer, OpenAIServer, judge_reply, writer

from longbench_write import evaluate, load_run
from longbench_write.cli.app import main
from longbench_write.errors import RetryPolicy
from longbench_write.records import Prediction
from longbench_write.runs.folder import SCORES, SUMMARY
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows

LENGTHS = (100,) * 12


def spoilt(**faults):
    """Answers of sixty words; those whose prompt has a number among the faults are spoilt by that."""
    usual = writer(60)

    def answer(body, number):
        prompt = body["messages"][-1]["content"]
        found = usual(body, number)
        for name, fault in faults.items():
            if f" number {name[1:]}." in prompt:
                found = replace(found, usage={"prompt_tokens": 9, "completion_tokens": 60}, **fault)
        return found

    return answer


def lbw_eval(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["lbw-eval", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, capsys.readouterr().out


@pytest.fixture
def run(tmp_path):
    """The folder of a run of which three responses are spoilt."""
    text = "The server is currently overloaded."
    faults = {"n2": {"fault": "stripped"}, "n4": {"text": text}, "n6": {"text": "", "reasoning": "Hm."}}
    with OpenAIServer(spoilt(**faults)) as server:
        evaluate(
            model="m",
            base_url=[server.base_url],
            suite=str(write_suite(tmp_path, LENGTHS)),
            judge="none",
            out=tmp_path / "out",
        )
    (path,) = (tmp_path / "out").rglob(SUMMARY)
    return path.parent


def test_they_stand_in_the_files(run):
    summary = Summary.read(run / SUMMARY)
    with open(run / SCORES, newline="", encoding="utf-8") as file:
        column = sorted(row["suspect"] for row in csv.DictReader(file) if row["suspect"])
    assert column == ["reasoning_only", "tokens error_text", "tokens glued"]
    assert summary.suspects["count"] == 3
    assert summary.suspects["by_reason"] == {
        "tokens": 2,
        "glued": 1,
        "error_text": 1,
        "reasoning_only": 1,
    }
    rows = read_rows(run / SCORES)
    others = [row.values["S_l"] for row in rows if not row.suspect]
    assert summary.suspects["S_l"] == pytest.approx(sum(others) / len(others))
    assert summary.S_l == pytest.approx(sum(row.values["S_l"] for row in rows) / len(rows))
    assert sorted(row.suspect for row in rows if row.suspect) == [
        ("reasoning_only",),
        ("tokens", "error_text"),
        ("tokens", "glued"),
    ]


def test_they_are_said_and_listed(run, tmp_path, monkeypatch, capsys):
    _, table = lbw_eval(monkeypatch, capsys, "score", run)
    assert "suspect" in table
    code, listed = lbw_eval(monkeypatch, capsys, "score", run, "--suspects")
    assert code == 0
    assert all(reason in listed for reason in ("tokens", "glued", "error_text", "reasoning_only"))
    code, _ = lbw_eval(monkeypatch, capsys, "score", run, "--suspects", "--json")
    assert code == 2
    page = tmp_path / "report.html"
    lbw_eval(monkeypatch, capsys, "report", run, "--out", page)
    assert '"suspect: glued"' in page.read_text(encoding="utf-8")


def test_scores_of_before_have_none(run, tmp_path):
    with open(run / SCORES, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    old = tmp_path / "scores.csv"
    with open(old, "w", newline="", encoding="utf-8") as file:
        columns = [name for name in rows[0] if name != "suspect"]
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
    assert {row.suspect for row in read_rows(old)} == {()}


def test_control_tokens_are_named(tmp_path, monkeypatch, capsys):
    def answer(body, number):
        return Answer("Ten words.<|im_end|>\n<|im_start|>user" if number < 2 else "Ten words.</s>")

    with OpenAIServer(answer) as server:
        words = ("--model", "m", "--base-url", server.base_url, "--suite", write_suite(tmp_path, (10,) * 3))
        _, table = lbw_eval(monkeypatch, capsys, *words, "--judge", "none", "--out", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob(SUMMARY)
    summary = Summary.read(path)
    assert summary.control_tokens == {"</s>": 1, "<|im_end|>": 2}
    assert summary.counts["ended_at_control_token"] == 3
    assert "<|im_end|> 2" in table


# One answer to one request


@pytest.mark.parametrize("fault", ["spliced", "two_choices", "tool_call", "billed"])
@pytest.mark.parametrize("role", ["writer", "judge"])
def test_what_is_no_answer_is_asked_for_again_and_then_fails_with_the_reason(tmp_path, fault, role):
    judge = tmp_path / "judge"
    judge.mkdir()
    (judge / "judge.yaml").write_text("description: d\nmodel: m\ntemplate: t.txt\n")
    (judge / "t.txt").write_text("$INST$ $RESPONSE$")

    def odd(usual, mine):
        """Answers of which those about the first river are none."""
        return lambda body, number: replace(
            usual(body, number),
            fault=fault if mine and "number 0." in body["messages"][-1]["content"] else None,
        )

    with (
        OpenAIServer(odd(writer(60), role == "writer")) as model,
        OpenAIServer(odd(judge_reply(), role == "judge")) as judges,
    ):
        summary = evaluate(
            model="m",
            base_url=[model.base_url],
            judge=str(judge),
            judge_base_url=[judges.base_url],
            suite=str(write_suite(tmp_path, (100, 300))),
            out=tmp_path / "out",
        )
        asked = len((model if role == "writer" else judges).requests)
    failures = summary.failures if role == "writer" else summary.judge_failures
    assert asked == RetryPolicy().tries + 1
    assert failures == {"bad_response": 1}
    (path,) = (tmp_path / "out").rglob(SUMMARY)
    kept = load_run(path.parent)
    (record,) = (each for each in (kept.predictions if role == "writer" else kept.judgements) if each.error)
    assert not record.error.final
    assert record.error.message


@pytest.mark.parametrize("fault", ["cumulative", "replayed"])
def test_what_comes_twice_counts_once(tmp_path, fault):
    with OpenAIServer(lambda body, number: replace(writer(60)(body, number), fault=fault)) as server:
        evaluate(
            model="m",
            base_url=[server.base_url],
            suite=str(write_suite(tmp_path, (100, 300))),
            judge="none",
            out=tmp_path / "out",
        )
        assert len(server.requests) == 2
    assert [record.response_length for record in records(tmp_path)] == [60, 60]


def records(tmp_path) -> list[Prediction]:
    (path,) = (tmp_path / "out").rglob(SUMMARY)
    return list(load_run(path.parent).predictions)


def test_a_server_that_writes_on_past_the_limit_is_not_read_to_the_end(tmp_path):
    def answer(body, number):
        return replace(writer(60)(body, number), fault="endless" if number == 0 else None)

    with OpenAIServer(answer) as server:
        summary = evaluate(
            model="m",
            base_url=[server.base_url],
            suite=str(write_suite(tmp_path, (100, 300))),
            judge="none",
            out=tmp_path / "out",
            max_tokens=500,
            concurrency=1,
        )
        assert len(server.requests) == 2
    cut, whole = sorted(records(tmp_path), key=lambda record: -record.response_length)
    assert cut.past_limit
    assert cut.finish_reason == "length"
    assert 500 < cut.response_length < 2 * 500
    assert not whole.past_limit
    assert whole.response_length == 60
    assert summary.counts["truncated"] == 1
    assert summary.ceilings == []
    (path,) = (tmp_path / "out").rglob(SCORES)
    assert sorted(row.cut_by or "" for row in read_rows(path)) == ["", "limit"]
