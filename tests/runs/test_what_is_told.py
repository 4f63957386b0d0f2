"""What a server says of its context, and what limits were spent on, is told and not trusted blindly."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from samples import Notes, write_judge, write_suite
from servers.answers import in_turn, judge_reply, varied_writer, writer
from servers.openai_server import Answer, OpenAIServer

from longbench_write import evaluate
from longbench_write.cli.app import main

LENGTHS = (100, 200, 400, 800)


def run(tmp_path, server, notes=None, **more):
    return evaluate(
        model="m",
        base_url=[server.base_url],
        suite=str(write_suite(tmp_path, LENGTHS)),
        out=tmp_path / "out",
        progress=notes or Notes(),
        **{"judge": "none", "concurrency": 1} | more,
    )


@pytest.mark.parametrize("context", ["4096", -5, 0, True, 1e300, [4096], {"n": 1}])
def test_a_context_that_is_none_is_said_and_not_used(tmp_path, context):
    notes = Notes()
    with OpenAIServer(writer(50)) as server:
        server.listed = {"max_model_len": context}
        summary = run(tmp_path, server, notes)
    assert summary.ceilings == []
    assert [note for note in notes.notes if "max_model_len" in note]


def test_a_context_that_an_answer_has_passed_is_said_and_not_used(tmp_path):
    notes = Notes()
    with OpenAIServer(varied_writer()) as server:
        server.listed = {"max_model_len": 60}
        summary = run(tmp_path, server, notes)
    assert summary.ceilings == []
    assert len([note for note in notes.notes if "max_model_len" in note]) == 1


def test_answers_that_break_off_say_more_than_the_list(tmp_path):
    def cut(body, number):
        made = writer(500)(body, number)
        return replace(made, finish_reason="length", usage={"prompt_tokens": 9, "completion_tokens": 500})

    with OpenAIServer(cut) as server:
        server.listed = {"max_model_len": 20000}
        summary = run(tmp_path, server)
    assert [(each["tokens"], each["source"]) for each in summary.ceilings] == [(500, "cut")]


def test_a_context_below_what_is_asked_for_is_a_ceiling(tmp_path):
    with OpenAIServer(writer(50)) as server:
        server.listed = {"max_model_len": 20000}
        summary = run(tmp_path, server)
    assert [(each["tokens"], each["source"], each["count"]) for each in summary.ceilings] == [
        (20000, "models", 0)
    ]


def reasoner(counted):
    """The first two answers are cut off after much reasoning, the third after little, the last ends."""

    def answer(body, number):
        reasoned = (80, 60, 20, 80)[number]
        usage = {"prompt_tokens": 9, "completion_tokens": 100}
        if counted:
            usage["completion_tokens_details"] = {"reasoning_tokens": reasoned}
        return Answer(
            "word " * (100 - reasoned),
            "stop" if number == 3 else "length",
            reasoning="hm " * reasoned,
            usage=usage | ({"completion_tokens": 99} if number == 3 else {}),
        )

    return answer


@pytest.mark.parametrize("counted", [True, False])
def test_a_limit_that_was_spent_on_reasoning_is_counted_and_said(tmp_path, monkeypatch, capsys, counted):
    with OpenAIServer(reasoner(counted)) as server:
        words = ["--base-url", server.base_url, "--suite", str(write_suite(tmp_path, LENGTHS))]
        words += ["--model", "m", "--judge", "none", "--max-tokens", "101", "--concurrency", "1"]
        monkeypatch.setattr(sys, "argv", ["lbw-eval", *words, "--out", str(tmp_path / "out")])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    (path,) = (tmp_path / "out").rglob("summary.json")
    counts = json.loads(path.read_text())["counts"]
    assert (counts["truncated"], counts["limit_spent_on_reasoning"]) == (3, 2)
    assert "2 of the 3 truncated" in capsys.readouterr().out


@pytest.fixture
def judge(tmp_path):
    return write_judge(tmp_path / "judge", "Asked: $INST$\nWritten: $RESPONSE$\nReply in JSON.")


REFUSAL = Answer(
    status=400,
    error={
        "message": "This model's maximum context length is 8192 tokens. However, your messages resulted in "
        "9000 tokens.",
        "code": "context_length_exceeded",
    },
)
CUT_REPLY = Answer(
    '{"Analysis": "It', finish_reason="length", usage={"prompt_tokens": 4060, "completion_tokens": 36}
)


@pytest.mark.parametrize(
    ("reply", "ceiling"),
    [(REFUSAL, ("context", 8192, "refused")), (CUT_REPLY, ("output", 36, "cut"))],
    ids=["refused", "cut"],
)
def test_a_judge_has_ceilings_too(tmp_path, judge, reply, ceiling):
    notes = Notes()
    with (
        OpenAIServer(writer(50)) as server,
        OpenAIServer(in_turn(judge_reply(), reply)) as judges,
    ):
        more = {"judge": judge, "judge_base_url": [judges.base_url], "judge_concurrency": 1}
        summary = run(tmp_path, server, notes, **more)
    (found,) = summary.ceilings
    assert (found["kind"], found["tokens"], found["source"]) == ceiling
    assert (found["role"], found["count"]) == ("judge", 3)
    assert len([note for note in notes.notes if "ceiling" in note]) == 1
