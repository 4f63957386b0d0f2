"""Writers of many requests: killed, stopped and failed midway, they lose nothing that was paid for."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace

import chains
import pytest
from chains import SECTIONS, ChainWriter
from samples import write_suite
from servers.answers import fingerprint
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write import evaluate
from longbench_write.errors import BackendError, LbwError
from longbench_write.runs import scheduler
from longbench_write.runs.results import score_run

CALLS = SECTIONS + 1
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path, lengths=(900, 500, 300))


@pytest.fixture
def chain(monkeypatch):
    """The writer of the run."""
    made = ChainWriter()
    monkeypatch.setattr("longbench_write.runs.plan.load_writer", lambda *_: made)
    return made


def run(tmp_path, suite, server, **more):
    given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "out": tmp_path / "out"}
    return evaluate(**given | {"judge": "none", "concurrency": 4} | more)


def lines(tmp_path, name):
    (path,) = (tmp_path / "out").glob(f"*/*/*/{name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def counted(body, number):
    prompt = body["messages"][-1]["content"]
    return Answer("Label: " + fingerprint(prompt) + " " + "word " * 9, usage=USAGE)


@pytest.mark.parametrize("parallel", [False, True])
def test_a_chain_is_recorded_step_by_step_and_summed(tmp_path, suite, chain, parallel):
    chain.parallel = parallel
    with OpenAIServer(counted) as server:
        summary = run(tmp_path, suite, server, samples=2, price={"input": 1.0, "output": 1.0})
        assert len(server.requests) == 6 * CALLS
        assert server.peak <= 4
        run(tmp_path, suite, server, samples=2)
        assert len(server.requests) == 6 * CALLS
        seeds = {request.body["seed"] for request in server.requests}
    assert len(seeds) == 6 * CALLS
    steps = lines(tmp_path, "steps.jsonl")
    assert len({tuple(step[k] for k in ("id", "sample", "step", "attempt")) for step in steps}) == 6 * CALLS
    assert Counter(step["role"] for step in steps) == {"planner": 6, "writer": 6 * SECTIONS}
    assert {step["raw"] is None for step in steps if step["role"] == "writer"} == {False}
    for record in lines(tmp_path, "predictions.jsonl"):
        assert (record["calls"], record["steps"], record["planned_words"]) == (CALLS, SECTIONS, 2000)
        assert (record["attempts"], record["reasoning"], record["max_tokens_effective"]) == (CALLS, "", None)
        assert record["usage"]["prompt_tokens"] == 10 * CALLS
        own = {s["step"]: s for s in steps if (s["id"], s["sample"]) == (record["id"], record["sample"])}
        order = ["plan", *(f"write-{number}" for number in range(1, SECTIONS + 1))]
        assert record["requests"] == [own[name]["request_sha256"] for name in order]
        assert record["response"] == "\n\n".join(own[name]["text"] for name in order[1:])
        assert "Label" not in record["response"]
        assert "prompt_sha256" not in record
    assert summary.writer == "chain"
    assert summary.counts["retries"] == 0
    assert summary.usage["model"]["completion_tokens"] == 6 * CALLS * 5
    assert summary.cost["model"] == pytest.approx(6 * CALLS * 15 / 1e6)


def command(tmp_path, suite, server, kind):
    words = ["--model", "m", "--suite", str(suite), "--base-url", server.base_url, "--judge", "none"]
    script = [sys.executable, chains.__file__, kind]
    return [*script, *words, "--out", str(tmp_path / "out"), "--concurrency", "4", "--progress", "none"]


def texts(tmp_path):
    return {r["id"]: r["response"] for r in lines(tmp_path, "predictions.jsonl")}


@pytest.mark.parametrize("kind", ["serial", "parallel"])
def test_killed_six_times_no_finished_step_is_asked_again(tmp_path, suite, kind):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with OpenAIServer(writer(20)) as server:
        subprocess.run(command(tmp_path / "whole", suite, server, kind), check=True, **quiet)
    rng = random.Random(16)
    moments = sorted(rng.sample(range(2, 3 * CALLS - 4), 6))
    with OpenAIServer(writer(20)) as server:
        finished = set()
        for moment in moments:
            first = len(server.requests)
            with subprocess.Popen(command(tmp_path / "killed", suite, server, kind), **quiet) as child:
                server.wait_for(
                    lambda moment=moment: len(server.requests) >= moment or child.poll() is not None
                )
                child.kill()
                assert child.wait() == -signal.SIGKILL
            server.settle()
            asked = {request.prompt for request in server.requests[first:]}
            assert asked.isdisjoint(finished)
            paths = list((tmp_path / "killed" / "out").glob("*/*/*/steps.jsonl"))
            whole = [
                line for path in paths for line in path.read_bytes().splitlines(True) if line.endswith(b"\n")
            ]
            recorded = {(step["id"], step["step"]) for step in map(json.loads, whole)}
            finished = {
                prompt
                for prompt in {request.prompt for request in server.requests}
                if (prompt.split(" of ")[1].split()[0], name_of(prompt)) in recorded
            }
        first = len(server.requests)
        subprocess.run(command(tmp_path / "killed", suite, server, kind), check=True, **quiet)
        assert {request.prompt for request in server.requests[first:]}.isdisjoint(finished)
        assert len(server.requests) <= 3 * CALLS + 6 * 4
    assert texts(tmp_path / "killed") == texts(tmp_path / "whole")


def name_of(prompt):
    return "plan" if prompt.startswith("PLAN") else f"write-{prompt.split()[1]}"


def test_equal_steps_and_a_second_attempt_are_requests_of_their_own(tmp_path, suite, chain):
    class Twins:
        name = "twins"

        async def write(self, prompt, sample, context):
            chat = [{"role": "user", "content": "the same"}]
            asked = [("a", 0), ("b", 0), ("a", 1)]
            answers = await chains.asyncio.gather(
                *(context.complete(step, chat, context.sampling, attempt) for step, attempt in asked)
            )
            return chains.Draft(" ".join(answer.text for answer in answers))

    chain.write, chain.name = Twins().write, "twins"
    with OpenAIServer(lambda body, number: Answer(f"n{number}")) as server:
        run(tmp_path, suite, server, samples=2)
        assert len(server.requests) == len({request.body["seed"] for request in server.requests}) == 18
    words = [word for r in lines(tmp_path, "predictions.jsonl") for word in r["response"].split()]
    assert len(set(words)) == 18


def test_a_failed_sibling_loses_nothing_that_is_in_flight(tmp_path, suite, chain):
    chain.parallel = True
    refused = Answer(status=400, error={"message": "maximum context length"})

    def answer(body, number):
        prompt = body["messages"][-1]["content"]
        if prompt.startswith("SECTION 1 "):
            return refused
        if prompt.startswith("SECTION"):
            return replace(writer(5)(body, number), delay=0.3)
        return writer(5)(body, number)

    with OpenAIServer(answer) as server:
        summary = run(tmp_path, suite, server, limit=1)
        asked = len(server.requests)
        assert asked < CALLS
        server.answer = writer(5)
        assert summary.failures == {"context_length": 1}
        (record,) = lines(tmp_path, "predictions.jsonl")
        assert record["error"]["message"].startswith("write-1: ")
        assert len(lines(tmp_path, "steps.jsonl")) == asked - 1 == record["calls"]
        assert run(tmp_path, suite, server, limit=1, retry_failed=True).counts["generated"] == 1
        assert len(server.requests) == CALLS + 1


def test_an_unreadable_plan_fails_for_good_and_a_retry_asks_with_later_attempts(tmp_path, suite, chain):
    def answer(body, number):
        return Answer("unreadable") if number < 3 else writer(5)(body, number)

    with OpenAIServer(answer) as server:
        assert run(tmp_path, suite, server, limit=1).failures == {"plan_unreadable": 1}
        assert run(tmp_path, suite, server, limit=1).failures == {"plan_unreadable": 1}
        assert len(server.requests) == 3
        assert lines(tmp_path, "predictions.jsonl")[0]["calls"] == 3
        summary = run(tmp_path, suite, server, limit=1, retry_failed=True)
        assert len(server.requests) == 3 + CALLS
        assert len({request.body["seed"] for request in server.requests}) == 3 + CALLS
    plans = [step["attempt"] for step in lines(tmp_path, "steps.jsonl") if step["step"] == "plan"]
    assert plans == [0, 1, 2, 3]
    assert (summary.failures, summary.counts["retries"]) == ({}, 0)


def test_an_empty_step_is_asked_again_and_fails_the_response_at_last(tmp_path, suite, chain):
    def answer(body, number):
        empty = body["messages"][-1]["content"].startswith("SECTION 2 ")
        return Answer("  ") if empty else writer(5)(body, number)

    with OpenAIServer(answer) as server:
        assert run(tmp_path, suite, server, limit=1).failures == {"empty_step": 1}
        assert len(server.requests) == 2 + 3


@pytest.mark.parametrize("parallel", [False, True])
def test_a_limit_on_cost_stops_between_steps_and_spends_no_more_over_sessions(
    tmp_path, suite, chain, parallel
):
    chain.parallel = parallel
    given = {"price": {"input": 1.0, "output": 1.0}, "max_tokens": 100}
    with OpenAIServer(counted) as server:
        with pytest.raises(BackendError, match="--max-cost"):
            run(tmp_path, suite, server, max_cost=0.0008, **given)
        asked = len(server.requests)
        assert 0 < asked < 3 * CALLS
        assert len(lines(tmp_path, "steps.jsonl")) == asked
        with pytest.raises(BackendError, match="--max-cost"):
            run(tmp_path, suite, server, max_cost=0.0008, **given)
        assert len(server.requests) == asked
        assert run(tmp_path, suite, server, max_cost=1.0, **given).counts["generated"] == 3
        assert len(server.requests) == 3 * CALLS


def test_a_limit_on_cost_counts_the_bytes_of_what_is_not_counted_in_a_later_session_too(
    tmp_path, suite, chain
):
    given = {"price": {"input": 1.0, "output": 1.0}, "max_tokens": 100, "concurrency": 1}
    with OpenAIServer(lambda body, number: replace(counted(body, number), fault="no_usage")) as server:
        run(tmp_path, suite, server, limit=1, max_cost=1.0, **given)
        spent = 0
        for step, request in zip(lines(tmp_path, "steps.jsonl"), server.requests, strict=True):
            assert step["usage"]["prompt_tokens"] is None
            assert step["prompt_bytes"] == len(request.prompt.encode()) + 16
            spent += step["prompt_bytes"] + len((step["raw"] or step["text"]).encode())
        with pytest.raises(BackendError, match="--max-cost"):
            run(tmp_path, suite, server, max_cost=(spent + 150) / 1e6, **given)
        assert len(server.requests) == CALLS


def test_the_steps_of_a_response_that_is_not_finished_count_and_stand_in_the_suites_order(
    tmp_path, suite, chain
):
    def answer(body, number):
        spent = Answer(status=402, error={"message": "no credit"})
        return counted(body, number) if number < 2 * CALLS + 5 else spent

    chain.parallel = True
    with OpenAIServer(answer) as server:
        with pytest.raises(BackendError):
            run(tmp_path, suite, server, price={"input": 1.0, "output": 1.0})
        (path,) = (tmp_path / "out").glob("*/*/*")
        asked = len(lines(tmp_path, "steps.jsonl"))
        summary = score_run(path)
        assert summary.counts["generated"] < 3
        assert summary.usage["model"]["completion_tokens"] == 5 * asked
        assert summary.cost["model"] == pytest.approx(15 * asked / 1e6)
        server.answer = counted
        assert run(tmp_path, suite, server).usage["model"]["completion_tokens"] == 5 * 3 * CALLS
    ids = [record["id"] for record in lines(tmp_path, "predictions.jsonl")]
    names = ["plan", *(f"write-{number}" for number in range(1, SECTIONS + 1))]
    steps = [(step["id"], step["step"]) for step in lines(tmp_path, "steps.jsonl")]
    assert steps == [(name, step) for name in ids for step in names]


@pytest.mark.parametrize("fixed", [False, True])
def test_an_answer_whose_text_cannot_be_cleaned_is_kept(tmp_path, suite, monkeypatch, fixed):
    class Cleaning:
        name = "cleaning"
        broken = True

        async def write(self, prompt, sample, context):
            def clean(text):
                if self.broken:
                    raise KeyError("label")
                return text.removeprefix("Label: ")

            chat = [{"role": "user", "content": prompt.prompt}]
            return chains.Draft((await context.complete("write", chat, context.sampling, clean=clean)).text)

    made = Cleaning()
    monkeypatch.setattr("longbench_write.runs.plan.load_writer", lambda *_: made)
    with OpenAIServer(lambda body, number: Answer(f"Label: n{number}")) as server:
        assert run(tmp_path, suite, server).failures == {"clean_failed": 3}
        assert len(server.requests) == 3
        assert {step["raw"] for step in lines(tmp_path, "steps.jsonl")} == {f"Label: n{n}" for n in range(3)}
        assert run(tmp_path, suite, server).failures == {"clean_failed": 3}
        assert len(server.requests) == 3
        made.broken = not fixed
        summary = run(tmp_path, suite, server, retry_failed=True)
        assert len(server.requests) == (3 if fixed else 6)
    assert summary.counts["generated"] == (3 if fixed else 0)
    if fixed:
        assert set(texts(tmp_path).values()) == {"n0", "n1", "n2"}


def test_time_for_a_request_is_over_in_the_middle_of_a_chain(tmp_path, suite, chain):
    held = threading.Event()

    def answer(body, number):
        slow = body["messages"][-1]["content"].startswith("SECTION 7 ") and not held.is_set()
        return replace(writer(5)(body, number), hold=threading.Event() if slow else None)

    with OpenAIServer(answer) as server:
        assert run(tmp_path, suite, server, limit=1, prompt_timeout=1.0).failures == {"timeout": 1}
        asked = len(server.requests)
        held.set()
        assert run(tmp_path, suite, server, limit=1).counts["generated"] == 1
        assert len(server.requests) == asked + CALLS - 7


def test_time_for_the_run_is_over_in_the_middle_of_a_chain(tmp_path, suite, chain, monkeypatch):
    monkeypatch.setattr(scheduler, "GRACE", 0.1)

    def answer(body, number):
        held = threading.Event() if number >= 9 else None
        return replace(writer(5)(body, number), hold=held)

    with OpenAIServer(answer) as server:
        with pytest.raises(LbwError, match="--max-time"):
            run(tmp_path, suite, server, max_time=2.0)
        kept, asked = len(lines(tmp_path, "steps.jsonl")), len(server.requests)
        assert lines(tmp_path, "predictions.jsonl") == []
        server.answer = writer(5)
        assert run(tmp_path, suite, server).counts["generated"] == 3
        assert len(server.requests) == asked + 3 * CALLS - kept


def test_interrupted_in_the_middle_of_a_chain(tmp_path, suite):
    with OpenAIServer(lambda body, number: replace(writer(5)(body, number), delay=0.05)) as server:
        with subprocess.Popen(command(tmp_path, suite, server, "parallel"), stderr=subprocess.PIPE) as child:
            assert server.wait_for(lambda: len(server.requests) >= 20)
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=60)
            assert child.returncode == 130
        server.settle()
        assert len(lines(tmp_path, "steps.jsonl")) == len(server.requests) < 3 * CALLS
        subprocess.run(command(tmp_path, suite, server, "parallel"), check=True, capture_output=True)
        assert len(server.requests) == 3 * CALLS
