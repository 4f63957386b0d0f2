"""Whether an answer begins inside a block of reasoning: what the prompt says, and what other answers show."""

import pytest
from samples import predicted

from longbench_write.backends.base import Completion, Usage
from longbench_write.runs.opening import ReasoningOpening, never_closed

KEY = ("p-1", 0)


def answer(text, *, reasoning="", opened=None):
    return Completion(text, reasoning, "length", Usage(), 1.0, reasoning_opened=opened)


@pytest.mark.parametrize("opened", [True, False])
def test_where_the_prompts_end_is_known_it_decides(opened):
    opening = ReasoningOpening(known=not opened)
    assert opening.opens(answer("I plan", opened=opened), KEY) is opened
    assert opening.decided == {KEY}


def test_a_prompt_whose_end_is_known_says_nothing_of_others():
    opening = ReasoningOpening()
    opening.opens(answer("I plan", opened=True), KEY)
    assert not opening.known
    assert not opening.opens(answer("A text"), ("p-2", 0))


def test_an_answer_that_closes_what_it_has_not_opened_shows_it_for_those_that_follow():
    opening = ReasoningOpening()
    assert not opening.opens(answer("I plan"), ("early", 0))
    assert opening.opens(answer("I plan</think>A text"), KEY)
    assert opening.opens(answer("I plan"), ("late", 0))
    assert opening.decided == {KEY, ("late", 0)}


def test_a_text_from_which_the_server_has_parted_the_reasoning_begins_behind_it():
    opening = ReasoningOpening(known=True)
    assert not opening.opens(answer("A text", reasoning="I plan"), KEY)


def test_a_response_behind_an_empty_block_is_left_as_it_is_and_an_undecided_one_is_corrected():
    def cut(name):
        return predicted(name, response="A text", response_length=2, reasoning="", finish_reason="length")

    (corrected,) = never_closed([cut("decided"), cut("early")], {("decided", 0)})
    assert (corrected.id, corrected.response, corrected.reasoning) == ("early", "", "A text")
