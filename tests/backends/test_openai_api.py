import asyncio
import json
import re
import threading
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from servers.openai_server import Answer, OpenAIServer, fingerprint, in_turn, writer

from longbench_write.backends.base import BackendSpec, Meter, Sampling, Usage
from longbench_write.backends.openai import reading
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.openai.endpoint import DEFAULT_BASE_URL
from longbench_write.backends.openai.parameters import request_body
from longbench_write.backends.openai.reply import ChatResponse, repair_surrogates
from longbench_write.errors import BackendError, RetryPolicy, UsageError
from longbench_write.urls import EXAMPLE

AT_ONCE = RetryPolicy(tries=3, overload_tries=5, base=0.0)
SAMPLING = Sampling(64)
OK = Answer("all is well")
both = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def spec(*urls, **values):
    return BackendSpec("openai", "m", base_urls=urls, **{"retry": AT_ONCE} | values)


def chat(text="Write."):
    return [{"role": "user", "content": text}]


async def ask(server, sampling=SAMPLING, messages=None, **values):
    async with OpenAIBackend(spec(server.base_url, **values)) as backend:
        return await backend.complete(messages or chat(), sampling)


async def failure(server, **values):
    with pytest.raises(BackendError) as caught:
        await ask(server, **values)
    return caught.value


@both
async def test_an_answer(stream):
    text = "Zwölf Boxkämpfer jagen 维克多 🥊 quer.\n\nEnde\x00"
    with OpenAIServer(in_turn(Answer(text, "length"))) as server:
        done = await ask(server, messages=chat("one two three"), stream=stream)
    assert (done.text, done.reasoning, done.finish_reason) == (text, "", "length")
    assert done.usage == Usage(prompt_tokens=3, completion_tokens=len(text.split()))
    assert done.seconds > 0
    assert done.attempts == 1


@both
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_kept_apart(stream, field):
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 8,
        "completion_tokens_details": {"reasoning_tokens": 5},
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    answer = Answer("the text", reasoning="let me think", reasoning_field=field, usage=usage)
    with OpenAIServer(in_turn(answer)) as server:
        done = await ask(server, stream=stream)
    assert (done.text, done.reasoning) == ("the text", "let me think")
    assert done.usage == Usage(9, 8, 5, 4)


@both
@pytest.mark.parametrize(
    ("answer", "text", "usage"),
    [
        (Answer("", fault="null_content"), "", Usage(2, 0)),
        (Answer("", refusal="I will not."), "I will not.", Usage(2, 0)),
        (Answer("a b", fault="no_usage"), "a b", Usage()),
        (Answer("a b", fault="no_done"), "a b", Usage(2, 2)),
        (Answer("a b", fault="drop_after"), "a b", Usage(2, 2)),
        (Answer("a b", fault="not_streamed"), "a b", Usage(2, 2)),
        (Answer("a", usage={"prompt_tokens": "7", "prompt_tokens_details": []}), "a", Usage()),
    ],
    ids=lambda value: (value.fault or "odd") if isinstance(value, Answer) else "",
)
async def test_answers_out_of_the_ordinary(stream, answer, text, usage):
    with OpenAIServer(in_turn(answer)) as server:
        done = await ask(server, stream=stream)
        assert len(server.requests) == 1
    assert (done.text, done.finish_reason, done.usage) == (text, "stop", usage)


@both
async def test_lone_surrogates_do_no_harm(stream):
    with OpenAIServer(in_turn(Answer("a\ud83d b \ud83d\ude00", pieces=99))) as server:
        done = await ask(server, messages=chat("x\udc00y"), stream=stream)
        assert server.requests[0].prompt == "x\ufffdy"
    assert done.text == "a\ufffd b 😀"


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=20)))
def test_pieces_are_joined_into_text_that_utf8_can_hold(pieces):
    """Pieces too short to repeat all the text so far, and not each an extension of the one before."""
    told = [piece for piece in pieces if piece]
    assume(len(told) < 4 or not all(after.startswith(before) for before, after in pairwise(told)))
    reply = ChatResponse(Meter())
    for piece in pieces:
        reply.add_chunks([{"choices": [{"delta": {"content": piece}}]}])
    reply.add_chunks([{"choices": [{"delta": {}, "finish_reason": "stop"}]}])
    text = reply.completion(0.0, 1).text
    text.encode()
    if not any("\ud800" <= letter <= "\udfff" for piece in pieces for letter in piece):
        assert text == "".join(pieces)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "delta", "message", "content", "error", "usage", "code",
                                           "reasoning", "refusal", "finish_reason", "type"]), inner)
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_any_json_is_an_answer_or_a_backend_error(body):
    for add, answer in ((ChatResponse.add_chunks, [body]), (ChatResponse.add_message, body)):
        reply = ChatResponse(Meter())
        try:
            add(reply, answer)
            done = reply.completion(0.0, 1)
        except BackendError:
            continue
        assert isinstance(done.text, str)
        assert done.finish_reason


