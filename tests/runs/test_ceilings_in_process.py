"""Engines in this process show their context as a ceiling too, each by its own path."""

from __future__ import annotations

import importlib.util
import os
import struct

import pytest
from samples import write_suite

from longbench_write import evaluate
from longbench_write.backends.hf_folder import embedded_folder
from longbench_write.backends.local import find_model
from longbench_write.runs.observer import Observer

CONTEXT = 512
LENGTHS = (900, 3000, 500, 20000)
KEY = b"llama.context_length"


class Notes(Observer):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def ceilings_of(tmp_path, notes, **engine):
    summary = evaluate(
        suite=str(write_suite(tmp_path, LENGTHS)),
        judge="none",
        out=tmp_path / "out",
        max_tokens=2000,
        gen={"ignore_eos": True},  # the small model would end some answers before
        progress=notes,
        **engine,
    )
    assert summary.counts["truncated"] == len(LENGTHS)
    assert summary.reach["prompts"] == len(LENGTHS)
    return summary.ceilings


def expect(found, notes, source):
    assert found == [
        {"role": "writer", "kind": "context", "tokens": CONTEXT, "count": len(LENGTHS), "source": source}
    ]
    (told,) = (note for note in notes.notes if "ceiling" in note)
    assert "in this process" in told
    assert "server" not in told.replace("the server or the engine", "")


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_model(tmp_path):
    raw = find_model("local/smollm2-135m").read_bytes()
    at = raw.index(KEY) + len(KEY)
    assert struct.unpack_from("<I", raw, at) == (4,)  # its type: a number of 32 bits
    path = tmp_path / "short.gguf"
    path.write_bytes(raw[: at + 4] + struct.pack("<I", CONTEXT) + raw[at + 8 :])
    notes = Notes()
    expect(ceilings_of(tmp_path, notes, model=f"local/{path}", concurrency=2), notes, "cut")


@pytest.mark.vllm
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed")
@pytest.mark.filterwarnings("ignore")  # vLLM's own
def test_vllm(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "VLLM_CPU_KVCACHE_SPACE", "2")
    notes = Notes()
    found = ceilings_of(
        tmp_path,
        notes,
        model=str(embedded_folder("local/smollm2-135m")),
        backend="vllm",
        max_model_len=CONTEXT,
        dtype="float32",
        gpu_memory_utilization=0.3,
        engine_arg={"enforce_eager": True},
    )
    expect(found, notes, "models")
