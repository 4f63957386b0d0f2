"""The writer that asks nobody: exactly the required words, whatever the language."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import WriterError
from longbench_write.writers.registry import load_writer


def written(length, language):
    return asyncio.run(load_writer("null").write(Prompt("p", "Write.", "t", length, language), 0, None)).text


@given(st.integers(1, 5000), st.sampled_from(["en", "zh", "de"]))
def test_filler_has_exactly_the_required_words(length, language):
    text = written(length, language)
    assert count_words(text) == length
    assert text == text.strip()


def test_without_a_length_there_is_nothing_to_fill():
    with pytest.raises(WriterError) as failed:
        written(None, "en")
    assert failed.value.kind == "no_length"
