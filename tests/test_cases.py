"""Answers that were met in the field, each a raw HTTP response in cases/; the numbers are their files'."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from servers.raw_server import RawServer

from longbench_write import evaluate, load_run
from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.openai import reading
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.errors import BackendError, RetryPolicy
from longbench_write.judging.judge import Judge
from longbench_write.judging.reply import read_reply
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.scoring.flags import flags_of
from longbench_write.scoring.table import read_rows

CASES = Path(__file__).parent / "cases"
TEN = "one two three four five six seven eight nine ten"
TWICE = RetryPolicy(tries=2, overload_tries=2)
both = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def case(number):
    """The bytes of a case's file."""
    (path,) = CASES.glob(f"{number}-*")
    return path.read_bytes()


async def ask(server, *, stream=True, **values):
    spec = BackendSpec(
        "openai", "m", (server.base_url,), retry=TWICE, stream=stream, keep_alive=False, **values
    )
    async with OpenAIBackend(spec) as backend:
        return await backend.complete([{"role": "user", "content": "Ten words about rivers."}], Sampling(64))


@pytest.mark.parametrize(
    ("number", "text", "reasoning", "finish_reason"),
    [
        ("05", TEN, "", "stop"),
        ("10", TEN, "plan", "stop"),
        ("23", TEN, "", "unknown"),
        ("24", TEN, "", "stop"),
        ("26", TEN, "", "stop"),
        ("28", TEN, "", "stop"),
        ("40", TEN, "", "stop"),
        ("42", TEN, "", "stop"),
        ("44", TEN, "a b", "stop"),
        ("51", TEN, "", "stop"),
        ("52", TEN, "", "stop"),
    ],
)
async def test_answers(number, text, reasoning, finish_reason):
    with RawServer(case(number)) as server:
        done = await ask(server)
        assert server.requests == 1
    assert (done.text, done.reasoning, done.finish_reason) == (text, reasoning, finish_reason)


def in_parts(text, *, stream):
    """Case 10 with another text: its events, or the answer to a request that asked for no stream."""
    events = [line for line in case("10").decode().splitlines() if line.startswith("data: {")]
    choices = [json.loads(event.removeprefix("data: "))["choices"][0] for event in events]
    parts = [part for choice in choices for part in choice["delta"].get("content", [])]
    assert parts.pop() == {"type": "text", "text": TEN}
    parts.append({"type": "text", "text": text})
    if stream:
        changed = [choices[0], choices[1] | {"delta": {"content": parts[-1:]}}, choices[2]]
        body = "".join(f"data: {json.dumps({'id': 'x', 'choices': [choice]})}\n\n" for choice in changed)
        kind = "text/event-stream"
    else:
        message = {"role": "assistant", "content": parts}
        body = json.dumps({"id": "x", "choices": [choices[-1] | {"message": message}]})
        kind = "application/json"
    return f"HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def test_a_list_of_parts_in_a_whole_answer():
    with RawServer(in_parts(TEN, stream=False)) as server:
        done = await ask(server, stream=False)
    assert (done.text, done.reasoning) == (TEN, "plan")


async def test_an_event_of_megabytes():
    with RawServer(case("43")) as server:
        done = await ask(server)
    assert set(done.text.split()) == {"word"}
    assert len(done.text) > 190_000


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("01", "bad_response"),
        ("19", "server_error"),
        ("29", "bad_response"),
        ("41", "server_error"),
        ("53", "bad_response"),
        ("54", "bad_response"),
        ("55", "bad_response"),
        ("56", "bad_response"),
    ],
)
async def test_no_answers_are_asked_for_again(number, kind):
    with RawServer(case(number), case("05")) as server:
        assert (await ask(server)).text == TEN
        assert server.requests == 2
    with RawServer(case(number)) as server:
        with pytest.raises(BackendError) as caught:
            await ask(server)
        assert server.requests == TWICE.tries
    assert caught.value.kind == kind


@pytest.mark.parametrize(("number", "kind"), [("21", "quota"), ("22", "content_filter")])
@both
async def test_refusals_that_asking_again_does_not_change(number, kind, stream):
    with RawServer(case(number)) as server:
        with pytest.raises(BackendError) as caught:
            await ask(server, stream=stream)
        assert server.requests == 1
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "heartbeat", [b": ping\n\n", b"data:\n\n", b'data: {"choices": [{"delta": {}}]}\n\n']
)
async def test_heartbeats_do_not_feed_the_idle_timeout(heartbeat):
    def beat():
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        while not server.closing.wait(0.02):
            yield heartbeat

    with RawServer(beat) as server, pytest.raises(BackendError) as caught:
        await ask(server, idle_timeout=0.2)
    assert caught.value.kind == "timeout"


