"""An engine in this process shows its context as a ceiling too."""

from __future__ import annotations

import importlib.util
import os

import pytest
from samples import Notes, write_suite

from longbench_write import evaluate
from longbench_write.backends.hf_folder import embedded_folder

CONTEXT = 512
LENGTHS = (900, 3000, 500, 20000)


def run(tmp_path, notes, **engine):
    summary = evaluate(
        suite=str(write_suite(tmp_path, LENGTHS)),
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
    assert "in this process" in told
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
