"""A text comes out once, however a server sends it."""

from hypothesis import given
from hypothesis import strategies as st

from longbench_write.backends.openai.deltas import StreamedText

WORDS = st.lists(st.text("abc é中", min_size=1, max_size=9), min_size=1, max_size=30)


def text(*pieces):
    streamed = StreamedText()
    for place, piece in enumerate(pieces):
        streamed.add(piece)
        if place % 3 == 0:
            streamed.join()
    assert streamed.text == streamed.text
    return streamed.text


@given(WORDS)
def test_pieces_of_which_none_begins_with_all_before_are_joined(words):
    assert text("<", *words) == "<" + "".join(words)


@given(st.lists(st.text(min_size=1), min_size=4, max_size=20))
def test_cumulative_pieces_count_once(words):
    assert text(*("".join(words[: end + 1]) for end in range(len(words)))) == "".join(words)


@given(st.lists(st.text("abc ", min_size=8, max_size=9), min_size=5, max_size=20))
def test_a_replay_at_the_end_counts_once(words):
    assert text("<", *words, "<" + "".join(words)) == "<" + "".join(words)


def test_a_replay_may_be_stripped():
    words = [" one", " two", " three", " four", " five", " six", " seven", " eight", "\n"]
    assert text(*words, "".join(words).strip()) == "".join(words)


def test_short_repeats_are_text():
    assert text("ha", "ha", "ha") == "hahaha"
    assert text("la ", "la la ", "end") == "la la la end"
    assert text("Row, ", "row, ", "Row, row, ", "row") == "Row, row, Row, row, row"
    assert text("a", "ab") == "aab"
    assert text() == ""


def test_a_long_text_that_comes_twice_counts_once():
    assert text("x" * 300, "x" * 300) == "x" * 300
