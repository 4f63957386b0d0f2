"""A server that serves another model under the old name is found out before anything is asked."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
import yaml
from samples import write_suite
from servers.openai_server import Answer, OpenAIServer, in_turn, judge_reply, writer

from longbench_write.compare.comparable import terms
from longbench_write.compare.loading import load_scores
from longbench_write.config import build_config
from longbench_write.errors import LbwError
from longbench_write.runs.evaluation import start_evaluation
from longbench_write.runs.observer import Observer

VLLM = {"root": "/models/step-100", "max_model_len": 8192}


class Noting(Observer):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def lbw(tmp_path):
    suite = write_suite(tmp_path)

    def run(server, **more):
        observer = Noting()
        given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "out": tmp_path / "out"}
        config = build_config(given | {"judge": "none", "concurrency": 1} | more)
        outcome = asyncio.run(start_evaluation(config, observer)())
        return outcome, observer.notes

    return run


def manifest(outcome):
    return yaml.safe_load((outcome.path / "run.yaml").read_text(encoding="utf-8"))


def names_the_model(notes):
    """Whether one of the notes is about the model, which is called m."""
    return any(re.search(r"\bm\b", note) for note in notes)


def test_what_is_served_is_recorded(lbw):
    with OpenAIServer(writer(20)) as server:
        server.listed = VLLM | {"created": 1_700_000_000}
        outcome, _ = lbw(server)
    assert manifest(outcome)["served"] == {"id": "m", "created": 1_700_000_000} | VLLM


@pytest.mark.parametrize("limit", [2, None])
@pytest.mark.parametrize("changed", [{"root": "/models/step-200"}, {"created": 1_700_000_001}])
def test_another_model_under_the_old_name_ends_with_1_before_any_request(lbw, limit, changed):
    with OpenAIServer(writer(20)) as server:
        server.listed = VLLM | {"created": 1_700_000_000}
        lbw(server, limit=2)
        server.listed = server.listed | changed
        with pytest.raises(LbwError) as caught:
            lbw(server, limit=limit)
        assert caught.value.exit_code == 1
        assert "--tag" in str(caught.value)
        assert "--fresh" in str(caught.value)
        assert len(server.requests) == 2
        tagged, _ = lbw(server, limit=2, tag="step-200")
        assert len(server.requests) == 4
        fresh, _ = lbw(server, limit=2, fresh=True)
        assert len({tagged.path, fresh.path}) == 2
        assert len(server.requests) == 6


def test_a_name_that_stands_for_another_is_told_by_the_only_one_that_is_listed(lbw):
    with OpenAIServer(writer(20), models=["qwen-7b.gguf"]) as server:
        assert manifest(lbw(server, limit=1)[0])["served"]["id"] == "qwen-7b.gguf"
        server.models = ["llama-8b.gguf"]
        with pytest.raises(LbwError):
            lbw(server)
        assert len(server.requests) == 1


def test_the_time_of_the_call_says_nothing(lbw):
    with OpenAIServer(writer(20)) as server:
        server.listed = {"created": int(time.time())}
        outcome, _ = lbw(server, limit=1)
        assert "created" not in manifest(outcome)["served"]
        server.listed = {"created": int(time.time()) + 5}
        lbw(server)


def test_another_context_is_noted_and_never_refused(lbw):
    with OpenAIServer(writer(20)) as server:
        server.listed = VLLM
        lbw(server, limit=1)
        server.listed = VLLM | {"max_model_len": 4096}
        outcome, notes = lbw(server)
        assert any("4096" in note for note in notes)
    assert outcome.owed.total == 0


@pytest.mark.parametrize("listed", [None, {"id": 7}, {"id": ["m"]}, {"root": None, "created": "soon"}])
def test_a_list_that_says_nothing_is_unchecked(lbw, listed):
    with OpenAIServer(writer(20)) as server:
        server.listed = VLLM
        lbw(server)
        server.listed = listed
        server.models = ("other", "another") if listed else server.models
        outcome, notes = lbw(server)
        assert str(manifest(outcome)["start"]) in notes[0]
        assert names_the_model(notes[1:])
        assert outcome.owed.total == 0
        assert len(server.requests) == 8


def test_a_server_that_is_gone_is_unchecked_where_nothing_is_owed(lbw):
    with OpenAIServer(writer(20)) as server:
        lbw(server)
    outcome, notes = lbw(server)
    assert outcome.owed.total == 0
    assert str(manifest(outcome)["start"]) in notes[0]
    assert names_the_model(notes[1:])


def test_a_key_that_is_not_set_is_no_fault_where_nothing_is_owed(lbw, monkeypatch):
    monkeypatch.setenv("THE_KEY", "sk-very-secret-4711")
    with OpenAIServer(writer(20)) as server:
        lbw(server, api_key_env="THE_KEY")
        monkeypatch.delenv("THE_KEY")
        outcome, _ = lbw(server, api_key_env="THE_KEY")
    assert outcome.owed.total == 0


def test_a_run_that_stopped_before_its_first_answer_knows_its_model(lbw):
    with OpenAIServer(in_turn(Answer(status=401))) as server:
        server.listed = VLLM
        with pytest.raises(LbwError):
            lbw(server)
        server.answer = writer(20)
        server.listed = VLLM | {"root": "/models/step-200"}
        with pytest.raises(LbwError, match="step-200"):
            lbw(server)
        assert len(server.requests) == 1


@pytest.fixture
def judging(tmp_path):
    folder = tmp_path / "judge"
    folder.mkdir()
    (folder / "judge.yaml").write_text("description: x\nmodel: j\ntemplate: t.txt\n")
    (folder / "t.txt").write_text("$INST$ $RESPONSE$")
    return lambda judges: {"judge": str(folder), "judge_base_url": [judges.base_url]}


def test_a_judge_that_is_another_model_under_its_name_is_asked_nothing(lbw, judging):
    with OpenAIServer(writer(20)) as server, OpenAIServer(judge_reply(), models=["j"]) as judges:
        judges.listed = {"root": "/models/j1"}
        first, _ = lbw(server, limit=2, **judging(judges))
        entry = manifest(first)["judges"]["judge"]
        assert entry["backend"] == {"kind": "openai", "served": {"id": "j", "root": "/models/j1"}}
        assert first.summary.judge_backend_sha256 == entry["backend_sha256"] is not None
        judges.listed = {"root": "/models/j2"}
        with pytest.raises(LbwError) as caught:
            lbw(server, **judging(judges))
        assert caught.value.exit_code == 1
        assert len(judges.requests) == 2
        judges.listed = None
        unknown, _ = lbw(server, **judging(judges))
        assert unknown.summary.judge_backend_sha256 == entry["backend_sha256"]
        again, _ = lbw(server, fresh=True, **judging(judges))
        assert again.summary.judge_backend_sha256 is None
        judges.listed = {"root": "/models/j2"}
        other, _ = lbw(server, fresh=True, **judging(judges))
    assert other.summary.judge_sha256 == first.summary.judge_sha256
    old, new, silent = (load_scores(outcome.path) for outcome in (unknown, other, again))
    assert sum(note.startswith("WARNING") for note in terms(old, new).notes) == 1
    assert not any(note.startswith("WARNING") for note in terms(old, silent).notes)
