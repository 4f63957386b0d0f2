"""A text that passes its limit is noticed soon after it, and none before."""

from __future__ import annotations

import pytest

from longbench_write.backends.base import Meter
from longbench_write.backends.openai.overrun import REASONING
from longbench_write.backends.openai.reply import ChatResponse

WORDS = (
    "the",
    " river",
    " comes",
    " down",
    " from",
    " the",
    " hills",
    ",",
    " brown",
    " and",
    " lo",
    "ud",
    ".",
)
"""Tokens as a tokenizer makes them."""
ZH = ("河水", "从", "山上", "流", "下来", "，", "春天", "又", "急", "又", "黄", "。")


def read(deltas, limit, field="content"):
    """Return how many deltas are read before no more are."""
    reply = ChatResponse(Meter(), limit=limit)
    for number, text in enumerate(deltas, 1):
        reply.add_chunks([{"id": "x", "choices": [{"index": 0, "delta": {field: text}}]}])
        if reply.past_limit:
            done = reply.completion(0.0, 1)
            assert (done.finish_reason, done.past_limit) == ("length", True)
            return number
    return None


def cycled(tokens, count):
    return (tokens[place % len(tokens)] for place in range(count))


@pytest.mark.parametrize("limit", [50, 1000, 20_000])
@pytest.mark.parametrize("tokens", [WORDS, ZH])
def test_a_token_a_delta(tokens, limit):
    number = read(cycled(tokens, 4 * limit + 400), limit)
    assert limit < number <= 1.1 * limit + 80


@pytest.mark.parametrize("limit", [50, 1000])
def test_many_tokens_a_delta(limit):
    sentence = "".join(WORDS)
    number = read((sentence for _ in range(limit)), limit)
    assert limit < number * len(WORDS) < 2 * limit + 150


@pytest.mark.parametrize("text", ["".join(WORDS) * 40, "".join(ZH) * 40])
def test_a_character_a_delta_is_no_token_a_delta(text):
    assert read(text, len(text) // 2) is None


def test_a_word_and_a_space_in_turns_are_no_tokens():
    assert read(("river", " ") * 500, 700) is None


def test_reasoning_may_be_longer():
    assert read(cycled(WORDS, 2000), 500, "reasoning_content") is None
    long = ("".join(cycled(WORDS[number % 2 :], 1000)) for number in range(200))
    assert read(long, 500, "reasoning_content") >= REASONING // 1000


def test_cumulative_deltas_are_measured_by_what_they_add():
    text = "".join(cycled(WORDS, 300))
    ends = range(4, len(text), 4)
    assert read((text[:end] for end in ends), 400) is None
    assert read((text[:end] for end in ends), 100) is not None


def test_without_a_limit_all_is_read():
    assert read(cycled(WORDS, 3000), None) is None
