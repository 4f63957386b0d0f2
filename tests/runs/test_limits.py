"""What ends a prompt or a run early: --prompt-timeout, --max-time and --max-failures."""

from __future__ import annotations

import json
import threading

import pytest
from samples import write_suite
from servers.openai_server import Answer, OpenAIServer, in_turn, judge_reply, writer

from longbench_write import evaluate
from longbench_write.errors import LbwError, UsageError
from longbench_write.runs import scheduler

TOO_LONG = Answer(status=400, error={"message": "maximum context length is 10"})


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path)


def run(tmp_path, suite, server, **more):
    given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "out": tmp_path / "out"}
    return evaluate(**given | {"judge": "none", "concurrency": 1} | more)


def recorded(tmp_path, name="predictions.jsonl"):
    (path,) = (tmp_path / "out").glob(f"*/*/*/{name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_prompt_whose_time_is_over_has_failed_and_is_asked_again_by_the_same_command(tmp_path, suite):
    with OpenAIServer(in_turn(Answer("late", hold=threading.Event()), writer())) as server:
        first = run(tmp_path, suite, server, limit=1, prompt_timeout=2.0)
        assert first.failures == {"timeout": 1}
        (record,) = recorded(tmp_path)
        assert record["error"]["message"] == "no response within --prompt-timeout 2 s"
        again = run(tmp_path, suite, server, limit=1, prompt_timeout=60.0)
        assert len(server.requests) == 2
    assert again.counts["generated"] == 1


def test_a_run_whose_time_is_over_keeps_what_it_has_and_goes_on_later(tmp_path, suite, monkeypatch):
    monkeypatch.setattr(scheduler, "GRACE", 0.1)
    held = Answer("late", hold=threading.Event())
    with OpenAIServer(in_turn(writer(), held)) as server:
        with pytest.raises(LbwError, match=r"--max-time 0\.5 s"):
            run(tmp_path, suite, server, max_time=0.5)
        kept = {record["prompt"] for record in recorded(tmp_path)}
        asked = len(server.requests)
        server.answer = writer()
        assert run(tmp_path, suite, server).counts["generated"] == 8
        assert kept.isdisjoint(request.prompt for request in server.requests[asked:])
        assert len(server.requests) == asked + 8 - len(kept)


def test_a_run_that_is_done_in_time_says_nothing_of_it(tmp_path, suite):
    with OpenAIServer(writer()) as server:
        assert run(tmp_path, suite, server, max_time=3600.0, max_failures=1).counts["generated"] == 8


def test_three_failures_are_three(tmp_path, suite):
    with OpenAIServer(in_turn(TOO_LONG)) as server:
        with pytest.raises(LbwError, match=r"3 .*--max-failures"):
            run(tmp_path, suite, server, max_failures=3)
        assert len(server.requests) == len(recorded(tmp_path)) == 3
        server.answer = writer()
        assert run(tmp_path, suite, server, max_failures=1).counts["generated"] == 5


def test_a_failed_judgement_counts_too(tmp_path, suite):
    judge = tmp_path / "judge"
    judge.mkdir()
    (judge / "judge.yaml").write_text("description: x\nmodel: j\ntries: 1\ntemplate: t.txt\n")
    (judge / "t.txt").write_text("$INST$ $RESPONSE$")
    with OpenAIServer(writer()) as server, OpenAIServer(in_turn(Answer("no"))) as judges:
        given = {"judge": str(judge), "judge_base_url": [judges.base_url], "judge_concurrency": 1}
        with pytest.raises(LbwError, match=r"2 .*--max-failures"):
            run(tmp_path, suite, server, **given, max_failures=2)
        assert len(judges.requests) == len(recorded(tmp_path, "judgements.jsonl")) == 2
        judges.answer = judge_reply()
        assert run(tmp_path, suite, server, **given).counts["judged"] == 6


def test_a_judgement_whose_time_is_over_has_failed_and_is_asked_for_again(tmp_path, suite):
    judge = tmp_path / "judge"
    judge.mkdir()
    (judge / "judge.yaml").write_text("description: x\nmodel: j\ntries: 1\ntemplate: t.txt\n")
    (judge / "t.txt").write_text("$INST$ $RESPONSE$")
    late = in_turn(Answer("late", hold=threading.Event()), judge_reply())
    with OpenAIServer(writer()) as server, OpenAIServer(late) as judges:
        given = {"judge": str(judge), "judge_base_url": [judges.base_url], "judge_concurrency": 1, "limit": 3}
        first = run(tmp_path, suite, server, **given, prompt_timeout=1.0)
        assert first.judge_failures == {"timeout": 1}
        assert (first.counts["judged"], first.counts["judgements_remaining"]) == (2, 1)
        assert run(tmp_path, suite, server, **given).counts["judged"] == 3
        assert (len(server.requests), len(judges.requests)) == (3, 4)


@pytest.mark.parametrize("name", ["prompt_timeout", "max_time", "max_failures"])
def test_nothing_is_no_limit(name):
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} 0"):
        evaluate(model="m", **{name: 0})
