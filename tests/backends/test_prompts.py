import datetime
import json

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import (
    CHATML,
    GLM4_SPECIAL,
    LLAMA31_SPECIAL,
    llama31_tokenizer,
    ranks,
    tokenizer,
    write_glm4_tokenizer,
)
from transformers import AutoTokenizer
from transformers.convert_slow_tokenizer import TikTokenConverter

from longbench_write.backends.glm4_tokenizer import fast_tokenizer
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.prompts import PromptFormat, Prompts, choose_format, stop_token_ids
from longbench_write.errors import UsageError

LLAMA31 = llama31_tokenizer()
QWEN = tokenizer(
    ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    added=("<think>", "</think>", "    "),
    template=CHATML + "{# writes <think> too #}",
    eos_token="<|im_end|>",
)
FIRST = len(ranks())
TEXTS = st.lists(
    st.one_of(
        st.text(),
        st.sampled_from(
            [*GLM4_SPECIAL, *LLAMA31_SPECIAL, "<|im_end|>", "<think>", "<|us", "er|>", "写长一点"]
        ),
    )
).map("".join)


def chat(text):
    return [{"role": "user", "content": text}]


QWEN_PROMPTS = Prompts(QWEN, PromptFormat())
LLAMA31_PROMPTS = Prompts(LLAMA31, PromptFormat(pattern="[INST]{prompt}[/INST]"))


def prompts(made=QWEN, prompt_format=None, day=None):
    return Prompts(made, prompt_format or PromptFormat(), day)


