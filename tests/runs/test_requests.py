"""What a user sets in each request: that it is sent, recorded, and tells runs apart."""

from __future__ import annotations

import asyncio

import pytest
import yaml
from samples import write_suite
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write.backends.environment import read_env_file
from longbench_write.config import build_config
from longbench_write.errors import LbwError, UsageError
from longbench_write.runs.evaluation import start_evaluation
from longbench_write.runs.observer import Observer

MORE = {
    "gen": ["top_p=0.8", "chat_template_kwargs.enable_thinking=false"],
    "system": "Be long.",
    "extra_body": '{"provider": {"only": ["p"]}}',
    "header": ["X-Org=MY_ORG"],
    "seed": "none",
    "temperature": "default",
    "max_tokens_field": "max_output_tokens",
}


class Noting(Observer):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def lbw(tmp_path, monkeypatch):
    suite = write_suite(tmp_path)
    monkeypatch.chdir(tmp_path)

    def run(server, **more):
        given = {"model": "m", "suite": str(suite), "out": tmp_path / "out", "judge": "none", "limit": 4}
        urls = {"base_url": [server.base_url]} if server else {}
        observer = Noting()
        outcome = asyncio.run(start_evaluation(build_config(given | urls | more), observer)())
        return (
            yaml.safe_load((outcome.path / "run.yaml").read_text(encoding="utf-8")),
            outcome,
            observer.notes,
        )

    yield run
    read_env_file(None, print)


def strict(*refused):
    """A server that refuses these parameters, one after the other, and says what it wants for the limit."""

    def answer(body, number):
        for name in refused:
            if name in body:
                told = f"'{name}' is not supported with this model."
                return Answer(
                    status=400, error={"message": told, "param": name, "code": "unsupported_parameter"}
                )
        return writer(20)(body, number)

    return answer


def test_what_is_set_is_sent_and_recorded(lbw, monkeypatch):
    monkeypatch.setenv("MY_ORG", "org-0123456789abcdef")
    with OpenAIServer(writer(20)) as server:
        manifest, outcome, _ = lbw(server, **MORE)
        for request in server.requests:
            body = request.body
            assert body["top_p"] == 0.8
            assert body["chat_template_kwargs"] == {"enable_thinking": False}
            assert body["messages"][0] == {"role": "system", "content": "Be long."}
            assert body["provider"] == {"only": ["p"]}
            assert body["max_output_tokens"] == 32768
            assert body.keys().isdisjoint({"seed", "temperature", "max_tokens"})
            assert request.headers["x-org"] == "org-0123456789abcdef"
    assert outcome.owed.total == 0
    assert manifest["sampling"] == {
        "max_tokens": 32768,
        "temperature": None,
        "seed": None,
        "top_p": 0.8,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    assert manifest["config"]["header"] == {"X-Org": "MY_ORG"}
    assert manifest["config"]["system"] == "Be long."
    assert "org-0123456789abcdef" not in (outcome.path / "run.yaml").read_text(encoding="utf-8")


def test_what_is_set_stands_beside_the_scores(lbw):
    with OpenAIServer(writer(20)) as server:
        plain = lbw(server)[1].summary
        more = lbw(server, gen=MORE["gen"], system="Be long. " * 20)[1].summary
    assert plain.settings.keys() == {"backend", "temperature", "max_tokens", "seed"}
    assert more.settings["top_p"] == 0.8
    assert more.settings["chat_template_kwargs"] == '{"enable_thinking": false}'
    assert more.settings["system"].startswith("sha256 ")


def test_what_changes_no_number_changes_no_run(lbw, monkeypatch):
    monkeypatch.setenv("MY_ORG", "o")
    with OpenAIServer(writer(20)) as server:
        plain = lbw(server)[1].path
        assert lbw(server, max_tokens_field="max_completion_tokens")[1].path == plain
        assert lbw(server, header=["X-Org=MY_ORG"])[1].path == plain
        others = {
            lbw(server, **{name: MORE[name]})[1].path for name in ("gen", "system", "extra_body", "seed")
        }
        assert len(others | {plain}) == 5


def test_a_refusal_that_changes_no_number_is_answered_said_and_recorded(lbw):
    with OpenAIServer(strict("max_tokens", "stream_options")) as server:
        manifest, outcome, notes = lbw(server)
    assert outcome.owed.total == 0
    assert manifest["adjusted"] == {
        "m": {"max_tokens": "max_completion_tokens", "stream_options": "left out"}
    }
    assert sum("max_completion_tokens" in note for note in notes) == 1


def test_a_strict_server_has_a_documented_way_to_a_finished_run(lbw):
    ways = {
        "--seed none": {"seed": "none"},
        "--temperature default": {"temperature": "default"},
        "top_p out of --gen": {"gen": ["top_k=5"]},
    }
    given = {"gen": ["top_k=5", "top_p=0.9"]}
    with OpenAIServer(
        strict("max_tokens", "seed", "temperature", "top_p", "stream_options", "stream")
    ) as server:
        for _ in range(len(ways)):
            with pytest.raises(LbwError) as caught:
                lbw(server, **given)
            (way,) = [way for way in ways if way in str(caught.value)]
            given |= ways.pop(way)
        _, outcome, _ = lbw(server, **given)
    assert not ways
    assert outcome.owed.total == 0


def test_a_server_of_the_environment_is_asked(lbw, monkeypatch):
    with OpenAIServer(writer(20)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        manifest, outcome, notes = lbw(None)
        assert server.requests[0].headers["authorization"] == "Bearer EMPTY"
    assert outcome.owed.total == 0
    assert manifest["backend"]["base_urls"] == [server.base_url]
    assert any("OPENAI_BASE_URL" in note for note in notes)


def test_a_key_of_the_environment_is_not_sent_to_a_checkouts_server(lbw, tmp_path, monkeypatch):
    with OpenAIServer(writer(20)) as server:
        (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={server.base_url}\n")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
        monkeypatch.setattr(
            "longbench_write.backends.openai.backend.DEFAULT_BASE_URL", "http://127.0.0.1:9/v1"
        )
        with pytest.raises(LbwError):
            lbw(None)
        assert server.requests == []
        (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={server.base_url}\nMY_KEY=of-the-file\n")
        assert lbw(None, api_key_env="MY_KEY")[1].owed.total == 0
        assert server.requests[0].headers["authorization"] == "Bearer of-the-file"


def test_options_for_servers_are_refused_where_there_is_none(lbw):
    for name in ("extra_body", "header", "max_tokens_field"):
        with pytest.raises(UsageError, match=name.replace("_", "-")):
            lbw(None, **{"model": "local/smollm2-135m", name: MORE[name]})
