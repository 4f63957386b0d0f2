"""Pieces of a text, which tokenizers make about one token of each."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.metrics.scripts import CJK
from longbench_write.serving.pieces import count_pieces

LATIN = re.compile(rf"[^\W\d_{CJK}]+|\d{{1,3}}|_+|([^\w\s])\1*|\n+")
IDEOGRAPHS = re.compile(rf"([{CJK}])(?:\1{{2,}})?")
TEXTS = st.text(st.one_of(st.sampled_from("\n\n\n\r\v\f\u2028 _-.a1字年かß"), st.characters()))


@pytest.mark.parametrize(
    ("text", "latin", "ideographs"),
    [
        ("", 0, 0),
        ("One, two.\n\n\nThree 12345", 8, 0),
        ("\n\n", 1, 0),
        ("你好 world\n------\n", 4, 2),
        ("哈哈哈哈\n哈哈哈", 1, 2),
    ],
)
def test_pieces_are_counted(text, latin, ideographs):
    assert count_pieces(text) == (latin, ideographs)


@given(TEXTS)
def test_lines_have_together_what_the_whole_text_has(text):
    assert count_pieces(text) == (len(LATIN.findall(text)), len(IDEOGRAPHS.findall(text)))


def test_a_line_of_any_length_is_counted():
    assert count_pieces("word " * 10_000) == (10_000, 0)