# Faults


@both
@pytest.mark.parametrize(
    "fault", ["drop_before", "drop_during", "truncated_json", "html", "empty_choices", "error_in_200"]
)
async def test_a_transient_fault_is_retried(stream, fault):
    with OpenAIServer(in_turn(Answer("cut off text", fault=fault), OK)) as server:
        async with OpenAIBackend(spec(server.base_url, stream=stream)) as backend:
            done = await backend.complete(chat(), SAMPLING)
        assert len(server.requests) == 2
    assert (done.text, done.attempts) == (OK.text, 2)
    assert (backend.meter.retries, backend.meter.in_flight) == (1, 0)
    assert backend.meter.last_retry


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (Answer("a b", fault="drop_before"), "connection", "connection lost"),
        (Answer("a b", fault="drop_during"), "connection", "connection lost"),
        (Answer("a b", fault="truncated_json"), "bad_response", "no JSON"),
        (Answer("a b", fault="html"), "bad_response", "check --base-url"),
        (Answer("a b", fault="empty_choices"), "bad_response", ""),
        (Answer("a b", fault="no_end"), "bad_response", "no finish_reason"),
        (Answer("a b", fault="error_in_200"), "server_error", "inside a 200"),
        (Answer("a b", fault="not_streamed_error"), "server_error", "inside a 200"),
    ],
)
async def test_a_lasting_fault_is_named(answer, kind, told):
    with OpenAIServer(in_turn(answer)) as server:
        error = await failure(server)
        assert len(server.requests) == AT_ONCE.tries
    assert (error.kind, error.attempts) == (kind, AT_ONCE.tries)
    assert told in str(error)


STATUSES = [
    (400, "bad_request", 1), (401, "unauthorized", 1), (403, "forbidden", 1), (404, "not_found", 1),
    (408, "timeout", 3), (409, "server_error", 3), (413, "context_length", 1), (422, "bad_request", 1),
    (429, "rate_limited", 5), (500, "server_error", 3), (502, "server_error", 3), (503, "rate_limited", 5),
    (504, "server_error", 3),
]  # fmt: skip


@both
@pytest.mark.parametrize(("status", "kind", "requests"), STATUSES)
async def test_each_status_costs_the_requests_that_it_is_worth(stream, status, kind, requests):
    with OpenAIServer(in_turn(Answer(status=status))) as server:
        error = await failure(server, stream=stream)
        assert len(server.requests) == requests
    assert (error.kind, error.attempts) == (kind, requests)
    assert "the server's own words" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"message": "too long", "code": "context_length_exceeded"}, "context_length"),
        (400, {"message": "too long", "code": 400, "type": "exceed_context_size_error"}, "context_length"),
        (400, {"message": "no", "code": "content_filter"}, "content_filter"),
        (400, {"message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}, "content_filter"),
        (429, {"message": "pay", "type": "insufficient_quota"}, "quota"),
        (500, "a mere string", "server_error"),
        (500, ["a", "list"], "server_error"),
        (500, None, "server_error"),
        (500, {"detail": [{"loc": "x"}]}, "server_error"),
    ],
)
async def test_the_code_in_an_error_body_counts(status, body, kind):
    with OpenAIServer(in_turn(Answer(status=status, error=body))) as server:
        assert (await failure(server)).kind == kind


