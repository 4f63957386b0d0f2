import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_harness_samples import TEXTS, in_order_of_completion

from longbench_write.exchange.pairing import mispaired
from longbench_write.suites.suite import load_suite

PROMPTS = [prompt for prompt, _ in TEXTS]
RESPONSES = [response for _, response in TEXTS]


def test_rightly_paired_texts_raise_no_alarm():
    assert mispaired(PROMPTS, RESPONSES) == []


@given(st.permutations(range(len(TEXTS))))
def test_texts_in_any_order_are_seen_to_be_out_of_place(order):
    wrong = {place for place, text in enumerate(order) if place != text}
    seen = set(mispaired(PROMPTS, [RESPONSES[text] for text in order]))
    assert len(seen & wrong) >= 0.75 * len(wrong)
    assert len(seen - wrong) <= 0.25 * len(wrong)


def test_two_texts_that_changed_places_are_found_alone():
    order = [1, 0, *range(2, len(TEXTS))]
    assert mispaired(PROMPTS, [RESPONSES[text] for text in order]) == [0, 1]


def test_a_text_about_something_else_takes_nobodys_place():
    assert mispaired(PROMPTS, [RESPONSES[5], *RESPONSES[1:]]) == []
    assert mispaired(PROMPTS, ["", *RESPONSES[1:]]) == []


def test_prompts_that_differ_in_a_number_alone_are_not_told_apart():
    prompts = [f"Write {number} words about compost heaps in winter." for number in (1000, 2000, 5000)]
    texts = [f"Compost heaps {word} in winter." for word in ("sleep", "wake", "steam")]
    assert mispaired([*prompts, *PROMPTS], [*reversed(texts), *RESPONSES]) == []


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=6))
def test_any_texts_can_be_checked(pairs):
    places = mispaired([prompt for prompt, _ in pairs], [response for _, response in pairs])
    assert set(places) <= set(range(len(pairs)))


def paraphrase(prompt, rng, words, characters):
    """A text with half of the prompt's words in it, and four times as many of other prompts' words."""
    chinese, own = re.findall(r"[\u4e00-\u9fff]{2}", prompt), re.findall(r"[a-zA-Z]{3,}", prompt)
    if len(chinese) > len(own):
        own, other = chinese, ["".join(rng.sample(characters, 2)) for _ in range(4 * len(chinese))]
    else:
        other = rng.sample(words, 4 * len(own))
    text = [word for word in own if rng.random() < 0.5] + other
    rng.shuffle(text)
    return " ".join(text)


@pytest.mark.parametrize("workers", [4, 16])
def test_evalscopes_order_is_detected_on_the_official_prompts(workers):
    suite = load_suite("longbench-write")
    prompts = [prompt.prompt for prompt in suite.prompts]
    words = [word for prompt in prompts for word in re.findall(r"[a-zA-Z]{3,}", prompt)]
    characters = re.findall(r"[\u4e00-\u9fff]", "".join(prompts))
    rng = random.Random(workers)
    texts = [paraphrase(prompt, rng, words, characters) for prompt in prompts]
    assert len(mispaired(prompts, texts)) <= 2
    order = in_order_of_completion([prompt.length for prompt in suite.prompts], workers, seed=workers)
    wrong = {place for place, text in enumerate(order) if place != text}
    assert len(wrong) >= 54
    seen = set(mispaired(prompts, [texts[text] for text in order]))
    assert len(seen & wrong) >= 0.9 * len(wrong)
