"""What of the hf backend needs neither torch nor a model."""

import subprocess
import sys

import pytest

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.hf.backend import HFBackend
from longbench_write.backends.hf.chatglm import glm_config
from longbench_write.backends.hf.options import check_engine_args, check_installed, dtype_name
from longbench_write.backends.registry import BACKENDS, choose_backend, understanding
from longbench_write.errors import UsageError


def test_it_is_asked_for_by_name_and_never_chosen():
    assert BACKENDS.get("hf") is HFBackend
    assert choose_backend("org/model")[0] == "vllm"
    assert choose_backend("org/model", requested="hf")[0] == "hf"


async def test_without_what_it_needs_a_backend_does_not_open(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"longbench-write\[hf\]"):
        HFBackend.prepare(BackendSpec("hf", "org/model"), lambda done, total: None)
    with pytest.raises(UsageError, match=r"longbench-write\[hf\]"):
        async with HFBackend(BackendSpec("hf", "org/model")):
            pass


def test_peft_is_needed_for_adapters_alone(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "peft" else name)
    check_installed()
    with pytest.raises(UsageError, match="peft"):
        check_installed(adapter=True)


def test_an_unknown_engine_argument_gets_the_nearest_name():
    check_engine_args({"attn_implementation": "eager", "dtype": "bfloat16", "device_map": "auto"})
    with pytest.raises(UsageError, match="did you mean 'attn_implementation'"):
        check_engine_args({"attention_implementation": "eager"})


@pytest.mark.parametrize(
    ("given", "name"),
    [(None, "auto"), ("half", "float16"), ("torch.bfloat16", "bfloat16"), ("float", "float32")],
)
def test_types_have_torchs_names(given, name):
    assert dtype_name({"dtype": given}) == name


def test_an_unknown_type_gets_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'bfloat16'"):
        check_engine_args({"dtype": "bfloat17"})


def test_a_file_is_no_model_here(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    with pytest.raises(UsageError, match="local/"):
        HFBackend.prepare(BackendSpec("hf", str(tmp_path / "m.gguf")), lambda done, total: None)


def test_options_that_it_lacks_are_vllms_and_the_device_map_is_its_own():
    assert understanding("tensor_parallel_size")[0] == "vllm"
    assert understanding("device_map") == ("hf", "transformers")


@pytest.mark.parametrize("values", [{"rmsnorm": False}, {"add_bias_linear": True}, {"quantization_bit": 4}])
def test_a_chatglm_of_another_kind_is_refused_before_its_weights_are_read(values):
    with pytest.raises(UsageError, match=next(iter(values))):
        glm_config("org/chatglm", values)


def test_importing_the_backend_imports_nothing_heavy():
    heavy = {"torch", "transformers", "peft", "yaml", "jinja2", "openai", "numpy"}
    code = f"import sys, longbench_write.backends.hf.backend; print({heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
