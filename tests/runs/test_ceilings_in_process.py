"""An engine in this process shows its context as a ceiling too."""

from __future__ import annotations

import importlib.util
import json
import os
import struct

import pytest
from samples import Notes, write_suite

from longbench_write import evaluate
from longbench_write.backends.gguf import context_length, read_header
from longbench_write.backends.hf_folder import embedded_folder
from longbench_write.backends.local import find_model

CONTEXT = 512
LENGTHS = (900, 3000, 20000)
SAID_BEFORE = (90, 70, 80)
"""Sentences of five tokens in front of each prompt, so that few tokens are left to be written."""


def long_prompts(folder):
    path = write_suite(folder, LENGTHS)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line, sentences in zip(lines, SAID_BEFORE, strict=True):
        line["prompt"] = "The river is deep. " * sentences + line["prompt"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(tmp_path, notes, **engine):
    summary = evaluate(
        suite=str(long_prompts(tmp_path)),
        judge="none",
        out=tmp_path / "out",
        max_tokens=2000,
        gen={"ignore_eos": True},  # the small model would end some answers before
        progress=notes,
        **engine,
    )
    assert summary.counts["truncated"] >= 2
    assert summary.reach["prompts"] >= 2
    return summary


def expect(summary, notes, source):
    (found,) = summary.ceilings
    assert (found["role"], found["kind"], found["tokens"], found["source"]) == (
        *("writer", "context"),
        CONTEXT,
        source,
    )
    assert found["count"] == summary.counts["truncated"]
    told = next(note for note in notes.notes if "ceiling" in note)
    assert f"{CONTEXT} tokens of prompt and answer" in told
    assert "in this process" in told
    assert "--max-tokens" in told
    assert "server" not in told.replace("the server or the engine", "")


@pytest.mark.vllm
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed")
@pytest.mark.filterwarnings("ignore")  # vLLM's own
def test_vllm(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "VLLM_CPU_KVCACHE_SPACE", "2")
    notes = Notes()
    summary = run(
        tmp_path,
        notes,
        model=str(embedded_folder("local/smollm2-135m")),
        backend="vllm",
        max_model_len=CONTEXT,
        dtype="float32",
        gpu_memory_utilization=0.3,
        engine_arg={"enforce_eager": True},
    )
    expect(summary, notes, "models")


def with_context(path, copy, context):
    """Copy a GGUF file, and say in the copy's header that the model was trained on another context."""
    key = b"llama.context_length" + struct.pack("<I", 4)
    trained = context_length(read_header(path), path)
    old, new = (key + struct.pack("<I", tokens) for tokens in (trained, context))
    data = path.read_bytes()
    assert data.count(old) == 1
    copy.write_bytes(data.replace(old, new))
    return copy


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_model(tmp_path):
    model = with_context(find_model("local/smollm2-135m"), tmp_path / "small.gguf", CONTEXT)
    notes = Notes()
    summary = run(tmp_path, notes, model=f"local/{model}", concurrency=1)
    expect(summary, notes, "cut")
