"""What reaches vLLM's engine for the two LongWriter models, pinned."""

import pytest
from tiny_tokenizer import GLM4, LLAMA31

from longbench_write.backends.base import Sampling, derived_seed
from longbench_write.backends.model_cards import find_card, load_cards
from longbench_write.backends.vllm.backend import sampling_values
from longbench_write.backends.vllm.prompts import choose_format, stop_token_ids

PROMPT = "Write a guide to rivers of 10000 words. 写长一点"
SEED = derived_seed(42, "lbw-1", 0)


def request(model, tokenizer, generation_config, room=100_000):
    """The prompt's text and tokens, and the sampling, as the backend puts them together."""
    card = find_card(model)
    ids = choose_format(None, card).token_ids(tokenizer, [{"role": "user", "content": PROMPT}])
    sampling = Sampling(max_tokens=32768, temperature=0.5, seed=SEED)
    defaults = {**generation_config, **card.sampling}
    values = sampling_values(sampling, room, defaults, stop_token_ids(tokenizer, card.stop))
    return tokenizer.decode(ids), ids, values


@pytest.mark.parametrize("owner", ["THUDM", "zai-org"])
def test_longwriter_glm4_9b(owner):
    text, ids, values = request(
        f"{owner}/LongWriter-glm4-9b", GLM4, {"temperature": 0.8, "top_p": 0.8}, room=40_000
    )
    assert text == f"[gMASK]<sop><|user|>\n{PROMPT}<|assistant|>"
    assert ids[:3] == [151331, 151333, 151336]
    assert ids.count(151333) == 1
    assert ids[-1] == 151337
    assert values == {
        "temperature": 0.5,
        "top_p": 0.8,
        "seed": SEED,
        "max_tokens": 32768,
        "stop_token_ids": [151329, 151336, 151338],
    }


@pytest.mark.parametrize("owner", ["THUDM", "zai-org"])
def test_longwriter_llama31_8b(owner):
    text, ids, values = request(
        f"{owner}/LongWriter-llama3.1-8b", LLAMA31, {"temperature": 0.6, "top_p": 0.9}
    )
    assert text == f"<|begin_of_text|>[INST]{PROMPT}[/INST]"
    assert ids.count(128000) == 1
    assert values == {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": SEED,
        "max_tokens": 32768,
        "stop_token_ids": [128001],
    }


def test_only_the_glm_model_needs_code_from_its_repository():
    assert {card.name: card.trust_remote_code for card in load_cards()} == {
        "LongWriter-glm4-9b": True,
        "LongWriter-llama3.1-8b": False,
    }


def test_a_folder_is_a_cards_model_if_it_bears_its_name(tmp_path):
    folder = tmp_path / "LongWriter-llama3.1-8b"
    folder.mkdir()
    assert find_card(str(folder)) == find_card("THUDM/LongWriter-llama3.1-8b")
    assert find_card(str(folder) + "/").prompt == "[INST]{prompt}[/INST]"
    assert find_card(str(tmp_path)) is None
    assert find_card("someone/LongWriter-llama3.1-8b") is None
    assert find_card("LongWriter-llama3.1-8b") is None


def test_a_user_may_choose_another_format_than_the_cards():
    card = find_card("THUDM/LongWriter-llama3.1-8b")
    assert choose_format("raw", card).pattern == "{prompt}"
    assert choose_format("chat", card).pattern is None
