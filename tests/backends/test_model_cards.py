"""Which card a model has, and the sampling that it brings, pinned."""

from pathlib import Path

import jinja2
import pytest

from longbench_write.backends.base import Sampling
from longbench_write.backends.model_cards import find_card, load_cards
from longbench_write.backends.prompts import choose_format
from longbench_write.backends.sampling import model_sampling
from longbench_write.backends.vllm.backend import sampling_values

NAMES = ["LongWriter-glm4-9b", "LongWriter-llama3.1-8b"]
NEUTRAL = {"min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}


def values(model, generation):
    sampling = Sampling(max_tokens=32768, temperature=0.5, seed=7)
    return sampling_values(sampling, 40_000, model_sampling(generation, find_card(model).sampling), [3])


@pytest.mark.parametrize("owner", ["THUDM", "zai-org", "ZhipuAI"])
@pytest.mark.parametrize("top_p", [0.8, 0.9])
def test_longwriter_glm4_9b_is_sampled_as_its_authors_do(owner, top_p):
    assert values(f"{owner}/LongWriter-glm4-9b", {"temperature": 0.8, "top_p": top_p}) == {
        **NEUTRAL,
        "temperature": 0.5,
        "top_p": 0.8,
        "top_k": 50,
        "seed": 7,
        "max_tokens": 32768,
        "stop_token_ids": [3],
    }


@pytest.mark.parametrize("owner", ["THUDM", "zai-org", "ZhipuAI"])
def test_longwriter_llama31_8b_has_the_top_k_that_generate_implied(owner):
    assert values(f"{owner}/LongWriter-llama3.1-8b", {"temperature": 0.6, "top_p": 0.9}) == {
        **NEUTRAL,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 50,
        "seed": 7,
        "max_tokens": 32768,
        "stop_token_ids": [3],
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_found_on_the_ordinary_ways_to_a_model(tmp_path, name):
    wanted = find_card(f"THUDM/{name}")
    assert wanted.name == name
    snapshot = tmp_path / "hub" / f"models--zai-org--{name}" / "snapshots" / ("a" * 40)
    plain = tmp_path / name
    modelscope = tmp_path / "ZhipuAI" / name.replace(".", "___")
    link, named = tmp_path / "link", tmp_path / "named" / name
    for folder in (snapshot, plain, modelscope, tmp_path / "data", named.parent):
        folder.mkdir(parents=True)
    link.symlink_to(plain)
    named.symlink_to(tmp_path / "data")
    for folder in (snapshot, plain, modelscope, link, named):
        assert find_card(str(folder)) == find_card(f"{folder}/") == wanted
    (tmp_path / "to-snapshot").symlink_to(snapshot)
    assert find_card(str(tmp_path / "to-snapshot")) == wanted


def test_another_model_has_no_card(tmp_path):
    for name in NAMES:
        other = tmp_path / f"models--someone--{name}" / "snapshots" / ("b" * 40)
        other.mkdir(parents=True)
        assert find_card(str(other)) is find_card(f"someone/{name}") is find_card(name) is None
    assert find_card(str(tmp_path)) is None


def test_a_user_may_choose_another_format_than_the_cards():
    card = find_card("THUDM/LongWriter-llama3.1-8b")
    assert choose_format("raw", card).pattern == "{prompt}"
    assert choose_format("chat", card).pattern is None


def test_cards_say_what_they_are_read_for():
    assert {card.name: card.content_apart for card in load_cards()} == {
        "LongWriter-glm4-9b": True,
        "LongWriter-llama3.1-8b": False,
    }


@pytest.mark.parametrize(("name", "begin"), [(NAMES[0], ""), (NAMES[1], "<|begin_of_text|>")])
def test_the_chat_template_that_the_documentation_ships_makes_the_cards_prompt(name, begin):
    text = (Path(__file__).parents[2] / "docs" / "vllm.md").read_text(encoding="utf-8")
    template = text.partition(f"{name}:\n\n```jinja\n")[2].partition("```")[0]
    made = jinja2.Template(template).render(
        messages=[{"role": "user", "content": "Write {prompt}."}],
        add_generation_prompt=True,
        bos_token="<|begin_of_text|>",
    )
    card = find_card(f"THUDM/{name}")
    assert made == begin + card.prompt.replace("{prompt}", "Write {prompt}.")
