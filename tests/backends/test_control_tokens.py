"""An answer ends where its turn does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.backends.control_tokens import end_at_turn


@pytest.mark.parametrize(
    "token",
    ["<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>", "<end_of_turn>", "<|end|>", "<|user|>"],
)
def test_an_end_of_turn_ends_the_answer(token):
    assert end_at_turn(f"A river.{token}") == "A river."
    assert end_at_turn(f"A river.{token}\n<|im_start|>user\nThanks!{token}") == "A river."


@pytest.mark.parametrize("token", ["</s>", "<eos>", "[EOS]"])
def test_an_end_of_text_ends_it_only_as_its_last_thing(token):
    assert end_at_turn(f"A river.{token}{token}\n") == "A river."
    text = f"In HTML, {token} is a tag."
    assert end_at_turn(text) is text


def test_the_beginning_of_another_turn_ends_it_and_its_own_does_not():
    assert end_at_turn("A river.\n<|im_start|>user\nMore!") == "A river.\n"
    text = "<|im_start|>assistant\nA river."
    assert end_at_turn(text) is text


@given(st.text())
def test_a_text_without_such_tokens_is_the_same_object(text):
    plain = text.replace("<", "").replace("[", "")
    assert end_at_turn(plain) is plain


@given(st.lists(st.sampled_from(["<|im_end|>", "</s>", " ", "a", "<|", "<pad>", "\n"])).map("".join))
def test_an_answer_ends_early_or_not_at_all(text):
    ended = end_at_turn(text)
    assert text.startswith(ended)
    assert "<|im_end|>" not in ended


@pytest.mark.parametrize("piece", ["</s>", " ", "<pad> ", "<|im_", "[EOS"])
def test_hostile_long_texts_end(piece):
    text = piece * 500_000 + "."
    assert end_at_turn(text) is text
