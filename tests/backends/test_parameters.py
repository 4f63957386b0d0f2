"""What becomes of a parameter that a server refuses, and of those that a user sets."""

import asyncio
import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.answers import field_case
from servers.openai_server import Answer, OpenAIServer, in_turn, writer

from longbench_write.backends.base import BackendSpec, Sampling, merged
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.openai.parameters import refused_parameter, request_body
from longbench_write.errors import BackendError, ErrorAction

CHAT = [{"role": "user", "content": "Write."}]
SAMPLING = Sampling(64, temperature=0.5, seed=42, extra={"top_p": 0.8})

SHAPES = {
    "OpenAI": lambda name: {
        "message": f"Unsupported parameter: '{name}' is not supported with this model.",
        "type": "invalid_request_error",
        "param": name,
        "code": "unsupported_parameter",
    },
    "OpenAI, value": lambda name: {
        "message": f"Unsupported value: '{name}' does not support this value. Only the default is supported.",
        "type": "invalid_request_error",
        "param": name,
        "code": "unsupported_value",
    },
    "FastAPI": lambda name: [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
    ],
    "Anthropic": lambda name: {
        "type": "invalid_request_error",
        "message": f"{name}: Extra inputs are not permitted",
    },
    "Gemini": lambda name: {"message": f'Unknown name "{name}": Cannot find field.', "code": 400},
    "a bare sentence": lambda name: f"property '{name}' is unsupported",
}
"""How servers refuse a parameter."""


def refusing(*names, shape=SHAPES["OpenAI"]):
    """A server that refuses each of these, one after the other."""

    def answer(body, number):
        for name in names:
            if name in body:
                return Answer(status=400, error=shape(name))
        return writer(10)(body, number)

    return answer


async def ask(server, sampling=SAMPLING, count=1, **values):
    said = []
    async with OpenAIBackend(BackendSpec("openai", "m", (server.base_url,), **values)) as backend:
        backend.note = said.append
        done = [await backend.complete(CHAT, sampling) for _ in range(count)]
    return done[-1], said, dict(backend.adjusted)


async def failure(server, sampling=SAMPLING, **values):
    with pytest.raises(BackendError) as caught:
        await ask(server, sampling, **values)
    return caught.value


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "becomes"),
    [("max_tokens", "max_completion_tokens"), ("stream_options", "left out"), ("stream", "left out")],
)
async def test_what_changes_no_number_is_answered_once_for_the_run(shape, name, becomes):
    with OpenAIServer(refusing(name, shape=SHAPES[shape])) as server:
        done, said, adjusted = await ask(server, count=3)
        assert len(server.requests) == 4
        last = server.requests[-1].body
    assert done.text
    assert adjusted[name] == becomes
    assert len(said) == len(adjusted)
    assert name not in last
    assert last.get("max_completion_tokens", last.get("max_tokens")) == 64


async def test_a_case_of_the_field_that_wants_the_limit_under_another_name():
    with OpenAIServer(in_turn(field_case("15-max_completion_tokens"), writer(10))) as server:
        assert (await ask(server))[2] == {"max_tokens": "max_completion_tokens"}


async def test_a_case_of_the_field_that_knows_no_seed():
    with OpenAIServer(in_turn(field_case("16-seed-unknown"))) as server:
        error = await failure(server)
    assert (error.kind, "--seed none" in str(error)) == ("refused_parameter", True)


