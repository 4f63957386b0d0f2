"""Who cut an answer is told by its tokens, and several cut answers show where the ceiling lies."""

from __future__ import annotations

import random

import pytest

from longbench_write.serving.cuts import (
    Answer,
    Ceiling,
    ceilings_of,
    is_mid_sentence,
    lowered_ceiling,
    who_cut,
)


def answer(completion, prompt=100, limit=32768, truncated=False, mid=False):
    return Answer(prompt, completion, limit, truncated, mid)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("The end.", False),
        ("“The end.”", False),
        ("结束。", False),
        ("**Fin!**\n", False),
        ("and then the", True),
        ("河水", True),
        ("", False),
    ],
)
def test_where_a_text_ends(text, cut):
    assert is_mid_sentence(text) is cut


@pytest.mark.parametrize("completion", [999, 1000, 1001, 5000])
@pytest.mark.parametrize("truncated", [False, True])
def test_at_the_limit_it_is_our_limit_whatever_the_finish_reason(completion, truncated):
    assert who_cut([answer(completion, limit=1000, truncated=truncated)]) == ["limit"]


def test_length_below_the_limit_is_the_server():
    assert who_cut([answer(998, limit=1000, truncated=True)]) == ["server"]
    assert who_cut([answer(998, limit=1000)]) == [None]


def test_without_counts_nobody_can_tell():
    assert who_cut([answer(None, truncated=True), answer(None)]) == ["unknown", None]
    assert who_cut([answer(400, limit=None, truncated=True)]) == ["unknown"]


def test_three_that_stop_at_one_number_in_mid_sentence_are_cut():
    answers = [answer(n, mid=True) for n in (9577, 9577, 9576)] + [answer(300), answer(5000)]
    assert who_cut(answers) == ["server"] * 3 + [None] * 2
    assert ceilings_of("writer", answers, who_cut(answers)) == [Ceiling("writer", "output", 9577, 3, "cut")]


@pytest.mark.parametrize(
    "answers",
    [
        [answer(9577, mid=True)] * 2,  # too few
        [answer(9577)] * 3,  # whole sentences
        [answer(9577, mid=True)] * 3 + [answer(9600)],  # one is longer
        [answer(200, mid=True)] * 3,  # short answers often have one length
    ],
)
def test_answers_that_end_by_themselves(answers):
    assert who_cut(answers) == [None] * len(answers)


def test_sums_that_agree_are_a_context():
    answers = [answer(4096 - prompt, prompt, truncated=True) for prompt in (50, 90, 400)]
    cuts = who_cut(answers)
    assert cuts == ["server"] * 3
    assert ceilings_of("writer", answers, cuts) == [Ceiling("writer", "context", 4096, 3, "cut")]


def test_one_cut_answer_is_a_ceiling_of_unknown_kind():
    answers = [answer(2000, truncated=True), answer(500)]
    assert ceilings_of("judge", answers, who_cut(answers)) == [Ceiling("judge", "unknown", 2000, 1, "cut")]


def test_two_servers_have_a_ceiling_each():
    answers = [answer(2000, n, truncated=True) for n in range(5)]
    answers += [answer(800, 100 + n, truncated=True) for n in range(3)]
    found = ceilings_of("writer", answers, who_cut(answers))
    assert [(each.tokens, each.count) for each in found] == [(2000, 5), (800, 3)]


def test_a_limit_that_was_lowered_is_a_ceiling():
    answers = [answer(512 - n, n, limit=512 - n) for n in (30, 60, 90)] + [answer(100, 40, limit=472)]
    assert who_cut(answers) == ["limit"] * 3 + [None]
    assert lowered_ceiling("writer", answers, 1024, "models") == Ceiling(
        "writer", "context", 512, 3, "models"
    )
    outputs = [answer(800, n, limit=800) for n in (30, 60)]
    assert lowered_ceiling("writer", outputs, 1024, "refused") == Ceiling(
        "writer", "output", 800, 2, "refused"
    )
    assert lowered_ceiling("writer", outputs, 800, "refused") is None


@pytest.mark.parametrize("whole", [0.8, 0.97, 1.0])
def test_no_false_alarm_for_models_that_end_by_themselves(whole):
    draw = random.Random(7)
    for _ in range(1000):
        mean = draw.choice([300, 800, 3000])
        answers = [
            answer(
                max(1, int(draw.lognormvariate(0, draw.choice([0.1, 0.5, 1.0])) * mean)),
                draw.randrange(20, 400),
                mid=draw.random() > whole,
            )
            for _ in range(120)
        ]
        assert ceilings_of("writer", answers, who_cut(answers)) == []


def test_no_ceiling_where_our_limit_alone_cuts():
    draw = random.Random(8)
    for _ in range(1000):
        answers = [
            answer(n, draw.randrange(20, 400), limit=1024, truncated=n == 1024, mid=n == 1024)
            for n in (min(1024, draw.randrange(100, 4000)) for _ in range(120))
        ]
        assert ceilings_of("writer", answers, who_cut(answers)) == []


@pytest.mark.parametrize("finish", [False, True])
def test_every_ceiling_with_three_cut_answers_is_found(finish):
    draw = random.Random(9)
    for _ in range(300):
        context = draw.choice([2048, 4096, 8192])
        prompts = [draw.randrange(20, 900) for _ in range(60)]
        wanted = [draw.randrange(100, 2 * context) for _ in prompts]
        pairs = list(zip(prompts, wanted, strict=True))
        if sum(prompt + words > context for prompt, words in pairs) < 3:
            continue
        answers = [
            answer(
                min(words, context - prompt),
                prompt,
                truncated=finish and words > context - prompt,
                mid=words > context - prompt,
            )
            for prompt, words in pairs
        ]
        found = ceilings_of("writer", answers, who_cut(answers))
        assert [(each.kind, each.tokens) for each in found] == [("context", context)]
