"""What servers answer, frame by frame: one answer, its tokens, and errors in any shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.backends.base import Meter, Usage
from longbench_write.backends.openai.inline_errors import error_in
from longbench_write.backends.openai.reply import ChatResponse, read_usage
from longbench_write.errors import BackendError

END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def chunk(text=None, *, index=0, name="x", **delta):
    return {
        "id": name,
        "choices": [{"index": index, "delta": {"content": text, **delta}, "finish_reason": None}],
    }


def text_of(*chunks):
    reply = ChatResponse(Meter())
    reply.add_chunks([*chunks, END])
    return reply.completion(0.0, 1).text


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk("", role="assistant"), chunk("a"), chunk("b")],
        [chunk("a", role="assistant"), chunk("b", role="assistant")],
        [chunk("a", index=0), chunk("b", index=1)],
        [chunk("a", index=n) if n == 0 else chunk("b" * (n == 1), index=n) for n in range(4)],
        [chunk("a", name="1"), chunk("b", name="2")],
        [chunk("a", name=None), chunk("b", name="")],
        [chunk([{"type": "text", "text": "a"}]), chunk([{"type": "text", "text": "b"}])],
        [chunk(["a", {"text": {"value": "b"}}])],
        [chunk("a"), chunk("b"), chunk("", role="assistant")],
        [chunk("a"), {"id": "y", "choices": [], "usage": {"prompt_tokens": 3}}, chunk("b")],
    ],
)
def test_one_answer_in_many_ways(chunks):
    assert text_of(*chunks) == "ab"


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk("", role="assistant"), chunk("a"), chunk("", role="assistant"), chunk("b")],
        [chunk("a"), chunk("b", role="assistant")],
        [chunk("a"), chunk("b"), chunk("c", index=1)],
        [chunk("a"), chunk("b", index=1), chunk("c")],
        [chunk("a"), chunk("b"), chunk("c", name="y")],
        [chunk("a"), chunk("b", name="y"), chunk("c", name="y")],
        [chunk("a"), END, chunk("b", index=1)],
        [{"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}],
        [chunk(None, tool_calls=[{"index": 0}])],
        [chunk(None, function_call={"name": "f"})],
        [chunk([{"type": "image", "image": "x"}])],
        [chunk(5)],
    ],
)
def test_more_than_one_answer_or_none_is_refused(chunks):
    with pytest.raises(BackendError) as caught:
        text_of(*chunks)
    assert caught.value.kind in ("bad_response", "server_error")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "slow down", "code": 429}}, "rate_limited"),
        ({"error": {"error": {"message": "who?", "code": "401"}}}, "unauthorized"),
        ([{"error": {"message": "no", "code": 403}}], "forbidden"),
        ({"errors": [{"message": "too many requests"}]}, "rate_limited"),
        ({"object": "error", "message": "the maximum context length is 8", "code": 40303}, "context_length"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "rate_limited"),
        ({"code": 1113, "msg": "account overdue"}, "quota"),
        ({"code": "500", "message": "oops", "success": False}, "server_error"),
        ({"error_code": 17, "error_msg": "daily limit, quota exhausted"}, "quota"),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": None}, "rate_limited"),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "quota"),
        ({"base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"}}, "content_filter"),
        ({"error": "a mere string"}, "server_error"),
    ],
)
def test_an_error_in_any_shape_is_read(body, kind):
    error = error_in(body)
    assert error is not None
    assert error.kind == kind


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"delta": {}}], "code": 7, "message": "x"},
        {"choices": [], "usage": {}, "base_resp": {"status_code": 0, "status_msg": "success"}},
        {"code": 0, "msg": "ok"},
        {"code": 200, "message": "fine"},
        {"error": None},
        {"id": "x", "status": "in progress"},
        {},
        [],
        "text",
        None,
    ],
)
def test_what_is_no_error_is_none(body):
    assert error_in(body) is None


def test_an_error_in_a_choice_is_one():
    with pytest.raises(BackendError) as caught:
        text_of(chunk("a"), {"choices": [{"delta": {}, "error": {"code": 502, "message": "gone"}}]})
    assert caught.value.kind == "server_error"


def test_an_error_behind_the_end_takes_nothing_away():
    reply = ChatResponse(Meter())
    reply.add_chunks([chunk("a"), END, {"error": {"code": 500, "message": "late"}}])
    assert reply.completion(0.0, 1).text == "a"


@pytest.mark.parametrize("number", [-5, 10**400, 1.5, "7", True, float("nan"), float("inf"), [], {}])
@pytest.mark.parametrize("field", ["prompt_tokens", "completion_tokens"])
def test_one_number_that_cannot_be_makes_all_of_a_usage_unknown(number, field):
    assert read_usage({"prompt_tokens": 3, "completion_tokens": 4} | {field: number}) == Usage()


def test_whole_numbers_are_tokens():
    about = {"prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": 2}}
    assert read_usage({"prompt_tokens": 3.0, "completion_tokens": 4, **about}) == Usage(3, 4, 2, None)
    assert read_usage({"prompt_tokens": 3}) == Usage(3)
    assert read_usage({}) == Usage()


@given(st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens"]), st.integers() | st.floats()))
def test_any_numbers_are_counts_or_unknown(usage):
    found = read_usage(usage)
    assert all(count is None or count >= 0 for count in (found.prompt_tokens, found.completion_tokens))


def test_hidden_reasoning_that_a_limit_ended_is_an_answer():
    reply = ChatResponse(Meter())
    usage = {"completion_tokens": 400, "completion_tokens_details": {"reasoning_tokens": 400}}
    reply.add_chunks([{"choices": [{"delta": {}, "finish_reason": "length"}], "usage": usage}])
    done = reply.completion(0.0, 1)
    assert (done.text, done.finish_reason) == ("", "length")