@pytest.mark.parametrize("fault", ["error_in_200", "not_streamed_error"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_refusal_inside_a_200_is_answered_as_one_with_a_status_is(shape, fault):
    def answer(body, number):
        for name in ("max_tokens", "stream_options", "seed"):
            if name in body:
                return Answer("half of", error=SHAPES[shape](name), fault=fault)
        return writer(10)(body, number)

    with OpenAIServer(answer) as server:
        error = await failure(server)
        assert (error.kind, "--seed none" in str(error)) == ("refused_parameter", True)
        done, _, adjusted = await ask(server, Sampling(64, temperature=0.5))
    assert done.text
    assert adjusted == {"max_tokens": "max_completion_tokens", "stream_options": "left out"}


@pytest.mark.parametrize("told", ["unknown error in the stream", "unexpected end of the stream, seed 7"])
async def test_words_inside_a_200_that_nothing_marks_as_a_refusal_are_none(told):
    answers = in_turn(Answer("half of", error={"message": told}, fault="error_in_200"), writer(10))
    with OpenAIServer(answers) as server:
        done, _, adjusted = await ask(server)
        assert len(server.requests) == 2
    assert done.text
    assert adjusted == {}


@pytest.mark.parametrize("field", [None, "max_tokens"])
async def test_what_an_earlier_session_learnt_holds_until_it_is_refused(field):
    known = {"max_tokens": "max_completion_tokens", "stream_options": "left out"}
    with OpenAIServer(refusing("stream_options")) as server:
        _, said, adjusted = await ask(server, adjusted=known, max_tokens_field=field)
        assert len(server.requests) == 1
        assert ("max_tokens" in server.requests[0].body) == (field is not None)
        assert "stream_options" not in server.requests[0].body
    assert said == []
    assert adjusted == ({"stream_options": "left out"} if field else known)


async def test_requests_beside_each_other_that_correct_what_an_earlier_session_learnt():
    everyone = threading.Barrier(8)

    def answer(body, number):
        if number < 8:
            everyone.wait(timeout=60)
        return refusing("max_completion_tokens")(body, number)

    known = {"max_tokens": "max_completion_tokens"}
    with OpenAIServer(answer) as server:
        spec = BackendSpec("openai", "m", (server.base_url,), adjusted=known)
        async with OpenAIBackend(spec) as backend:
            await asyncio.gather(*(backend.complete(CHAT, SAMPLING) for _ in range(8)))
        assert len(server.requests) == 16
    assert backend.adjusted == {}


async def test_what_the_server_asks_for_instead_is_sent():
    def answer(body, number):
        if "max_output_tokens" not in body:
            told = "max_tokens is not supported, use 'max_output_tokens' instead"
            return Answer(status=400, error={"message": told})
        return writer(10)(body, number)

    with OpenAIServer(answer) as server:
        assert (await ask(server))[2] == {"max_tokens": "max_output_tokens"}


async def test_requests_in_flight_beside_each_other_are_answered_alike():
    everyone = threading.Barrier(8)

    def answer(body, number):
        if number < 8:
            everyone.wait(timeout=60)
        return refusing("max_tokens")(body, number)

    with OpenAIServer(answer) as server:
        async with OpenAIBackend(BackendSpec("openai", "m", (server.base_url,))) as backend:
            await asyncio.gather(*(backend.complete(CHAT, SAMPLING) for _ in range(8)))
        assert len(server.requests) == 16
    assert backend.adjusted == {"max_tokens": "max_completion_tokens"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "option"),
    [("seed", "--seed none"), ("temperature", "--temperature default"), ("top_p", "top_p out of --gen")],
)
async def test_what_changes_numbers_stops_and_names_the_option(shape, name, option):
    with OpenAIServer(refusing(name, shape=SHAPES[shape])) as server:
        error = await failure(server)
        assert len(server.requests) == 1
    assert (error.kind, error.action) == ("refused_parameter", ErrorAction.STOP)
    assert option in str(error)


async def test_a_limit_that_keeps_being_refused_stops_with_the_servers_words():
    with OpenAIServer(refusing("max_tokens", "max_completion_tokens")) as server:
        error = await failure(server)
        assert len(server.requests) == 2
    assert error.action is ErrorAction.STOP
    assert "'max_completion_tokens' is not supported" in str(error)
    assert "--max-tokens-field" in str(error)


async def test_a_strict_server_has_a_way_to_an_answer_for_each_parameter():
    refused = ("max_tokens", "temperature", "seed", "top_p", "stream_options", "stream")
    with OpenAIServer(refusing(*refused)) as server:
        sampling, told = SAMPLING, []
        ways = {
            "--temperature default": lambda s: Sampling(s.max_tokens, None, s.seed, extra=s.extra),
            "--seed none": lambda s: Sampling(s.max_tokens, s.temperature, None, extra=s.extra),
            "top_p out of --gen": lambda s: Sampling(s.max_tokens, s.temperature, s.seed),
        }
        for _ in range(4):
            try:
                done, _, adjusted = await ask(server, sampling)
                break
            except BackendError as error:
                (option,) = [option for option in ways if option in str(error)]
                sampling = ways[option](sampling)
                told.append(option)
        assert set(server.requests[-1].body) == {"model", "messages", "max_completion_tokens"}
    assert done.text
    assert set(told) == set(ways)
    assert set(adjusted) == {"max_tokens", "stream_options", "stream"}


async def test_a_field_of_another_name_for_the_limit():
    with OpenAIServer(refusing("max_tokens", "max_completion_tokens")) as server:
        await ask(server, max_tokens_field="max_length")
        assert server.requests[0].body["max_length"] == 64


async def test_a_refusal_of_the_prompt_names_no_parameter():
    told = {"message": "Invalid value for 'messages': unsupported content", "param": "messages"}
    with OpenAIServer(in_turn(Answer(status=400, error=told))) as server:
        assert (await failure(server)).kind == "bad_request"


@given(st.text(), st.none() | st.text(), st.dictionaries(st.text(), st.integers()))
def test_any_words_name_a_parameter_that_was_sent_or_none(detail, named, body):
    for quoted in (False, True):
        found = refused_parameter(detail, named, body, quoted=quoted)
        assert found is None or found in body


def test_fields_of_a_user_stand_in_the_request_and_nest():
    extra = {"top_p": 0.8, "chat_template_kwargs": {"enable_thinking": False}}
    more = {"chat_template_kwargs": {"other": 1}, "provider": {"only": ["p"]}}
    body = request_body(BackendSpec("openai", "m", extra_body=more), CHAT, Sampling(5, extra=extra))
    assert body["top_p"] == 0.8
    assert body["provider"] == {"only": ["p"]}
    assert body["chat_template_kwargs"] == {"enable_thinking": False, "other": 1}
    json.dumps(body)


def test_merging_leaves_both_sides_alone():
    one, other = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(one, other) == {"a": {"b": 1, "c": 2}}
    assert (one, other) == ({"a": {"b": 1}}, {"a": {"c": 2}})