@pytest.fixture(scope="module")
def glm4(tmp_path_factory):
    """The prompts of LongWriter-glm4-9b, with the tokenizer that is made for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LBW_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = fast_tokenizer(str(write_glm4_tokenizer(tmp_path_factory.mktemp("glm4"))))
    made = AutoTokenizer.from_pretrained(folder)
    return Prompts(made, choose_format(None, find_card("THUDM/LongWriter-glm4-9b")))


REFERENCE = tiktoken.Encoding(
    "tiny", pat_str=TikTokenConverter().pattern, mergeable_ranks=ranks(), special_tokens={}
)


def reference_ids(prompt):
    """The ids of [gMASK]<sop><|user|>\\n{prompt}<|assistant|>, the prompt being text whatever it says."""
    special = {text: FIRST + n for n, text in enumerate(GLM4_SPECIAL)}
    return [
        *(special["[gMASK]"], special["<sop>"], special["<|user|>"]),
        *REFERENCE.encode("\n", disallowed_special=()),
        *REFERENCE.encode(prompt, disallowed_special=()),
        special["<|assistant|>"],
    ]


@given(TEXTS)
def test_glm4s_prompts_have_the_references_ids(glm4, prompt):
    assert glm4.make(chat(prompt)).ids == reference_ids(prompt)


def test_glm4s_ids_are_these(glm4):
    assert glm4.make(chat("Write 100 words. 写长")).ids == [
        *(FIRST + 2, FIRST + 4, FIRST + 7, 10),
        *REFERENCE.encode("Write 100 words. 写长"),
        FIRST + 8,
    ]
    assert len(glm4.make(chat("Write 100")).ids) == 4 + 3 + 1


def test_llamas_ids_are_these():
    made = Prompts(LLAMA31, choose_format(None, find_card("THUDM/LongWriter-llama3.1-8b")))
    ids = made.make(chat("Write 100")).ids
    assert ids[0] == FIRST
    assert ids == LLAMA31.encode("[INST]Write 100[/INST]")
    assert LLAMA31.decode(ids) == "<|begin_of_text|>[INST]Write 100[/INST]"


@given(TEXTS)
def test_a_control_token_in_a_prompt_is_text(prompt):
    for made, source, before, after in (
        (QWEN_PROMPTS, QWEN, "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"),
        (LLAMA31_PROMPTS, LLAMA31, "<|begin_of_text|>[INST]", "[/INST]"),
    ):
        ids = made.make(chat(prompt)).ids
        own = made.make(chat("x")).ids
        special = set(made.control.values())
        assert [n for n in ids if n in special] == [n for n in own if n in special]
        assert source.decode(ids) == f"{before}{prompt}{after}"


@given(st.text(alphabet="ab <|>写\n"))
def test_what_contains_none_is_tokenized_as_ever(prompt):
    wanted = QWEN.apply_chat_template(chat(prompt), add_generation_prompt=True, return_dict=False)
    assert QWEN_PROMPTS.make(chat(prompt)).ids == list(wanted)


def test_added_tokens_that_are_no_control_tokens_stay_what_they_are():
    ids = prompts().make(chat("a    b <|im_end|>")).ids
    assert QWEN.convert_tokens_to_ids("    ") in ids
    assert QWEN.convert_tokens_to_ids("<think>") in prompts().control.values()


@pytest.fixture(scope="module", params=[False, True], ids=["of 2024", "repaired"])
def remote_glm4(request, tmp_path_factory):
    """The prompts of LongWriter-glm4-9b, with the tokenizer in Python that its repository brings."""
    folder = write_glm4_tokenizer(tmp_path_factory.mktemp("remote"), repaired=request.param)
    made = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    return Prompts(made, choose_format(None, find_card("THUDM/LongWriter-glm4-9b")))


@given(TEXTS)
def test_code_from_a_repository_is_asked_in_a_way_that_old_and_repaired_code_understands(remote_glm4, prompt):
    assert remote_glm4.make(chat(prompt)).ids == reference_ids(prompt)


def test_code_of_2024_fails_where_it_is_asked_as_todays_is(tmp_path):
    made = AutoTokenizer.from_pretrained(write_glm4_tokenizer(tmp_path), trust_remote_code=True)
    with pytest.raises(TypeError, match="padding_side"):
        made.encode("Write", add_special_tokens=False)


def test_a_template_file_takes_the_place_of_the_models(tmp_path):
    path = tmp_path / "chat.jinja"
    path.write_text("<|im_start|>{{ messages[0].content }}", encoding="utf-8")
    made = prompts(prompt_format=choose_format(str(path), None))
    assert QWEN.decode(made.make(chat("你好")).ids) == "<|im_start|>你好"


def test_raw_is_the_text_as_a_tokenizer_begins_it():
    made = Prompts(LLAMA31, choose_format("raw", None))
    assert LLAMA31.decode(made.make(chat("Once upon")).ids) == "<|begin_of_text|>Once upon"
    twice = made.make(chat("<|begin_of_text|>Once")).ids
    assert twice.count(FIRST) == 1
    assert LLAMA31.decode(twice) == "<|begin_of_text|><|begin_of_text|>Once"
    assert QWEN.decode(Prompts(QWEN, choose_format("raw", None)).make(chat("Once")).ids) == "Once"


def test_what_a_tokenizer_appends_is_left_out():
    appends = tokenizer(("<s>", "</s>"), begin=("<s>",))
    appends.backend_tokenizer.post_processor = type(appends.backend_tokenizer.post_processor)(
        single="<s> $A </s>", special_tokens=[("<s>", FIRST), ("</s>", FIRST + 1)]
    )
    ids = Prompts(appends, choose_format("raw", None)).make(chat("Once")).ids
    assert ids[0] == FIRST
    assert FIRST + 1 not in ids


def test_a_prompt_that_names_the_placeholder_is_text():
    made = Prompts(LLAMA31, PromptFormat(pattern="[INST]{prompt}[/INST]"))
    assert made.text(chat("Explain {prompt} and {x}.")) == "[INST]Explain {prompt} and {x}.[/INST]"


def test_without_a_template_there_is_no_chat():
    with pytest.raises(UsageError, match="--prompt-format raw"):
        Prompts(LLAMA31, PromptFormat()).make(chat("x"))


@pytest.mark.parametrize("template", ["{{ nothing.at.all }}", "{% for %}", "{{ raise_exception('no') }}"])
def test_a_template_that_cannot_be_filled_is_named(tmp_path, template):
    path = tmp_path / "chat.jinja"
    path.write_text(template, encoding="utf-8")
    with pytest.raises(UsageError, match="--prompt-format"):
        prompts(prompt_format=choose_format(str(path), None)).make(chat("x"))


def test_a_format_that_is_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--prompt-format"):
        choose_format(str(tmp_path / "nowhere.jinja"), None)


def test_a_stop_token_that_the_tokenizer_lacks_is_named():
    assert stop_token_ids(LLAMA31, ["<|end_of_text|>"]) == [FIRST + 1]
    with pytest.raises(UsageError, match=r"no <\|user\|>"):
        stop_token_ids(LLAMA31, ["<|user|>"])
    unknowing = tokenizer(("<unk>", "<end>"), unk_token="<unk>")
    assert stop_token_ids(unknowing, ["<end>", "<unk>"]) == [FIRST + 1, FIRST]
    with pytest.raises(UsageError, match="no <stop>"):
        stop_token_ids(unknowing, ["<stop>"])


DATED = "{% macro today() %}{{ strftime_now('%-d. %B (%d %b %Y)') }}{% endmacro %}{{ today() }} " + CHATML


def test_a_template_that_reads_the_clock_is_told_one_day():
    dated = tokenizer(("<|im_start|>", "<|im_end|>"), template=DATED)
    one = prompts(dated, day=datetime.date(2026, 11, 3))
    assert one.day == datetime.date(2026, 11, 3)
    assert one.text(chat("?")).startswith("3. November (03 Nov 2026) <|im_start|>")
    assert one.about()["date"] == "2026-11-03"
    assert prompts(dated).day == datetime.date.today()
    assert (prompts(day=datetime.date(2026, 11, 3)).day, prompts().about()["date"]) == (None, None)


def test_the_record_tells_one_template_from_another():
    one, other = prompts().about(), prompts(prompt_format=PromptFormat(template=CHATML + " ")).about()
    assert one["template_sha256"] != other["template_sha256"]
    assert one["sample"] == "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
    assert json.loads(json.dumps(one)) == one


def test_the_token_behind_an_answer_is_found():
    assert prompts().end_of_turn == "<|im_end|>"
    assert Prompts(LLAMA31, PromptFormat(pattern="{prompt}")).end_of_turn is None
    bare = PromptFormat(template="{{ messages[0].content }}")
    assert prompts(prompt_format=bare).end_of_turn is None
    single = PromptFormat(template="{% if messages[1] %}{{ raise_exception('one') }}{% endif %}x")
    assert prompts(prompt_format=single).end_of_turn is None


@pytest.mark.parametrize(("ending", "opened"), [("<think>\n", "<think>"), ("[THINK]", "[THINK]"), ("x", "")])
def test_a_block_that_the_template_opens_is_noticed(ending, opened):
    made = prompts(prompt_format=PromptFormat(template=CHATML + ending))
    assert made.make(chat("<think>")).opened == opened


def test_options_reach_the_template():
    template = "{% if enable_thinking is defined and not enable_thinking %}quick{% endif %}"
    made = prompts(prompt_format=PromptFormat(template=template))
    assert QWEN.decode(made.make(chat("?"), {"enable_thinking": False}).ids) == "quick"
