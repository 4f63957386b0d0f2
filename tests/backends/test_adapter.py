"""Which model a LoRA adapter is for, and what engines are told of it."""

import json

import pytest

from longbench_write.backends.adapter import with_adapter
from longbench_write.backends.base import BackendSpec
from longbench_write.backends.model_identity import model_identity
from longbench_write.backends.vllm.backend import VLLMBackend
from longbench_write.backends.vllm.lora import adapter_arguments
from longbench_write.errors import UsageError


@pytest.fixture
def adapter(tmp_path):
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "org/base", "r": 12, "rank_pattern": {"q_proj": 40}})
    )
    (folder / "adapter_model.safetensors").write_bytes(b"1234")
    return folder


def spec(model="org/base", **values):
    return BackendSpec("vllm", model, **values)


def test_a_folder_that_is_an_adapter_names_its_base_model(adapter):
    told = []
    made = with_adapter(spec(str(adapter)), told.append)
    assert (made.model, made.adapter) == ("org/base", str(adapter))
    assert len(told) == 1
    assert "org/base" in told[0]


def test_a_merged_model_is_a_model(adapter):
    (adapter / "config.json").write_text("{}")
    assert with_adapter(spec(str(adapter)), print) == spec(str(adapter))


def test_room_is_made_for_its_largest_rank(adapter):
    assert adapter_arguments(str(adapter)) == {"enable_lora": True, "max_loras": 1, "max_lora_rank": 64}
    assert adapter_arguments(None) == {}
    (adapter / "adapter_config.json").write_text(json.dumps({"r": 1000}))
    with pytest.raises(UsageError, match="1000"):
        adapter_arguments(str(adapter))


@pytest.mark.parametrize(
    "values",
    [{"adapter": "/nowhere"}, {"engine_args": {"enable_lora": True}}],
)
def test_the_base_model_is_never_asked_in_an_adapters_place(values):
    with pytest.raises(UsageError, match="--adapter"):
        VLLMBackend.configure(spec(**values), print)


def test_an_adapter_that_names_no_base_is_refused(adapter):
    (adapter / "adapter_config.json").write_text("{}")
    with pytest.raises(UsageError, match="--adapter"):
        with_adapter(spec(str(adapter)), print)


def test_another_adapter_is_another_run(adapter):
    one = model_identity(spec(adapter=str(adapter)), print, placement=())
    assert one["weights"] is None
    (adapter / "adapter_model.safetensors").write_bytes(b"12345")
    assert model_identity(spec(adapter=str(adapter)), print, placement=()) != one
