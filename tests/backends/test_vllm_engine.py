"""What of the vLLM backend needs no vLLM."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.hf_folder import find_folder
from longbench_write.backends.vllm.backend import TOO_NEW, VLLMBackend, check_installed, sampling_values
from longbench_write.backends.vllm.loading import unused_gpus
from longbench_write.backends.vllm.options import check_engine_args
from longbench_write.errors import UsageError

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
SCHEMA = {"type": "object"}


def test_the_request_comes_before_the_models_own_sampling():
    values = sampling_values(
        Sampling(100, temperature=0.5, seed=7), 1000, {"temperature": 0.8, "top_p": 0.9, "max_tokens": 5}, [3]
    )
    assert values == {"temperature": 0.5, "top_p": 0.9, "seed": 7, "max_tokens": 100, "stop_token_ids": [3]}


def test_what_the_request_leaves_open_is_the_models_own():
    values = sampling_values(Sampling(100), 60, {"temperature": 0.8}, [])
    assert values == {"temperature": 0.8, "max_tokens": 60, "stop_token_ids": []}
    assert "temperature" not in sampling_values(Sampling(100), 60, {}, [])


def test_greedy_is_a_wish_too():
    assert sampling_values(Sampling(9, temperature=0.0), 60, {"temperature": 0.8}, [])["temperature"] == 0.0


@pytest.mark.parametrize(
    ("sampling", "forced"),
    [
        (Sampling(9, json_schema=SCHEMA), {"json": SCHEMA, "disable_any_whitespace": True}),
        (Sampling(9, json_object=True), {"json_object": True, "disable_any_whitespace": True}),
        (Sampling(9), None),
    ],
)
def test_structure_is_forced_as_asked(sampling, forced):
    assert sampling_values(sampling, 60, {}, []).get("structured_outputs") == forced


async def test_without_vllm_a_backend_does_not_open(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    check_engine_args([])
    with pytest.raises(UsageError, match=r"longbench-write\[vllm\]"):
        async with VLLMBackend(BackendSpec("vllm", "org/model")):
            pass


@pytest.mark.parametrize("version", [f"{TOO_NEW}.0.0", f"{TOO_NEW + 1}.2.3rc1+cu129"])
async def test_a_vllm_that_is_too_new_is_refused(monkeypatch, version):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    with pytest.raises(UsageError, match=f"vllm<{TOO_NEW}"):
        async with VLLMBackend(BackendSpec("vllm", "org/model")):
            pass


@pytest.mark.parametrize("version", ["0.24.0", "0.99.1", "dev"])
def test_a_vllm_that_may_be_used_is_taken(monkeypatch, version):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    check_installed()


def test_the_first_vllm_that_is_too_new_is_the_one_that_is_declared():
    extra = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]["vllm"]
    (declared,) = (text for text in extra if text.startswith("vllm"))
    assert declared.endswith(f",<{TOO_NEW}")


def test_an_unknown_embedded_model_gets_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'local/smollm2-135m'"):
        find_folder("local/smollm-135m")
    assert find_folder("org/model") == "org/model"


def test_importing_the_backend_imports_nothing_heavy():
    heavy = {"vllm", "torch", "transformers", "yaml", "jinja2", "openai", "numpy"}
    code = f"import sys, longbench_write.backends.vllm.backend; print({heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("seen", "given", "used"),
    [(8, {}, "1 of 8"), (8, {"tensor_parallel_size": 2}, "2 of 8"), (4, {"data_parallel_size": 2}, "2 of 4")],
)
def test_gpus_that_are_left_out_are_said_with_the_option_that_uses_them(seen, given, used):
    (told,) = unused_gpus(seen, given)
    assert told.startswith(used)
    assert f"--data-parallel-size {seen // int(used[0])}" in told
    assert f"--tensor-parallel-size {seen}" in told


@pytest.mark.parametrize(
    ("seen", "given"),
    [
        (0, {}),
        (1, {}),
        (8, {"tensor_parallel_size": 8}),
        (4, {"tensor_parallel_size": 2, "data_parallel_size": 2}),
    ],
)
def test_nothing_is_said_where_all_are_used(seen, given):
    assert unused_gpus(seen, given) == []
