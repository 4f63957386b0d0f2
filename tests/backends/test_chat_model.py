"""What is noticed of a model before its weights are read, whatever engine runs it."""

import pytest
from tiny_models import CHATML, tokenizer

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.chat_model import chat_model
from longbench_write.errors import UsageError

MADE = tokenizer(("<|endoftext|>", "<|im_start|>", "<|im_end|>"), template=CHATML, eos_token="<|endoftext|>")
END, LAST = (MADE.convert_tokens_to_ids(text) for text in ("<|endoftext|>", "<|im_end|>"))


def noticed(generation, *, model="some/model", model_type=None):
    return chat_model(BackendSpec("vllm", model), lambda: MADE, generation, model_type=model_type)


def test_the_end_of_turn_that_a_generation_config_leaves_out_is_a_stop_and_said():
    found = noticed({"eos_token_id": END})
    assert found.stop == (LAST,)
    assert found.about()["stop"] == sorted([END, LAST])
    assert [note for note in found.notes if "<|im_end|>" in note]


@pytest.mark.parametrize("named", [[END, LAST], LAST])
def test_one_that_it_names_is_not_said(named):
    found = noticed({"eos_token_id": named})
    assert (found.stop, found.notes) == ((), [])


def test_a_chatglm_model_to_which_no_card_applies_is_warned_about():
    known = {"eos_token_id": [END, LAST]}
    (told,) = noticed(known, model_type="chatglm").notes
    assert "LongWriter-glm4-9b" in told
    assert noticed(known, model_type="llama").notes == []


def test_a_card_of_another_models_tokens_is_refused():
    with pytest.raises(UsageError, match="another model"):
        noticed({}, model="THUDM/LongWriter-glm4-9b", model_type="chatglm")
