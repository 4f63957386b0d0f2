"""Who answered is counted: models, providers, caches, fallbacks, and tokens that a server adds."""

from __future__ import annotations

import random

import pytest
from samples import predicted

from longbench_write.backends.openai.answered_by import is_cached, is_fallback
from longbench_write.serving.answered import ServingLog, added_tokens, reasoning_is_off
from longbench_write.serving.pieces import Pieces, count_pieces


def log(**changes):
    return ServingLog(**{"random": True, "reasoning_off": False, "system": ""} | changes)


def served(records, **changes):
    found = log(**changes)
    assert list(found.watch(records)) == records
    return found.to_dict()


def test_pieces():
    assert count_pieces("Two words, 12345 and a_b.\n河水 grew") == Pieces(12, 2)
    assert count_pieces("") == Pieces(0, 0)


def test_models_and_providers_are_counted():
    records = [
        predicted(
            f"p-{n}", model_served=("m", "m-mini")[n % 2], provider="P", cache_hit=n == 0, fallback=n == 1
        )
        for n in range(5)
    ]
    found = served(records)
    assert found["models"] == {"m": 3, "m-mini": 2}
    assert found["providers"] == {"P": 5}
    assert (found["cache_hits"], found["fallbacks"], found["judge_models"]) == (1, 1, {})


@pytest.mark.parametrize(("random_", "count"), [(True, 1), (False, 0)])
def test_samples_that_are_one_text_are_no_samples(random_, count):
    records = [
        predicted("p-1", 0, response="a b"),
        predicted("p-1", 1, response="a b"),
        predicted("p-2", 0, response="a b"),
        predicted("p-2", 1, response="a c"),
    ]
    assert served(records, random=random_)["identical_samples"] == count


def test_reasoning_that_was_asked_off_is_counted():
    records = [predicted("p-1", reasoning_words=9), predicted("p-2")]
    assert served(records, reasoning_off=True)["reasoning_not_off"] == 1
    assert served(records)["reasoning_not_off"] == 0


@pytest.mark.parametrize(
    "config",
    [
        {"gen": {"chat_template_kwargs": {"enable_thinking": False}}},
        {"extra_body": {"thinking": {"type": "disabled"}}},
        {"extra_body": {"reasoning": {"effort": "none"}}},
        {"gen": {"reasoning_effort": "none"}},
        {"extra_body": {"enable_thinking": False}},
    ],
)
def test_ways_to_ask_for_no_reasoning(config):
    assert reasoning_is_off(config)


@pytest.mark.parametrize("config", [{}, {"gen": None}, {"gen": {"reasoning_effort": "low", "top_k": 0}}])
def test_reasoning_is_not_asked_off(config):
    assert not reasoning_is_off(config)


@pytest.mark.parametrize(
    ("headers", "fallback", "cached"),
    [
        ({"x-litellm-attempted-fallbacks": "1"}, True, False),
        ({"x-litellm-attempted-fallbacks": "0", "x-litellm-cache-hit": "True"}, False, True),
        ({"cf-aig-step": "1", "cf-aig-cache-status": "MISS"}, True, False),
        ({"x-cache": "Hit from cloudfront"}, False, True),
        ({"helicone-cache": "HIT", "helicone-fallback-index": "x"}, False, True),
        ({}, False, False),
    ],
)
def test_what_gateways_say(headers, fallback, cached):
    assert (is_fallback(headers), is_cached(headers)) == (fallback, cached)


def prompts(draw, *, rate, added, noise=0.0):
    asked = {}
    for _ in range(40):
        pieces = Pieces(draw.randrange(5, 120), draw.choice([0, 0, draw.randrange(5, 200)]))
        tokens = rate * pieces.latin + 0.8 * pieces.ideographs
        asked[pieces] = round(added + tokens * (1 + draw.uniform(-noise, noise)))
    return asked


@pytest.mark.parametrize("rate", [0.9, 1.1, 1.28])
def test_tokens_that_a_server_adds_are_found_within_a_few(rate):
    draw = random.Random(3)
    for added in (260, 900, 4000):
        assert added_tokens(prompts(draw, rate=rate, added=added, noise=0.1)) == pytest.approx(added, abs=15)


def test_a_chat_template_is_no_system_prompt():
    draw = random.Random(4)
    for _ in range(200):
        asked = prompts(draw, rate=1.1, added=draw.randrange(0, 150), noise=0.2)
        assert added_tokens(asked) is None


def test_servers_that_guess_or_count_little_tell_nothing():
    draw = random.Random(5)
    assert added_tokens({Pieces(n, 0): draw.randrange(1, 5000) for n in range(40)}) is None
    assert added_tokens({Pieces(10, 0): 600}) is None
    assert added_tokens({Pieces(10, n % 3): 600 for n in range(9)}) is None
