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


def test_prompts_of_one_size_leave_the_kind_to_the_better_agreement_and_to_what_the_server_says():
    near = [answer(512 - prompt, prompt, truncated=True) for prompt in (52, 53, 51)]
    same = [answer(460, 52, truncated=True)] * 3
    kinds = [
        ceilings_of("writer", answers, who_cut(answers), context)[0]
        for answers, context in ((near, None), (same, None), (same, 512), (same, 4096))
    ]
    assert [(each.kind, each.tokens) for each in kinds] == [
        ("context", 512),
        ("output", 460),
        ("context", 512),
        ("output", 460),
    ]


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


RUNS = 1000
"""Simulated runs behind each claim."""


@pytest.mark.parametrize("whole", [0.8, 0.9, 0.97, 1.0])
def test_no_ceiling_of_models_that_end_by_themselves(whole):
    """`whole` is the share of answers that end with a sentence."""
    draw = random.Random(7)
    for _ in range(RUNS):
        mean, spread = draw.choice([300, 800, 3000]), draw.choice([0.1, 0.5, 1.0])
        answers = [
            answer(
                max(1, int(draw.lognormvariate(0, spread) * mean)),
                draw.randrange(20, 400),
                mid=draw.random() >= whole,
            )
            for _ in range(120)
        ]
        assert ceilings_of("writer", answers, who_cut(answers)) == []


@pytest.mark.parametrize("less", [0, 1])
@pytest.mark.parametrize("finish", ["length", "stop", "either"])
def test_no_ceiling_where_our_limit_alone_cuts(finish, less):
    """Some servers count one token less than they were asked for, and some call it a stop."""
    draw = random.Random(8)
    for _ in range(RUNS):
        limit = draw.choice([300, 1024, 8192])
        wanted = [int(draw.lognormvariate(0, 0.8) * limit * draw.choice([0.3, 1.0])) + 1 for _ in range(120)]
        answers = [
            answer(
                min(words, limit - less),
                draw.randrange(20, 400),
                limit=limit,
                truncated=words > limit - less
                and (finish == "length" or (finish != "stop" and draw.random() < 0.5)),
                mid=words > limit - less and draw.random() < 0.95,
            )
            for words in wanted
        ]
        assert ceilings_of("writer", answers, who_cut(answers)) == []


def served(draw, prompts, *, kind, tokens, finish, less=0):
    """Answers of a server with a ceiling, cut where the model would have written on, and how many are."""
    answers, cut = [], 0
    for prompt in prompts:
        room = tokens - less - (prompt if kind == "context" else 0)
        wanted = draw.randrange(100, 2 * tokens)
        if room - 10 <= wanted <= room:  # an answer that ends by itself just there tells nothing
            wanted = room + 10
        ends = finish if finish != "either" else draw.choice(["length", "stop"])
        answers.append(
            answer(min(wanted, room), prompt, truncated=wanted > room and ends == "length", mid=wanted > room)
        )
        cut += wanted > room
    return answers, cut


@pytest.mark.parametrize("less", [0, 1])
@pytest.mark.parametrize("finish", ["length", "stop", "either"])
@pytest.mark.parametrize("kind", ["context", "output"])
def test_every_ceiling_with_three_cut_answers_is_found(kind, finish, less):
    draw = random.Random(9)
    found_with_three = 0
    for _ in range(RUNS):
        tokens = draw.choice([2048, 4096, 8192, 9577])
        count = draw.choice([4, 6, 60])
        prompts = draw.sample(range(20, 900), count)
        answers, cut = served(draw, prompts, kind=kind, tokens=tokens, finish=finish, less=less)
        if cut < 3:
            continue
        found = ceilings_of("writer", answers, who_cut(answers))
        assert [(each.kind, each.tokens, each.count) for each in found] == [(kind, tokens - less, cut)]
        found_with_three += cut == 3
    assert found_with_three >= RUNS / 20


@pytest.mark.parametrize("kind", ["context", "output"])
def test_the_ceilings_of_two_servers_behind_one_name_are_both_found(kind):
    """Where the finish reason tells; where it does not, answers above the lower ceiling hide it."""
    draw = random.Random(10)
    for _ in range(RUNS):
        low, high = draw.choice([(2048, 4096), (4096, 9577), (4096, 4200)])
        prompts = draw.sample(range(20, 900), 60)
        first, cut_low = served(draw, prompts[:30], kind=kind, tokens=low, finish="length")
        second, cut_high = served(draw, prompts[30:], kind=kind, tokens=high, finish="length")
        answers = first + second
        draw.shuffle(answers)
        found = ceilings_of("writer", answers, who_cut(answers))
        assert {(each.kind, each.tokens, each.count) for each in found} == {
            (kind, low, cut_low),
            (kind, high, cut_high),
        }


def test_of_two_servers_that_call_a_cut_a_stop_the_higher_ceiling_is_found():
    draw = random.Random(11)
    for _ in range(RUNS):
        prompts = draw.sample(range(20, 900), 60)
        first, _ = served(draw, prompts[:30], kind="output", tokens=4096, finish="stop")
        second, cut = served(draw, prompts[30:], kind="output", tokens=9577, finish="stop")
        found = ceilings_of("writer", first + second, who_cut(first + second))
        assert [(each.tokens, each.count) for each in found] == [(9577, cut)]


def test_a_servers_ceiling_is_found_beside_cuts_of_our_limit():
    """Short prompts leave room for all that was asked for, long ones do not."""
    draw = random.Random(12)
    for _ in range(RUNS):
        prompts = [*draw.sample(range(20, 90), 20), *draw.sample(range(1500, 3000), 20)]
        answers = []
        for prompt in prompts:
            wanted, room = draw.randrange(100, 8000), 4096 - prompt
            given = min(wanted, room, 2000)
            answers.append(
                answer(
                    given, prompt, limit=2000, truncated=given < wanted and room < 2000, mid=given < wanted
                )
            )
        cuts = who_cut(answers)
        by_server = [each for each in answers if each.total == 4096]
        if len(by_server) < 3:
            continue
        found = ceilings_of("writer", answers, cuts)
        assert [(each.kind, each.tokens) for each in found] == [("context", 4096)]
        assert cuts.count("limit") == sum(each.completion_tokens >= 1999 for each in answers)
