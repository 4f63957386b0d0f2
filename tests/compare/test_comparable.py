"""On what terms two runs are compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from gate_samples import Wrote, made, write_run
from samples import RUN_INFO

from longbench_write.compare.baseline import baseline_text
from longbench_write.compare.comparable import terms
from longbench_write.compare.loading import load_scores

WROTE = {f"p-{number}": Wrote(100, 90) for number in range(3)}


def asked(folder: Path, **hashes: str) -> Path:
    """A run whose predictions say these hashes of what was asked."""
    run = write_run(folder, WROTE)
    path = run / "predictions.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        if name := hashes.get(record["id"].replace("-", "_")):
            record["prompt_sha256"] = name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return run


def notes(a, b):
    return [note for note in terms(a, b).notes if "prompt_sha256" in note]


def test_prompts_that_were_asked_otherwise_are_said_and_counted(tmp_path):
    one = load_scores(asked(tmp_path / "a", p_0="1", p_1="2", p_2="3"))
    other = load_scores(asked(tmp_path / "b", p_0="1", p_1="9", p_2="3"))
    silent = load_scores(write_run(tmp_path / "c", WROTE))
    (note,) = notes(one, other)
    assert "1 of 3" in note
    assert "p-1" in note
    assert notes(one, one) == notes(one, silent) == notes(silent, silent) == []


def test_a_baseline_keeps_what_was_asked(tmp_path):
    run = load_scores(asked(tmp_path / "a", p_0="1", p_2="3"))
    path = tmp_path / "kept.json"
    path.write_text(baseline_text(run))
    kept = load_scores(path)
    assert kept.prompt_hashes == run.prompt_hashes == {"p-0": "1", "p-2": "3"}
    assert len(notes(kept, load_scores(asked(tmp_path / "b", p_0="2", p_2="3")))) == 1


@pytest.mark.parametrize(("backend", "said"), [("openai", 1), ("vllm", 0)])
def test_hashes_of_tokens_and_of_messages_are_not_set_beside_each_other(backend, said):
    one = replace(made([[50]]), kept_hashes={"p-000": "1"})
    other = made([[50]], settings=RUN_INFO.settings | {"backend": backend})
    assert len(notes(one, replace(other, kept_hashes={"p-000": "2"}))) == said


def test_what_was_in_force_is_compared():
    one = RUN_INFO.settings | {"top_k": 50, "template": "aaaaaaaaaaaa"}
    other = RUN_INFO.settings | {"top_k": 0, "template": "bbbbbbbbbbbb"}
    notes = " ".join(terms(made([[50]], settings=one), made([[50]], settings=other)).notes)
    assert "top_k 50 → 0" in notes
    assert "template aaaaaaaaaaaa → bbbbbbbbbbbb" in notes
