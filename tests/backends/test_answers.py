"""Answers of vLLM are read as token ids."""

import pytest
from tiny_models import tokenizer

from longbench_write.backends.answers import AnswerReader
from longbench_write.backends.tokens import control_tokens

MADE = tokenizer(
    ("<|im_end|>", "<think>", "</think>", "<|im_start|>", "<|channel|>", "<|end|>", "<|reserved|>"),
    added=("<tool>",),
)
CONTROL = control_tokens(MADE, None)


def read(text, stop=()):
    ids = MADE.encode(text, add_special_tokens=False)
    return AnswerReader(MADE, CONTROL, [CONTROL[name] for name in stop]).read(ids, text)


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        ("ten words", "ten words"),
        ("ten words<|im_end|>\n<|im_start|>user\nMore!", "ten words"),
        ("ten words<|im_end|>", "ten words"),
        ("<think>hm</think>ten words", "<think>hm</think>ten words"),
        ("<think>hm", "<think>hm"),
        ("ten <|reserved|>words", "ten words"),
        ("ten words<|reserved|>", "ten words"),
        ("a <tool> b", "a <tool> b"),
        (
            "<|channel|>analysis hm<|end|><|channel|>final ten",
            "<|channel|>analysis hm<|end|><|channel|>final ten",
        ),
        ("", ""),
    ],
)
def test_control_tokens_end_an_answer_enclose_thoughts_or_go(answer, response):
    assert read(answer) == (response, answer if "<|im_end|>" in answer else None)


def test_the_token_that_the_engine_stopped_at_is_not_in_its_text():
    ids = [*MADE.encode("ten", add_special_tokens=False), CONTROL["<|reserved|>"]]
    reader = AnswerReader(MADE, CONTROL, [CONTROL["<|reserved|>"]])
    assert reader.read(ids, "ten") == ("ten", None)
    ids = [*MADE.encode("<think>hm</think>ten", add_special_tokens=False), CONTROL["<|reserved|>"]]
    assert reader.read(ids, "<think>hm</think>ten") == ("<think>hm</think>ten", None)