@pytest.mark.parametrize("fault", ["error_in_200", "not_streamed_error"])
@pytest.mark.parametrize(
    ("body", "kind", "requests"),
    [
        ({"message": "slow down", "code": 429}, "rate_limited", 5),
        ({"message": "slow down", "code": "rate_limit_exceeded"}, "rate_limited", 5),
        ({"message": "too long", "code": "context_length_exceeded"}, "context_length", 1),
        ({"message": "who?", "code": "401"}, "unauthorized", 1),
        ("a mere string", "server_error", 3),
    ],
)
async def test_an_error_inside_a_200_means_what_its_code_says(fault, body, kind, requests):
    with OpenAIServer(in_turn(Answer("some text", error=body, fault=fault))) as server:
        error = await failure(server)
        assert (error.kind, len(server.requests)) == (kind, requests)


@both
async def test_a_content_filter_ends_the_prompt(stream):
    with OpenAIServer(in_turn(Answer("half of", "content_filter"))) as server:
        error = await failure(server, stream=stream)
        assert (error.kind, len(server.requests)) == ("content_filter", 1)


async def test_retry_after_is_read():
    with OpenAIServer(in_turn(Answer(status=429, headers={"Retry-After": "7"}))) as server:
        error = await failure(server, retry=RetryPolicy(tries=1))
    assert error.retry_after == 7.0


@both
@pytest.mark.parametrize("fault", ["stall_before", "stall_during"])
async def test_a_stalled_answer_is_retried(stream, fault):
    with OpenAIServer(in_turn(Answer("some text", fault=fault), OK)) as server:
        done = await ask(server, stream=stream, idle_timeout=0.2)
    assert (done.text, done.attempts) == (OK.text, 2)


async def test_a_stall_that_lasts_is_a_timeout():
    with OpenAIServer(in_turn(Answer("some text", fault="stall_during"))) as server:
        error = await failure(server, idle_timeout=0.1, retry=RetryPolicy(tries=1))
    assert error.kind == "timeout"
    assert "0.1 s" in str(error)


async def test_a_stall_behind_the_finish_reason_loses_nothing():
    with OpenAIServer(in_turn(Answer("some text", fault="stall_at_end"))) as server:
        done = await ask(server, idle_timeout=0.2)
    assert (done.text, done.finish_reason, done.attempts) == ("some text", "stop", 1)


async def test_a_stream_that_says_its_last_without_an_end_and_stays_open(monkeypatch):
    monkeypatch.setattr(reading, "_CLOSING", 0.05)

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        writer.write(head + b"data: [DONE]\n\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with OpenAIBackend(spec(url, retry=RetryPolicy(tries=1))) as backend:
            with pytest.raises(BackendError, match="finish_reason") as caught:
                await backend.complete(chat(), SAMPLING)
        await gone.wait()
    assert caught.value.kind == "bad_response"


async def test_a_server_that_is_not_there():
    with OpenAIServer(writer()) as server:
        url = server.base_url
    async with OpenAIBackend(spec(url)) as backend:
        with pytest.raises(BackendError) as caught:
            await backend.complete(chat(), SAMPLING)
    assert caught.value.kind == "connection"
    assert url in str(caught.value)
    assert "--base-url" in str(caught.value)


async def test_cancelling_closes_the_request():
    hold = threading.Event()
    with OpenAIServer(in_turn(Answer("x", hold=hold), OK)) as server:
        async with OpenAIBackend(spec(server.base_url)) as backend:
            task = asyncio.create_task(backend.complete(chat(), SAMPLING))
            await server.arrival()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert backend.meter.in_flight == 0
            hold.set()
            assert (await backend.complete(chat(), SAMPLING)).text == OK.text


# Keys and the environment


@pytest.fixture
def _foreign_environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "foreign-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/foreign")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Foreign: foreign-secret\nAuthorization: foreign-secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")


@pytest.mark.usefixtures("_foreign_environment")
async def test_nothing_is_taken_from_the_environment_but_the_named_key(monkeypatch):
    monkeypatch.setenv("MY_KEY", " my-key\n")
    with OpenAIServer(in_turn(OK)) as server:
        await ask(server)
        await ask(server, api_key_env="MY_KEY")
        without, with_key = (request.headers for request in server.requests)
    assert without["authorization"] == "Bearer EMPTY"
    assert with_key["authorization"] == "Bearer my-key"
    assert "foreign-secret" not in json.dumps([without, with_key])