# Judges' replies


@pytest.fixture
def judge(tmp_path):
    (tmp_path / "prompt.txt").write_text("$INST$ $RESPONSE$")
    (tmp_path / "judge.yaml").write_text("description: d\nmodel: m\ntemplate: prompt.txt\ntries: 2")
    return Judge.load(str(tmp_path))


@both
async def test_a_reply_in_the_reasoning_field(judge, stream):
    with RawServer(case("31")) as server:
        spec = replace(judge.spec(), base_urls=(server.base_url,), api_key_env=None, stream=stream)
        async with OpenAIBackend(spec) as backend:
            judgement = await judge.judge(backend, id="p", sample=0, prompt="Write.", response=TEN)
        assert server.requests == 1
    assert (judgement.scores, judgement.reply_field) == (dict.fromkeys(DIMENSIONS, 4), "reasoning")
    assert judgement.raw


@both
async def test_a_judges_reply_in_a_list_of_parts(judge, stream):
    reply = json.dumps({"Analysis": "Plain."} | dict.fromkeys(DIMENSIONS, 4))
    with RawServer(in_parts(reply, stream=stream)) as server:
        spec = replace(judge.spec(), base_urls=(server.base_url,), api_key_env=None, stream=stream)
        async with OpenAIBackend(spec) as backend:
            judgement = await judge.judge(backend, id="p", sample=0, prompt="Write.", response=TEN)
    assert judgement.scores == dict.fromkeys(DIMENSIONS, 4)


def test_replies():
    assert read_reply(case("32").decode()).scores == dict.fromkeys(DIMENSIONS, 4)
    for number in ("34", "35"):
        reply = read_reply(case(number).decode())
        assert reply.scores is None
        assert reply.reason


# What becomes of an answer in a run


@pytest.mark.parametrize(
    ("number", "response", "reasoning", "truncated"),
    [
        ("03", "one two three ", "plan\n\nmore", True),
        ("06", "First I plan the text First I plan the text", "", True),
        ("07", TEN, "plan the text", False),
        ("57", TEN, "", False),
    ],
)
def test_responses(tmp_path, number, response, reasoning, truncated):
    (record,) = responses(tmp_path, [case(number)])
    assert (record.response, record.reasoning) == (response, reasoning)
    assert ("truncated" in flags_of(record).flags) == truncated
    assert (record.raw is not None) == (number == "57")


@pytest.mark.parametrize("first", [0, 1])
def test_an_answer_that_never_closed_what_the_template_opened_is_reasoning(tmp_path, first):
    closed = case("05").replace(b"one two three ", b"I </think> 1 2")
    found = responses(tmp_path, [case("06"), closed] if first else [closed, case("06")], prompts=2)
    assert sorted((record.response, record.reasoning) for record in found) == [
        ("", "First I plan the text First I plan the text"),
        ("1 2four five six seven eight nine ten", "I"),
    ]


def responses(tmp_path, answers, *, prompts=1):
    """The records of a run of so many prompts, one after the other."""
    suite = tmp_path / "rivers.jsonl"
    line = '{{"prompt": "Ten words about river {}.", "type": "News Report", "length": 10}}\n'
    suite.write_text("".join(map(line.format, range(prompts))))
    with RawServer(*answers) as server:
        evaluate(
            model="m",
            base_url=[server.base_url],
            suite=str(suite),
            out=tmp_path / "out",
            judge="none",
            concurrency=1,
        )
    (manifest,) = (tmp_path / "out").glob("*/*/*/run.yaml")
    return list(load_run(manifest.parent).predictions)


def test_an_answer_whose_spaces_were_lost_is_suspect(tmp_path):
    (record,) = responses(tmp_path, [case("58")])
    assert record.response == TEN.replace(" ", "")
    (path,) = (tmp_path / "out").rglob("scores.csv")
    (row,) = read_rows(path)
    assert "tokens" in row.suspect


# Bodies


@both
@pytest.mark.parametrize("status", [200, 500])
async def test_a_body_that_swells_when_it_is_unpacked_is_refused(monkeypatch, stream, status):
    monkeypatch.setattr(reading, "MOST_BYTES", 1 << 20)
    packed = gzip.compress(b" " * (1 << 24))
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    answer = f"{head}Content-Length: {len(packed)}\r\n\r\n".encode() + packed
    with RawServer(answer) as server, pytest.raises(BackendError) as caught:
        await ask(server, stream=stream)
    assert caught.value.kind == "bad_response"
    assert "MB" in str(caught.value)
