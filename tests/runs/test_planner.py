"""A planner of its own: another model answers the requests of that role."""

from __future__ import annotations

import asyncio
import json

import pytest
import yaml
from chains import SECTIONS, ChainWriter
from samples import write_suite
from servers.openai_server import Answer, OpenAIServer, judge_reply, writer

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.config import build_config
from longbench_write.errors import BackendError, LbwError, UsageError
from longbench_write.runs.evaluation import start_evaluation
from longbench_write.runs.observer import Observer
from longbench_write.runs.plan import Role
from longbench_write.runs.results import score_run

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
PRICE = {"input": 1.0, "output": 1.0}
PLANNER_PRICE = {"planner_input": 100.0, "planner_output": 100.0}


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path, lengths=(900, 500, 300))


@pytest.fixture
def chain(monkeypatch):
    """The writer of the run."""
    made = ChainWriter()
    monkeypatch.setattr("longbench_write.runs.plan.load_writer", lambda *_: made)
    return made


@pytest.fixture
def planner():
    with OpenAIServer(counted, models=("planner",)) as server:
        yield server


def counted(body, number):
    return Answer("words of " + body["model"], usage=USAGE)


def role(server):
    return Role(OpenAIBackend, BackendSpec("openai", "planner", base_urls=(server.base_url,)))


def run(tmp_path, suite, server, planner, **more):
    given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "out": tmp_path / "out"}
    config = build_config(given | {"judge": "none", "concurrency": 4} | more)
    return asyncio.run(start_evaluation(config, Observer(), planner=planner and role(planner))())


def test_each_role_has_its_own_model_and_price(tmp_path, suite, chain, planner):
    price = PRICE | PLANNER_PRICE
    with OpenAIServer(counted) as server:
        path, summary, _ = run(tmp_path, suite, server, planner, price=price)
        again = run(tmp_path, suite, server, planner, price=price)
        assert (len(server.requests), len(planner.requests)) == (3 * SECTIONS, 3)
        assert {request.body["model"] for request in planner.requests} == {"planner"}
        assert all(request.prompt.startswith("PLAN") for request in planner.requests)
        assert all("words of planner" in request.prompt for request in server.requests)
        assert again.path == path
        alone = run(tmp_path, suite, server, None)
        assert alone.path != path
    assert summary.usage["planner"] == {"completion_tokens": 15, "prompt_tokens": 30}
    assert summary.usage["model"]["completion_tokens"] == 3 * SECTIONS * 5
    expected = {"model": 3 * SECTIONS * 15 / 1e6, "planner": 3 * 15 * 100 / 1e6, "judge": None}
    assert summary.cost == pytest.approx(expected)
    assert again.summary.cost == summary.cost == score_run(path).cost
    assert "planner" not in alone.summary.usage
    manifest = yaml.safe_load((path / "run.yaml").read_text(encoding="utf-8"))
    assert manifest["planner"]["model"] == manifest["identity"]["planner"]["model"] == "planner"
    assert manifest["planner"]["backend"] == {"kind": "openai", "base_urls": [planner.base_url]}


def test_a_limit_on_cost_needs_and_keeps_the_planners_prices(tmp_path, suite, chain, planner):
    with OpenAIServer(counted) as server:
        with pytest.raises(UsageError, match="planner_input"):
            run(tmp_path, suite, server, planner, price=PRICE, max_cost=1.0)
        assert planner.requests == []
        given = {"price": PRICE | PLANNER_PRICE, "max_tokens": 100, "max_cost": 0.019, "concurrency": 1}
        for _ in range(2):
            with pytest.raises(BackendError, match="--max-cost"):
                run(tmp_path, suite, server, planner, **given)
            assert (len(server.requests), len(planner.requests)) == (2 * SECTIONS, 2)


def test_a_planner_that_is_another_model_under_its_name_is_asked_nothing(tmp_path, suite, chain, planner):
    planner.listed = {"root": "/models/one"}
    with OpenAIServer(counted) as server:
        run(tmp_path, suite, server, planner, limit=1)
        planner.listed = {"root": "/models/other"}
        with pytest.raises(LbwError, match="/models/other"):
            run(tmp_path, suite, server, planner)
        assert len(planner.requests) == 1


def test_roles_that_share_a_model_share_its_slots(tmp_path, monkeypatch):
    monkeypatch.setattr(
        OpenAIBackend, "shares", classmethod(lambda cls, one, other: one.model == other.model)
    )
    judge = tmp_path / "judge"
    judge.mkdir()
    (judge / "judge.yaml").write_text("description: x\nmodel: m\ntemplate: t.txt\n")
    (judge / "t.txt").write_text("JUDGE $INST$ $RESPONSE$")

    def answer(body, number):
        judged = body["messages"][-1]["content"].startswith("JUDGE")
        return (judge_reply if judged else writer)(delay=0.02)(body, number)

    suite = write_suite(tmp_path, lengths=range(100, 1300, 100))
    with OpenAIServer(answer) as server:
        given = {"judge": str(judge), "judge_base_url": [server.base_url], "judge_concurrency": 4}
        result = run(tmp_path, suite, server, None, **given)
        assert len(server.requests) == 24
        assert server.peak <= 4
    assert result.summary.counts["judged"] == 12


def test_a_planner_that_shares_the_writers_model_is_not_opened_again(tmp_path, suite, chain, monkeypatch):
    monkeypatch.setattr(OpenAIBackend, "shares", classmethod(lambda cls, one, other: True))
    with OpenAIServer(counted) as server, OpenAIServer(counted) as other:
        run(tmp_path, suite, server, other, limit=1)
        assert (len(server.requests), len(other.requests)) == (SECTIONS + 1, 0)
    (path,) = (tmp_path / "out").glob("*/*/*/steps.jsonl")
    steps = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [step["role"] for step in steps] == ["planner"] + ["writer"] * SECTIONS