STANDARD = {
    "accept",
    "accept-encoding",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    *(f"x-stainless-{name}" for name in ("arch", "async", "lang", "os", "package-version", "runtime")),
    "x-stainless-runtime-version",
}
"""The headers of a chat request to a server that is not OpenAI's own."""


async def test_headers_are_the_same_whatever_the_environment_says(monkeypatch, request):
    with OpenAIServer(in_turn(OK)) as server:
        await ask(server)
        request.getfixturevalue("_foreign_environment")
        names = (
            "Accept",
            "content-type",
            "User-Agent",
            "X-Stainless-Lang",
            "Authorization",
            "OpenAI-Project",
        )
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "\n".join(f"{name}: foreign-secret" for name in names))
        await ask(server)
        plain, foreign = (request.headers for request in server.requests)
    assert foreign == plain
    assert set(plain) - {"connection"} == STANDARD


@pytest.mark.usefixtures("_foreign_environment")
async def test_the_list_of_models_is_asked_for_with_the_named_key_alone(monkeypatch):
    monkeypatch.setenv("MY_KEY", "my-key")
    with OpenAIServer(in_turn(OK)) as server:
        async with OpenAIBackend(spec(server.base_url, api_key_env="MY_KEY")) as backend:
            await backend.shutdown_date()
        (asked,) = server.listings
    assert asked["authorization"] == "Bearer my-key"
    assert "foreign-secret" not in json.dumps(asked)


@pytest.mark.parametrize("value", ["", "  ", "clé", "two\nlines"])
async def test_a_named_key_that_is_none_is_refused_when_opened(monkeypatch, value):
    monkeypatch.setenv("MY_KEY", value)
    with pytest.raises(UsageError, match="MY_KEY"):
        async with OpenAIBackend(spec("http://127.0.0.1:1/v1", api_key_env="MY_KEY")):
            pass


@both
@pytest.mark.parametrize("fault", [None, "error_in_200", "html"])
async def test_the_key_is_in_no_error(monkeypatch, stream, fault):
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    answer = Answer(
        "text",
        status=200 if fault else 401,
        error={"message": "Incorrect key sk-very-secret", "code": "sk-very-secret"},
        page="<p>sk-very-secret</p>",
        fault=fault,
    )
    with OpenAIServer(in_turn(answer)) as server:
        error = await failure(server, stream=stream, api_key_env="MY_KEY")
    assert "sk-very-secret" not in str(error)
    assert "***" in str(error)
    assert error.__cause__ is None


async def test_a_password_in_the_url_is_in_no_error():
    async with OpenAIBackend(spec("http://me:hidden@127.0.0.1:1/v1")) as backend:
        with pytest.raises(BackendError, match=r"http://127\.0\.0\.1:1/v1") as caught:
            await backend.complete(chat(), SAMPLING)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8000/v1", "ftp://host/v1", "http://", "http://host:port/v1", ""])
async def test_what_is_no_url_is_refused_when_opened(url):
    with pytest.raises(UsageError, match=re.escape(EXAMPLE)):
        async with OpenAIBackend(spec(url)):
            pass


@pytest.mark.usefixtures("_foreign_environment")
async def test_without_a_base_url_it_is_openai():
    async with OpenAIBackend(spec()) as backend:
        (endpoint,) = backend._endpoints
        assert str(endpoint.client.base_url) == f"{DEFAULT_BASE_URL}/"
        assert endpoint.client.api_key == "EMPTY"


# Requests


@both
async def test_the_request(stream):
    with OpenAIServer(in_turn(OK)) as server:
        await ask(server, Sampling(64, temperature=0.5, seed=42), stream=stream)
        body = server.requests[0].body
    extra = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    assert (
        body == {"model": "m", "messages": chat(), "max_tokens": 64, "temperature": 0.5, "seed": 42} | extra
    )


