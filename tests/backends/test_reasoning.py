"""Response and reasoning are told apart."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longbench_write.backends.reasoning import split_reasoning

OPEN, CLOSE = "<think>", "</think>"
PIECES = st.lists(st.sampled_from([OPEN, CLOSE, " ", "\n\n", "a", "答", "<think", "</", ">", "word "])).map(
    "".join
)


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize(
    ("text", "response", "reasoning"),
    [
        ("<think>plan</think>\n\nThe answer.\n", "The answer.\n", "plan"),
        ("\n <think>\nplan\n</think> The answer.", "The answer.", "plan"),
        ("<think>\n\n</think>\n\nThe answer.", "The answer.", ""),
        ("Part one. <think>wait</think> Part two.", "Part one.  Part two.", "wait"),
        ("<think>a</think>\n<think>b</think>\nText <think>c</think>.", "Text .", "a\n\nb\n\nc"),
        (
            "thoughts without an opening tag\n</think>\n\nThe answer.",
            "The answer.",
            "thoughts without an opening tag",
        ),
        ("a</think>b</think>\nc", "c", "a\n\nb"),
        ("</think>c", "c", ""),
        ("<think>should I use <think> here?</think>Text", "Text", "should I use <think> here?"),
        ("<think>a</think>Text </think> more", "Text </think> more", "a"),
        ("<think>never closed", "", "never closed"),
        (" \n<think>never closed", "", "never closed"),
        ("<think>a</think>\n<think>never closed", "", "a\n\nnever closed"),
        ("<think>only thoughts</think>", "", "only thoughts"),
        ("<think>", "", ""),
    ],
)
def test_blocks(text, truncated, response, reasoning):
    assert split_reasoning(text, truncated=truncated) == (response, reasoning)


def test_open_block_in_the_text_counts_only_at_a_truncated_end():
    text = "Story so far. <think>let me see"
    assert split_reasoning(text, truncated=True) == ("Story so far. ", "let me see")
    assert split_reasoning(text, truncated=False) == (text, "")
    mixed = "<think>a</think>Use the tag <think> so."
    assert split_reasoning(mixed, truncated=False) == ("Use the tag <think> so.", "a")


@given(st.text(), st.booleans())
def test_text_without_tags_is_the_same_object(text, truncated):
    plain = text.replace("think>", "")
    response, reasoning = split_reasoning(plain, truncated=truncated)
    assert response is plain
    assert reasoning == ""


@given(
    st.text().filter(lambda text: "think>" not in text), st.text().filter(lambda text: "think>" not in text)
)
def test_a_leading_block_and_its_answer(thought, answer):
    text = f"<think>{thought}</think>{answer}"
    assert split_reasoning(text, truncated=False) == (answer.lstrip(), thought.strip())


@given(PIECES, st.booleans())
def test_nothing_is_lost_or_made_up(text, truncated):
    response, reasoning = split_reasoning(text, truncated=truncated)
    for letter in "a答":
        assert (response + reasoning).count(letter) == text.count(letter)
    assert len(response) + len(reasoning) <= len(text)


@given(PIECES, st.booleans())
def test_closed_blocks_leave_no_pair_in_the_response(text, truncated):
    # What stood around a block may spell another tag once the block is gone: that one is text.
    assume(OPEN not in text.replace(OPEN, "").replace(CLOSE, ""))
    response, _ = split_reasoning(text, truncated=truncated)
    if OPEN in response:
        assert not truncated or CLOSE not in response.split(OPEN, 1)[1]


@pytest.mark.parametrize(
    "piece", [OPEN, CLOSE, OPEN + CLOSE, OPEN + "a" + CLOSE + "b", "<think", "<", " " + OPEN]
)
@pytest.mark.parametrize("truncated", [False, True])
def test_hostile_long_texts_end(piece, truncated):
    text = piece * 100_000
    response, reasoning = split_reasoning(text, truncated=truncated)
    assert len(response) + len(reasoning) <= len(text) + 2 * 100_000
