import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_tokenizer import LLAMA31, TinyTokenizer

from longbench_write.backends.vllm.prompts import PromptFormat, choose_format, stop_token_ids
from longbench_write.errors import UsageError

CHATTY = TinyTokenizer(
    {"<s>": 1, "</s>": 2, "<user>": 3, "<model>": 4},
    begin=("<s>",),
    chat_template="{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<model>{% endif %}",
)


def chat(text):
    return [{"role": "user", "content": text}]


def test_the_models_own_template_makes_the_prompt_and_begins_it_once():
    made = PromptFormat()
    assert made.text(CHATTY, chat("Write.")) == "<s><user>Write.</s><model>"
    ids = made.token_ids(CHATTY, chat("Write."))
    assert ids.count(1) == 1
    assert ids[:2] == [1, 3]
    assert ids[-1] == 4


def test_a_template_file_takes_the_place_of_the_models(tmp_path):
    path = tmp_path / "chat.jinja"
    path.write_text("<user>{{ messages[0].content }}<model>", encoding="utf-8")
    made = choose_format(str(path), None)
    assert CHATTY.decode(made.token_ids(CHATTY, chat("你好"))) == "<user>你好<model>"


def test_raw_is_the_text_as_a_tokenizer_begins_it():
    made = choose_format("raw", None)
    assert CHATTY.decode(made.token_ids(CHATTY, chat("Once upon"))) == "<s>Once upon"
    assert CHATTY.decode(made.token_ids(CHATTY, chat("<s>Once upon"))) == "<s>Once upon"
    no_begin = TinyTokenizer({"</s>": 2})
    assert no_begin.decode(made.token_ids(no_begin, chat("Once upon"))) == "Once upon"


@given(st.text().filter(lambda text: not re.search("<[|]begin_of_text[|]>", text)))
def test_whatever_the_prompt_says_it_is_there_once_and_begins_once(prompt):
    ids = PromptFormat(pattern="[INST]{prompt}[/INST]").token_ids(LLAMA31, chat(prompt))
    assert ids.count(128000) == 1
    assert LLAMA31.decode(ids) == f"<|begin_of_text|>[INST]{prompt}[/INST]"


def test_a_prompt_that_names_the_placeholder_is_text():
    made = PromptFormat(pattern="[INST]{prompt}[/INST]")
    assert made.text(LLAMA31, chat("Explain {prompt} and {x}.")) == "[INST]Explain {prompt} and {x}.[/INST]"


def test_without_a_template_there_is_no_chat():
    with pytest.raises(UsageError, match="--prompt-format raw"):
        PromptFormat().token_ids(LLAMA31, chat("x"))


@pytest.mark.parametrize("template", ["{{ nothing.at.all }}", "{% for %}"])
def test_a_template_that_cannot_be_filled_is_named(tmp_path, template):
    path = tmp_path / "chat.jinja"
    path.write_text(template, encoding="utf-8")
    with pytest.raises(UsageError, match="--prompt-format"):
        choose_format(str(path), None).token_ids(CHATTY, chat("x"))


def test_a_format_that_is_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--prompt-format"):
        choose_format(str(tmp_path / "nowhere.jinja"), None)


def test_a_stop_token_that_the_tokenizer_lacks_is_named():
    assert stop_token_ids(LLAMA31, ["<|end_of_text|>"]) == [128001]
    with pytest.raises(UsageError, match=r"no <\|user\|>"):
        stop_token_ids(LLAMA31, ["<|user|>"])
    unknowing = TinyTokenizer({"<unk>": 0, "<end>": 1}, unk_token="<unk>")
    assert stop_token_ids(unknowing, ["<end>", "<unk>"]) == [1, 0]
    with pytest.raises(UsageError, match="no <stop>"):
        stop_token_ids(unknowing, ["<stop>"])
