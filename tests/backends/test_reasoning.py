"""Response and reasoning are told apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longbench_write.backends.reasoning import closes_unopened, split_reasoning

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


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<thinking>", "</thinking>"),
        ("<thought>", "</thought>"),
        ("<reasoning>", "</reasoning>"),
        ("<seed:think>", "</seed:think>"),
        ("[THINK]", "[/THINK]"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("◁think▷", "◁/think▷"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("analysis", "assistantfinal"),
    ],
)
def test_other_blocks_count_at_the_beginning_alone(opening, closing, truncated):
    block = f"{opening}plan{closing}"
    assert split_reasoning(f"{block}The answer.", truncated=truncated) == ("The answer.", "plan")
    if not opening.startswith(("<|channel|>", "analysis")):
        assert split_reasoning(f" \n{block}\n{block} Text", truncated=truncated) == ("Text", "plan\n\nplan")
        assert split_reasoning(f"plan{closing}\nText", truncated=truncated) == ("Text", "plan")
        assert split_reasoning(f"{opening}plan", truncated=truncated) == ("", "plan")
    story = f"In a story stands {block}, and on it goes."
    assert split_reasoning(story, truncated=truncated) == (story, "")


def test_harmonys_channels():
    text = (
        "<|channel|>analysis<|message|>one<|end|><|start|>assistant<|channel|>commentary<|message|>two<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Text.<|return|>"
    )
    assert split_reasoning(text, truncated=False) == ("Text.", "one\n\ntwo")
    assert split_reasoning(text[:60], truncated=True) == ("", "one")
    assert split_reasoning("<|channel|>final<|message|>Text", truncated=True) == ("Text", "")
    assert split_reasoning("analysis of rivers", truncated=False) == ("analysis of rivers", "")


def test_what_stands_around_a_response_goes_with_the_reasoning():
    text = "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>Text.<|END_RESPONSE|>"
    assert split_reasoning(text, truncated=False) == ("Text.", "a")


def test_where_the_template_opens_a_block_a_cut_answer_is_reasoning_until_it_is_closed():
    assert split_reasoning("I plan", truncated=True, opened=True) == ("", "I plan")
    assert split_reasoning("I plan", truncated=False, opened=True) == ("I plan", "")
    assert split_reasoning("I plan</think>Text", truncated=True, opened=True) == ("Text", "I plan")
    assert split_reasoning("<think>a</think>Text", truncated=True, opened=True) == ("Text", "a")


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("a</think>b", True),
        ("<think>a</think>b", False),
        ("a[/THINK]", True),
        ("a", False),
        ("<think>", False),
    ],
)
def test_a_closing_tag_that_nothing_opened_shows_the_template(text, closes):
    assert closes_unopened(text) is closes


def test_open_block_in_the_text_counts_only_at_a_truncated_end():
    text = "Story so far. <think>let me see"
    assert split_reasoning(text, truncated=True) == ("Story so far. ", "let me see")
    assert split_reasoning(text, truncated=False) == (text, "")
    mixed = "<think>a</think>Use the tag <think> so."
    assert split_reasoning(mixed, truncated=False) == ("Use the tag <think> so.", "a")


@given(st.text(), st.booleans())
def test_text_without_tags_is_the_same_object(text, truncated):
    plain = re.sub(r"[<\[◁]|assistantfinal", "", text)  # each tag has one of them
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
    "piece",
    [
        "<thinking>",
        "</thinking>",
        "<thinking></thinking>",
        "<|channel|>x<|message|>",
        "analysis",
        OPEN,
        CLOSE,
        OPEN + CLOSE,
        OPEN + "a" + CLOSE + "b",
        "<think",
        "<",
        " " + OPEN,
    ],
)
@pytest.mark.parametrize("truncated", [False, True])
def test_hostile_long_texts_end(piece, truncated):
    text = piece * 100_000
    response, reasoning = split_reasoning(text, truncated=truncated)
    assert len(response) + len(reasoning) <= len(text) + 2 * 100_000
