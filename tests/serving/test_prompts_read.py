"""Prompts that were not read whole are found, and honest counts of any tokenizer raise no alarm."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.backends.base import Completion, Usage
from longbench_write.metrics.prompt_size import PromptSize
from longbench_write.serving.pieces import Pieces
from longbench_write.serving.prompts_read import PromptsRead, prompt_size

TOKENIZERS = {
    "o200k": (1.06, 0.72),
    "cl100k": (1.09, 1.19),
    "qwen": (1.09, 0.68),
    "deepseek": (1.08, 0.62),
    "tekken": (1.12, 0.83),
    "claude": (1.17, 1.37),
    "a quarter of the characters": (1.2, 0.25),
}
"""Tokens a Latin piece and an ideograph, as measured; the last is what gateways without a tokenizer say."""

SPREAD = 0.2
"""By which texts of one tokenizer and language differ from its median at most."""

RUNS = [range(9), pytest.param(range(9, 150), marks=pytest.mark.slow)]
"""Simulated runs by tokenizer: about sixty in all, and a thousand."""


def size(latin, ideographs=0, tokens=0, cached=0, model="m"):
    return PromptSize(latin=latin, ideographs=ideographs, tokens=tokens, cached=cached, model=model)


def text(draw, most):
    """A text of some length in English, Chinese or both, as pieces."""
    length = round(min(most, draw.lognormvariate(0, 1.1) * most / 6 + 20))
    share = draw.choice([0.0, 0.0, 1.0, 1.0, draw.random()])
    return Pieces(round(length * (1 - share)) + 1, round(length * share))


def prompts_of(draw):
    """The pieces of the prompts of a role: each begins with one template, and has a text."""
    template, most = draw.choice([(0, 400), (60, 3000), (700, 6000), (900, 20000)])
    texts = [text(draw, most) for _ in range(draw.choice([6, 20, 60, 120]))]
    if draw.random() < 0.3:  # one language
        texts = [Pieces(sum(each), 0) for each in texts]
    return [(template, each) for each in texts]


def counted(draw, prompts, tokenizer):
    """What a server counts of each prompt that it read whole, the largest first."""
    latin, ideographs = TOKENIZERS[tokenizer]
    constant = draw.choice([0, 5, 30, 80, 1500])
    sizes = []
    for template, each in prompts:
        noise = [max(-SPREAD, min(SPREAD, draw.gauss(0, SPREAD / 2.5))) for _ in range(2)]
        own = latin * each.latin * (1 + noise[0]) + ideographs * each.ideographs * (1 + noise[1])
        tokens = round(constant + latin * template + own)
        sizes.append(size(template + each.latin, each.ideographs, tokens))
    return sorted(sizes, key=lambda each: -each["tokens"])


def alarms(sizes):
    """The prompts that are found, at once or once all have come."""
    prompts, at_once = PromptsRead(), []
    for each in sizes:
        prompts.add(each)
        if prompts.unread(each):
            at_once.append(each)
    prompts.settle()
    return [each for each in sizes if prompts.unread(each)], at_once


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_honest_counts_are_no_alarm(tokenizer, runs):
    for number in runs:
        draw = random.Random(f"{tokenizer} {number}")
        sizes = counted(draw, prompts_of(draw), tokenizer)
        if draw.random() < 0.5:
            draw.shuffle(sizes)
        assert alarms(sizes) == ([], [])


@pytest.mark.parametrize("runs", RUNS)
def test_nearly_all_prompts_of_which_sixty_percent_was_read_are_found(runs):
    missed = there = 0
    for number in runs:
        for tokenizer in TOKENIZERS:
            draw = random.Random(f"cut {tokenizer} {number}")
            prompts = prompts_of(draw)
            whole = counted(draw, prompts, tokenizer)
            if len(whole) < 20:
                continue
            window = whole[len(whole) // draw.choice([2, 3, 6])]["tokens"]
            window = max(window, 300)
            jitter = draw.choice([0, 0, 0.04])  # a middle that is left out leaves no exact number
            read = [
                {**each, "tokens": min(each["tokens"], round(window * (1 - jitter * draw.random())))}
                for each in whole
            ]
            found, _ = alarms(read)
            cut = [new for old, new in zip(whole, read, strict=True) if new["tokens"] <= 0.6 * old["tokens"]]
            there += len(cut)
            missed += sum(each not in found for each in cut)
    assert missed <= 0.01 * there


def test_three_that_say_the_largest_number_were_cut_and_two_were_not():
    sizes = [size(n, 0, n) for n in (200, 300, 400)]
    cut = [size(n, 0, 700) for n in (710, 800, 900)]
    assert alarms([*sizes, *cut])[0] == cut
    assert alarms([*sizes, *cut[1:]]) == ([], [])
    assert alarms([*sizes, *cut, size(901, 0, 890)])[0] == []


def test_the_third_that_says_the_largest_number_shows_the_cut_at_once_among_many():
    prompts = PromptsRead()
    for each in (size(n, 0, n) for n in range(200, 1000, 8)):
        prompts.add(each)
    assert prompts.ceiling("writer") is None
    counts = []
    for n in (1400, 1600, 1800):
        prompts.add(size(n, 0, 1200))
        counts.append(ceiling.count if (ceiling := prompts.ceiling("writer")) else 0)
    assert counts == [0, 0, 3]


def test_a_number_that_is_the_largest_no_more_cuts_no_prompt_that_was_read_whole():
    prompts, whole = PromptsRead(), size(1190, 0, 1200)
    cut = [size(n, 0, 1200) for n in (1250, 1450, 1700)]
    for each in [*(size(n, 0, n) for n in range(200, 1000, 40)), *cut]:
        prompts.add(each)
    assert all(map(prompts.unread, cut))
    prompts.add(size(1500, 0, 1500))
    prompts.add(whole)
    assert prompts.unread(whole) is None


def test_a_quarter_of_the_characters_of_a_short_prompt_is_no_cut():
    """Prompts as those of longbench-write: with lists, and with Chinese and English in one."""
    sizes = [size(n, 0, round(1.25 * n) + 10) for n in (12, 15, 20, 31, 40, 48, 60, 75, 90, 110, 150, 200)]
    sizes += [size(n // 8, n, round(0.28 * n) + 10) for n in (20, 31, 47, 60, 90, 120, 250)]
    odd = [size(263, 0, 216), size(268, 398, 197), size(247, 579, 245)]
    assert alarms([size(492, 0, 771), *sizes, *odd]) == ([], [])
    cut = [size(n, 0, 210) for n in (350, 500)]
    assert alarms([*sizes[:9], *cut])[0] == cut


def test_a_number_that_is_made_up_is_no_window():
    assert alarms([size(n, 0, 700) for n in range(50, 300, 10)]) == ([], [])


@pytest.mark.parametrize("number", [1, 10, 50, 100])
def test_a_number_smaller_than_any_window_is_made_up_in_whatever_order_prompts_come(number):
    for seed in range(20):
        draw = random.Random(seed)
        sizes = [size(draw.randint(20, 3000), tokens=number) for _ in range(40)]
        assert alarms(sizes) == ([], [])


def test_what_is_known_of_a_prompt_is_what_most_was_counted_of_it():
    sizes = [size(n, 0, n) for n in range(200, 1000, 40)]
    again = [{**each, "tokens": 5} for each in sizes]
    assert alarms([*sizes, *again]) == ([], [])
    beside = [{**each, "tokens": 5, "cached": each["tokens"] - 5} for each in sizes]
    assert alarms(beside) == ([], [])
    assert alarms([*sizes[:10], *beside[10:]]) == ([], [])


def test_the_ceiling_of_prompts():
    prompts = PromptsRead()
    for n in range(100, 2000, 50):
        prompts.add(size(n, 0, min(n, 1000)))
    ceiling = prompts.ceiling("judge")
    assert (ceiling.role, ceiling.kind, ceiling.tokens, ceiling.source) == ("judge", "prompt", 1000, "cut")
    assert ceiling.count == sum(n >= 1000 for n in range(100, 2000, 50))
    assert PromptsRead().ceiling("judge") is None


def test_without_tokens_there_is_no_size():
    chat = [{"role": "user", "content": "Two words, 河水."}]

    def counted(tokens):
        return Completion("", "", "stop", Usage(prompt_tokens=tokens), 1.0, model_served="m")

    assert prompt_size(chat, counted(None)) is prompt_size(chat, counted(0)) is None
    assert prompt_size(chat * 2, counted(9)) == size(8, 4, 9, 0)


def test_another_model_may_count_in_another_way():
    sizes = [size(20, n, 20 + n) for n in range(300, 1500, 60)]
    others = [size(21, n, 20 + n // 2, model="another") for n in range(330, 1500, 90)]
    assert alarms([*sizes, *others]) == ([], [])
    assert alarms([*sizes, *({**each, "model": "m"} for each in others)])[0]


@given(
    st.lists(st.builds(size, *(st.integers(0, top) for top in (50_000, 50_000, 10**15, 10**15))), max_size=20)
)
def test_any_counts_are_taken(sizes):
    found, _ = alarms(sizes)
    assert all(each["tokens"] for each in found)
    for one, other in pairwise(sorted(found, key=lambda each: each["tokens"])):
        assert one["tokens"] <= other["tokens"]
