import errno
import os

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.openai.refusals import explain, tokens_left
from longbench_write.errors import OPEN_FILES, BackendError


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 32768. This model's maximum context length"
            " is 8192 tokens and your request has 36 input tokens (32768 > 8192 - 36).",
            8156,
        ),
        (
            "This model's maximum context length is 8192 tokens. However, you requested 32800 tokens"
            " (32 in the messages, 32768 in the completion).",
            8160,
        ),
        (
            "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a"
            " total of 32800 tokens: 32 tokens from the input messages and 32768 tokens for the completion.",
            8160,
        ),
        ("max_tokens=32768 cannot be greater than max_model_len=256. Please request fewer.", 256),
        ("max_tokens is too large: 32768. This model supports at most 16384 completion tokens.", 16384),
        (
            "This model's maximum context length is 8192 tokens. However, your prompt contains 9000 input"
            " tokens, which exceeds this limit.",
            None,
        ),
        ("the request exceeds the available context size", None),
    ],
)
def test_servers_say_what_room_is_left(words, left):
    assert tokens_left(words) == left


@given(st.text())
def test_foreign_words_leave_room_or_none(words):
    left = tokens_left(words)
    assert left is None or left > 0


def small_context(body, number):
    """A server with a context of 100 tokens and prompts of 12."""
    if body["max_tokens"] > 88:
        told = (
            "This model's maximum context length is 100 tokens. However, you requested"
            f" {body['max_tokens'] + 12} tokens (12 in the messages, {body['max_tokens']} in the completion)."
        )
        return Answer(status=400, error={"message": told})
    return writer(20)(body, number)


async def ask(server, max_tokens):
    async with OpenAIBackend(BackendSpec("openai", "m", (server.base_url,))) as backend:
        return await backend.complete([{"role": "user", "content": "Write."}], Sampling(max_tokens))


async def test_what_does_not_fit_is_cut_to_what_does():
    with OpenAIServer(small_context) as server:
        completion = await ask(server, 32768)
        assert [request.body["max_tokens"] for request in server.requests] == [32768, 88]
        assert (completion.finish_reason, completion.attempts) == ("stop", 2)
        assert (await ask(server, 50)).attempts == 1


async def test_a_prompt_that_does_not_fit_is_asked_once():
    told = "This model's maximum context length is 10 tokens. However, your prompt contains 12 input tokens"
    with OpenAIServer(lambda body, number: Answer(status=400, error={"message": told})) as server:
        with pytest.raises(BackendError) as caught:
            await ask(server, 50)
        assert caught.value.kind == "context_length"
        assert len(server.requests) == 1


async def test_a_server_that_refuses_its_own_offer_is_not_asked_for_ever():
    told = "This model's maximum context length is 100 tokens and your request has 12 input tokens"
    with OpenAIServer(lambda body, number: Answer(status=400, error={"message": told})) as server:
        with pytest.raises(BackendError):
            await ask(server, 500)
        assert len(server.requests) == 2


@pytest.mark.parametrize("finish_reason", ["length", "stop"])
async def test_a_response_tells_the_limit_that_was_asked_for(finish_reason):
    answer = Answer("one two three", finish_reason=finish_reason)
    with OpenAIServer(lambda body, number: answer) as server:
        completion = await ask(server, 500)
    assert completion.max_tokens == 500


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_no_fault_of_the_server(number):
    key = aiohttp.client_reqrep.ConnectionKey("h", 80, False, True, None, None, None)
    fault = aiohttp.ClientConnectorError(key, OSError(number, os.strerror(number)))
    error = explain(fault, "http://h/v1")
    assert error.kind == OPEN_FILES
    assert os.strerror(number) in str(error)
    assert "--base-url" not in str(error)
