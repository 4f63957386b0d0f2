"""Whole runs with --backend hf: to the end, killed, interrupted, with an adapter."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
from contextlib import suppress

import pytest
from longwriter_runs import COMMAND, FIRST, WORDS, manifest, plant_code, predictions, run, run_glm4
from tiny_models import llama31_tokenizer, write_adapter, write_glm4, write_llama31

from longbench_write.backends.hashes import tokens_sha256

pytestmark = [
    pytest.mark.hf,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("torch", "accelerate", "peft"))),
        reason="the hf extra is not installed",
    ),
    pytest.mark.filterwarnings("ignore"),  # torch's and transformers' own
]

HF = [*WORDS, "--backend", "hf", "--device-map", "cpu"]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("repaired", [False, True], ids=["of 2024", "repaired"])
def test_longwriter_glm4_9b_runs_without_code_from_its_repository(tmp_path, repaired):
    about = run_glm4(tmp_path, *HF, repaired=repaired)
    sampling = about["sampling"]
    assert (sampling["temperature"], sampling["top_p"], sampling["top_k"]) == (0.5, 0.8, 50)
    assert about["engine"]["name"] == "transformers"


def test_code_of_a_repository_is_run_where_it_is_trusted(tmp_path):
    folder = write_glm4(tmp_path / "LongWriter-glm4-9b")
    ran = plant_code(folder)
    run(tmp_path, "--model", str(folder), *HF, "--trust-remote-code", "--engine-arg", f"tokenizer={folder}")
    assert ran.exists()


def test_longwriter_llama31_8b_runs(tmp_path):
    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    done = run(tmp_path, "--model", str(folder), *HF, "--gen", "repetition_penalty=1.1")
    assert done.returncode == 0, done.stderr
    tokenizer = llama31_tokenizer()
    for record in predictions(tmp_path):
        assert record["error"] is None
        ids = tokenizer.encode(f"[INST]{record['prompt']}[/INST]")
        assert record["prompt_sha256"] == tokens_sha256(ids)
    about = manifest(tmp_path)
    assert about["sampling"]["repetition_penalty"] == 1.1
    assert about["stop"] == [FIRST + 1, FIRST + 4]


def test_an_adapter_is_another_run(tmp_path):
    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    adapter = write_adapter(tmp_path / "adapter", folder)
    greedy = [*HF, "--temperature", "0"]
    assert run(tmp_path / "base", "--model", str(folder), *greedy).returncode == 0
    done = run(tmp_path / "named", "--model", str(folder), *greedy, "--adapter", str(adapter))
    assert done.returncode == 0, done.stderr
    assert run(tmp_path / "itself", "--model", str(adapter), *greedy).returncode == 0
    base, named, itself = (
        {record["id"]: record["response"] for record in predictions(tmp_path / place)}
        for place in ("base", "named", "itself")
    )
    assert base != named == itself
    assert manifest(tmp_path / "base")["identity"] != manifest(tmp_path / "named")["identity"]


def recorded(tmp_path):
    """How many bytes of responses a run has recorded."""
    return sum(path.stat().st_size for path in (tmp_path / "out").glob("*/*/*/predictions.jsonl"))


def begun(tmp_path, *words):
    """Start a run, and wait until it has recorded a response."""
    before = recorded(tmp_path)
    command = [*COMMAND, *words, "--out", str(tmp_path / "out")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while child.poll() is None and recorded(tmp_path) == before:
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.05)
    return child


def test_a_run_that_is_killed_and_interrupted_ends_as_if_it_had_not_been(tmp_path):
    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    words = ["--model", str(folder), *HF, "--limit", "12", "--max-tokens", "400", "--concurrency", "2"]
    whole = run(tmp_path / "whole", *words)
    assert whole.returncode == 0, whole.stderr
    for sent, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)):
        child = begun(tmp_path / "cut", *words)
        os.kill(child.pid, sent)
        _, told = child.communicate(timeout=120)
        assert child.returncode == code, told
        assert len(predictions(tmp_path / "cut")) < 12
    again = run(tmp_path / "cut", *words)
    assert again.returncode == 0, again.stderr

    def texts(place):
        return {record["id"]: record["response"] for record in predictions(tmp_path / place)}

    assert texts("cut") == texts("whole")