def test_what_is_none_is_not_sent_and_zero_is():
    body = request_body(spec(stream=False), chat(), Sampling(5))
    assert set(body) == {"model", "messages", "max_tokens"}
    body = request_body(spec(max_completion_tokens=True), chat(), Sampling(5, temperature=0.0, seed=0))
    assert "max_tokens" not in body
    assert (body["max_completion_tokens"], body["temperature"], body["seed"]) == (5, 0.0, 0)


def test_forced_formats():
    schema = {"type": "object"}
    forced = request_body(spec(), chat(), Sampling(5, json_schema=schema, reasoning_effort="low"))
    assert forced["reasoning_effort"] == "low"
    assert forced["response_format"]["type"] == "json_schema"
    assert forced["response_format"]["json_schema"]["schema"] == schema
    assert forced["response_format"]["json_schema"]["strict"] is True
    asked = request_body(spec(), chat(), Sampling(5, json_object=True))
    assert asked["response_format"] == {"type": "json_object"}


def test_repairing_surrogates_leaves_whole_text_alone():
    for text in ("", "ascii", "é中🥊", "\x00\ufffe"):
        assert repair_surrogates(text) is text or repair_surrogates(text) == text


# Load


async def test_120_requests_are_in_flight_at_once_and_keep_their_prompts():
    everyone = threading.Barrier(120)

    def answer(body, number):
        everyone.wait(timeout=60)
        return writer(30)(body, number)

    prompts = [f"Prompt number {number}" for number in range(120)]
    with OpenAIServer(answer) as server:
        async with OpenAIBackend(spec(server.base_url, concurrency=120)) as backend:
            done = await asyncio.gather(*(backend.complete(chat(prompt), SAMPLING) for prompt in prompts))
        assert server.peak == 120
        assert len(server.requests) == 120
    assert [each.text.split()[0] for each in done] == [fingerprint(prompt) for prompt in prompts]


async def test_answers_in_reverse_order_keep_their_prompts():
    holds = [threading.Event() for _ in range(8)]

    def answer(body, number):
        return replace(writer(5)(body, number), hold=holds[number])

    with OpenAIServer(answer) as server:
        async with OpenAIBackend(spec(server.base_url)) as backend:
            tasks = [asyncio.create_task(backend.complete(chat(f"p{n}"), SAMPLING)) for n in range(8)]
            await server.arrival(8)
            order = [request.prompt for request in server.requests]
            for number in reversed(range(8)):
                holds[number].set()
                done = await tasks[int(order[number][1:])]
                assert done.text.startswith(fingerprint(order[number]))


async def test_several_servers_share_the_load():
    hold = threading.Event()
    with (
        OpenAIServer(lambda body, number: Answer("x", hold=hold)) as one,
        OpenAIServer(lambda body, number: Answer("x", hold=hold)) as two,
        OpenAIServer(lambda body, number: Answer("x", hold=hold)) as three,
    ):
        servers = (one, two, three)
        async with OpenAIBackend(spec(*(server.base_url for server in servers))) as backend:
            tasks = [asyncio.create_task(backend.complete(chat(), SAMPLING)) for _ in range(12)]
            for server in servers:
                await server.arrival(4)
            hold.set()
            await asyncio.gather(*tasks)
        assert [len(server.requests) for server in servers] == [4, 4, 4]


async def test_the_least_busy_server_is_asked_next():
    hold = threading.Event()
    with OpenAIServer(in_turn(Answer("x", hold=hold))) as slow, OpenAIServer(in_turn(OK)) as quick:
        async with OpenAIBackend(spec(slow.base_url, quick.base_url)) as backend:
            stuck = asyncio.create_task(backend.complete(chat(), SAMPLING))
            await slow.arrival()
            for _ in range(5):
                await backend.complete(chat(), SAMPLING)
            assert (len(slow.requests), len(quick.requests)) == (1, 5)
            hold.set()
            await stuck


async def test_another_server_is_asked_after_a_failure():
    with OpenAIServer(in_turn(Answer(status=500))) as broken, OpenAIServer(in_turn(OK)) as sound:
        async with OpenAIBackend(spec(broken.base_url, sound.base_url)) as backend:
            done = [await backend.complete(chat(), SAMPLING) for _ in range(4)]
        assert all(each.attempts <= 2 for each in done)
        assert len(sound.requests) == 4
