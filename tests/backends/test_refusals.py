"""What servers say when a request does not fit, each provider in its own words."""

import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.answers import field_case
from servers.openai_server import Answer, OpenAIServer, in_turn, writer

from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.openai.refusals import refusal, tokens_left
from longbench_write.errors import BackendError, ErrorAction

ROOMS = {
    "OpenAI, context": (
        400,
        "This model's maximum context length is 8192 tokens. However, you requested 32804 tokens (36 in the"
        " messages, 32768 in the completion).",
        8156,
    ),
    "OpenAI, ceiling": (
        400,
        "max_tokens is too large: 32768. This model supports at most 16384 completion tokens, whereas you"
        " provided 32768.",
        16384,
    ),
    "Azure": (
        400,
        "This model's maximum context length is 8192 tokens, however you requested 32804 tokens (36 in your"
        " prompt; 32768 for the completion).",
        8156,
    ),
    "vLLM": (
        400,
        "'max_tokens' or 'max_completion_tokens' is too large: 32768. This model's maximum context length is"
        " 8192 tokens and your request has 36 input tokens (32768 > 8192 - 36).",
        8156,
    ),
    "vLLM, at least": (
        400,
        "This model's maximum context length is 8192 tokens. However, you requested 32768 output tokens and"
        " your prompt contains at least 36 input tokens, for a total of at least 32804 tokens.",
        8156,
    ),
    "SGLang": (
        400,
        "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a"
        " total of 32804 tokens: 36 tokens from the input messages and 32768 tokens for the completion.",
        8156,
    ),
    "TGI": (
        422,
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 36 `inputs`"
        " tokens and 32768 `max_new_tokens`",
        8156,
    ),
    "LiteLLM": (
        400,
        "litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - This model's maximum"
        " context length is 8192 tokens. However, you requested 32804 tokens (36 in the messages, 32768 in"
        " the completion).",
        8156,
    ),
    "OpenRouter": (
        400,
        "This endpoint's maximum context length is 8192 tokens. However, you requested about 32814 tokens"
        " (36 of text input, 10 of tool input, 32768 in the output).",
        8146,
    ),
    "DeepSeek": (400, "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
    "Anthropic, ceiling": (
        400,
        "max_tokens: 32768 > 8192, which is the maximum allowed number of output tokens for claude-x",
        8192,
    ),
    "Anthropic, context": (
        400,
        "input length and `max_tokens` exceed context limit: 190000 + 32768 > 200000, decrease input length"
        " or `max_tokens`",
        10000,
    ),
    "Gemini": (
        400,
        "Unable to submit request because it has a maxOutputTokens value of 32768 but the supported range is"
        " from 1 (inclusive) to 8193 (exclusive).",
        8192,
    ),
    "Mistral": (
        400,
        "Prompt contains 36 tokens and 0 draft tokens, too large for model with 8192 maximum context length",
        8156,
    ),
    "Groq": (
        400,
        "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than"
        " the `context_window` for this model",
        8192,
    ),
    "Together": (
        422,
        "`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 36 `inputs` tokens and 32768"
        " `max_new_tokens`",
        8157,
    ),
    "DashScope": (
        400,
        "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]",
        8192,
    ),
    "Zhipu": (400, "max_tokens参数非法。取值范围为[1,4095]，请检查文档。", 4095),
    "thousands": (
        400,
        "This model's maximum context length is 131,072 tokens. However, you requested 140,036 tokens"
        " (7,268 in the messages, 132,768 in the completion).",
        123804,
    ),
}
"""By provider: the status, a sentence in its shape with the facts that it gives, and the room left."""

TOO_LONG = {
    "llama.cpp": (400, "request (9036 tokens) exceeds the available context size (8192 tokens)"),
    "Anthropic": (400, "prompt is too long: 210000 tokens > 200000 maximum"),
    "Gemini": (
        400,
        "The input token count (2100000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "Mistral": (400, "Prompt contains 65673 tokens, too large for model with 32768 maximum context length"),
    "Groq": (400, "Please reduce the length of the messages or completion."),
    "TGI": (422, "`inputs` must have less than 8191 tokens. Given: 9000"),
    "DashScope": (400, "Range of input length should be [1, 30720]"),
    "Zhipu": (400, "Prompt 超长"),
    "vLLM": (
        400,
        "This model's maximum context length is 8192 tokens. However, your prompt contains 9000 input tokens",
    ),
}
"""By provider: the status and a sentence that says that the prompt alone is too long."""


@pytest.mark.parametrize("provider", ROOMS)
async def test_each_providers_room_is_asked_for(provider):
    status, words, room = ROOMS[provider]
    assert tokens_left(words) == room
    refusal = Answer(status=status, error={"message": words, "code": None})
    with OpenAIServer(in_turn(refusal, writer(10))) as server:
        completion = await ask(server, 200_000)
        assert [request.body["max_tokens"] for request in server.requests] == [200_000, room]
    assert completion.finish_reason == "stop"


@pytest.mark.parametrize("provider", TOO_LONG)
async def test_each_providers_prompt_that_is_too_long_is_told(provider):
    status, words = TOO_LONG[provider]
    assert tokens_left(words) is None
    with OpenAIServer(in_turn(Answer(status=status, error={"message": words, "code": None}))) as server:
        error = await failure(server)
        assert (error.kind, len(server.requests)) == ("context_length", 1)


async def test_a_server_that_names_a_smaller_room_each_time_is_asked_five_times():
    def shrinking(body, number):
        told = f"This model supports at most {body['max_tokens'] - 1} completion tokens"
        return Answer(status=400, error={"message": told})

    with OpenAIServer(shrinking) as server:
        error = await failure(server)
        assert [request.body["max_tokens"] for request in server.requests] == [64, 63, 62, 61, 60]
    assert error.action is ErrorAction.GIVE_UP


@pytest.mark.parametrize(
    ("case", "room"),
    [("11-openrouter-context", 8156), ("14-tgi-inputs", 8156), ("17-metadata-raw", 16384)],
)
async def test_cases_of_the_field_that_name_a_room(case, room):
    with OpenAIServer(in_turn(field_case(case), writer(10))) as server:
        await ask(server, 32768)
        assert [request.body["max_tokens"] for request in server.requests] == [32768, room]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "param", "metadata", "raw", "detail"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.integers(400, 599), JSON.map(json.dumps) | st.text())
def test_any_body_of_an_error_is_a_refusal(status, body):
    error = refusal(httpx2.Response(status, content=body.encode("utf-8", "replace")))
    assert isinstance(error.detail, str)
    assert error.parameter is None or isinstance(error.parameter, str)
    assert "\n" not in str(error)


async def test_what_a_router_was_told_is_told():
    inner = {"error": {"message": "the engine is on fire", "code": "fire"}}
    body = {"message": "Provider returned error", "code": 400, "metadata": {"raw": json.dumps(inner)}}
    with OpenAIServer(in_turn(Answer(status=400, error=body))) as server:
        told = str(await failure(server))
    assert "Provider returned error" in told
    assert "the engine is on fire" in told


async def ask(server, max_tokens=64, **values):
    async with OpenAIBackend(BackendSpec("openai", "m", (server.base_url,), **values)) as backend:
        return await backend.complete([{"role": "user", "content": "Write."}], Sampling(max_tokens))


async def failure(server, **values):
    with pytest.raises(BackendError) as caught:
        await ask(server, **values)
    return caught.value


@pytest.mark.parametrize("fault", ["error_in_200", "not_streamed_error"])
@pytest.mark.parametrize("provider", ["OpenAI, context", "TGI", "DeepSeek"])
async def test_a_room_inside_a_200_is_asked_for_too(provider, fault):
    _, words, room = ROOMS[provider]
    told = Answer("half of", error={"message": words, "code": 400}, fault=fault)
    with OpenAIServer(in_turn(told, writer(10))) as server:
        await ask(server, 200_000)
        assert [request.body["max_tokens"] for request in server.requests] == [200_000, room]
