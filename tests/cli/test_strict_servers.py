"""Servers that refuse, or are gone: what a person does until the run is finished, on the command line."""

from __future__ import annotations

import sys

import pytest
import yaml
from samples import write_suite
from servers.answers import field_case
from servers.openai_server import Answer, OpenAIServer, in_turn, judge_reply, writer

from longbench_write import load_run
from longbench_write.cli.app import main


@pytest.fixture
def lbw_eval(tmp_path, monkeypatch, capfd):
    """The command, on two prompts: its exit code and what it said on stderr."""
    suite = write_suite(tmp_path, (100, 300))

    def run(*words):
        options = ("--model", "m", "--suite", str(suite), "--out", str(tmp_path / "out"))
        monkeypatch.setattr(sys, "argv", ["lbw-eval", *options, *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capfd.readouterr().err

    return run


def the_runs(tmp_path):
    """All that are there, the newest last."""
    paths = sorted((tmp_path / "out").glob("*/*/*/run.yaml"), key=lambda path: path.stat().st_mtime_ns)
    return [load_run(path.parent) for path in paths]


def refusing(*names, answer):
    """A server that refuses each of these, one after the other."""

    def respond(body, number):
        for name in names:
            if name in body:
                return Answer(
                    status=400, error={"message": f"Unsupported parameter: '{name}'", "param": name}
                )
        return answer(body, number)

    return respond


# Each parameter that is sent, one after the other

OF_WRITER = {
    "--temperature": "0.5",
    "--seed": "7",
    "--gen": "top_p=0.8",
    "--gen ": "reasoning_effort=low",
    "--extra-body": '{"provider": {"only": ["p"]}}',
}
"""Options that send a parameter; `--gen` is there twice."""

WAYS = {
    "temperature": ("--temperature", "default"),
    "seed": ("--seed", "none"),
    "top_p": ("--gen", None),
    "reasoning_effort": ("--gen ", None),
    "provider": ("--extra-body", None),
}
"""By the parameter that a server refuses: the option that the sentence names, and its value; None without."""

ANSWERED = ("max_tokens", "stream_options", "stream")
"""Parameters that change no number: the run goes on by itself."""

CARD = {
    "description": "d",
    "model": "j",
    "template": "prompt.txt",
    "temperature": 0.5,
    "seed": True,
    "reply_format": "json_object",
    "reasoning_effort": "low",
    "gen": {"top_p": 0.8},
    "extra_body": {"provider": {"only": ["p"]}},
}

CARD_WAYS = {
    "temperature": ("`temperature: null`", {"temperature": None}),
    "seed": ("`seed: false`", {"seed": False}),
    "response_format": ("reply_format: text", {"reply_format": "text"}),
    "reasoning_effort": ("no reasoning_effort", {"reasoning_effort": None}),
    "top_p": ("top_p out of `gen`", {"gen": {}}),
    "provider": ("provider out of `extra_body`", {"extra_body": {}}),
}
"""The same of a judge's card: what the sentence says, and the change of the card."""


def test_each_parameter_that_a_strict_server_refuses_has_a_way_to_a_finished_run(tmp_path, lbw_eval):
    with OpenAIServer(refusing(*WAYS, *ANSWERED, answer=writer(80))) as server:
        options, used = dict(OF_WRITER), []
        while True:
            words = (word for name, value in options.items() for word in (name.strip(), value))
            code, said = lbw_eval("--base-url", server.base_url, "--judge", "none", *words)
            if code == 0:
                break
            assert code == 1
            refused = list(WAYS)[len(used)]
            option, value = WAYS[refused]
            assert f"{refused} out of {option.strip()}" in said or f"{option} {value}" in said
            used.append(refused)
            options.pop(option)
            if value:
                options[option] = value
        sent = set(server.requests[0].body)
        last = set(server.requests[-1].body)
    assert used == list(WAYS)
    assert sent == {"model", "messages", *WAYS, *ANSWERED}  # a parameter that comes later gets its way here
    assert last == {"model", "messages", "max_completion_tokens"}
    run = the_runs(tmp_path)[-1]
    assert set(run.manifest["adjusted"]["m"]) == set(ANSWERED)
    assert all(record.response for record in run.predictions)


def test_each_parameter_that_a_judges_server_refuses_has_a_way_to_a_finished_run(tmp_path, lbw_eval):
    folder = tmp_path / "judge"
    folder.mkdir()
    (folder / "prompt.txt").write_text("$INST$ $RESPONSE$")
    card, used = dict(CARD), []
    with (
        OpenAIServer(writer(80)) as model,
        OpenAIServer(refusing(*CARD_WAYS, *ANSWERED, answer=judge_reply())) as judges,
    ):
        while True:
            (folder / "judge.yaml").write_text(yaml.safe_dump(card))
            places = ("--base-url", model.base_url, "--judge-base-url", judges.base_url)
            code, said = lbw_eval(*places, "--judge", str(folder))
            if code == 0:
                break
            assert code == 1
            refused = list(CARD_WAYS)[len(used)]
            told, change = CARD_WAYS[refused]
            assert told in said.splitlines()[-1]
            used.append(refused)
            card |= change
        assert len(model.requests) == 2
        sent = set(judges.requests[0].body)
    assert used == list(CARD_WAYS)
    assert sent == {"model", "messages", *CARD_WAYS, *ANSWERED}
    (run,) = the_runs(tmp_path)
    assert set(run.manifest["adjusted"]["j"]) == set(ANSWERED)
    assert len(list(run.judgements)) == 2


# What a server refused is known when the run is resumed


def test_a_resumed_run_does_not_repeat_a_refusal(tmp_path, lbw_eval):
    strict = refusing(*ANSWERED, answer=writer(80))
    with OpenAIServer(strict) as server:
        place = ("--base-url", server.base_url, "--judge", "none")
        assert lbw_eval(*place, "--limit", "1")[0] == 0
        assert len(server.requests) == 1 + len(ANSWERED)
        before = len(server.requests)
        assert lbw_eval(*place)[0] == 0
        assert len(server.requests) == before + 1
    (run,) = the_runs(tmp_path)
    assert set(run.manifest["adjusted"]["m"]) == set(ANSWERED)


def test_another_server_that_refuses_what_the_first_one_wanted_is_asked_as_it_wants(tmp_path, lbw_eval):
    with OpenAIServer(refusing("max_tokens", answer=writer(80))) as server:
        assert lbw_eval("--base-url", server.base_url, "--judge", "none", "--limit", "1")[0] == 0
    (run,) = the_runs(tmp_path)
    assert run.manifest["adjusted"] == {"m": {"max_tokens": "max_completion_tokens"}}
    with OpenAIServer(refusing("max_completion_tokens", answer=writer(80))) as server:
        assert lbw_eval("--base-url", server.base_url, "--judge", "none")[0] == 0
        assert [
            set(request.body) & {"max_tokens", "max_completion_tokens"} for request in server.requests
        ] == [
            {"max_completion_tokens"},
            {"max_tokens"},
        ]
    (run,) = the_runs(tmp_path)
    assert run.manifest["adjusted"] == {}


# Servers that are gone


def test_with_two_of_three_servers_dead_a_run_loses_no_prompt(tmp_path, lbw_eval):
    suite = write_suite(tmp_path, (100,) * 40)
    with OpenAIServer(writer(80)) as one, OpenAIServer(writer(80)) as two:
        dead = (one.base_url, two.base_url)
    with OpenAIServer(writer(80)) as alive:
        urls = (word for url in (*dead, alive.base_url) for word in ("--base-url", url))
        code, _ = lbw_eval(*urls, "--suite", str(suite), "--judge", "none")
        assert len(alive.requests) == 40
    assert code == 0
    (run,) = the_runs(tmp_path)
    assert [bool(record.response) for record in run.predictions] == [True] * 40


def test_a_failed_prompts_error_names_its_server(tmp_path, lbw_eval):
    def answer(body, number):
        if "number 0" in body["messages"][-1]["content"]:
            return Answer(status=400, error={"message": "this prompt will never do"})
        return writer(80)(body, number)

    with OpenAIServer(answer) as one, OpenAIServer(answer) as two:
        urls = {one.base_url, two.base_url}
        code, said = lbw_eval(*(word for url in urls for word in ("--base-url", url)), "--judge", "none")
    assert code == 0
    (run,) = the_runs(tmp_path)
    (failed,) = [record.error for record in run.predictions if record.error]
    assert sum(url in failed.message for url in urls) == 1
    assert any(url in said for url in urls)


def test_with_every_server_dead_the_sentence_names_one(lbw_eval):
    with OpenAIServer(writer(80)) as one, OpenAIServer(writer(80)) as two:
        dead = (one.base_url, two.base_url)
    code, said = lbw_eval(*(word for url in dead for word in ("--base-url", url)), "--judge", "none")
    assert code == 1
    assert any(url in said.splitlines()[-1] for url in dead)


# Cases of the field, as whole runs


def test_the_limits_other_name_is_found_once_for_the_run_or_given(tmp_path, lbw_eval):
    case = field_case("15-max_completion_tokens")

    def answer(body, number):
        return case if "max_tokens" in body else writer(80)(body, number)

    with OpenAIServer(answer) as server:
        place = ("--base-url", server.base_url, "--judge", "none")
        code, said = lbw_eval(*place, "--concurrency", "1")
        assert (code, len(server.requests)) == (0, 3)
        assert sum("max_completion_tokens" in line for line in said.splitlines()) == 1
        code, said = lbw_eval(*place, "--fresh", "--max-tokens-field", "max_completion_tokens")
        assert (code, len(server.requests)) == (0, 5)


def test_a_server_without_seeds_is_asked_without(lbw_eval):
    case = field_case("16-seed-unknown")

    def answer(body, number):
        return case if "seed" in body else writer(80)(body, number)

    with OpenAIServer(answer) as server:
        place = ("--base-url", server.base_url, "--judge", "none")
        code, said = lbw_eval(*place)
        assert code == 1
        assert "--seed none" in said.splitlines()[-1]
        assert lbw_eval(*place, "--seed", "none")[0] == 0


@pytest.mark.parametrize("number", ["11-openrouter-context", "14-tgi-inputs", "17-metadata-raw"])
def test_a_room_is_asked_for_and_every_prompt_answered(tmp_path, lbw_eval, number):
    case = field_case(number)

    def answer(body, number):
        return case if body["max_tokens"] == 32768 else writer(80)(body, number)

    with OpenAIServer(answer) as server:
        assert lbw_eval("--base-url", server.base_url, "--judge", "none")[0] == 0
    (run,) = the_runs(tmp_path)
    assert all(record.response for record in run.predictions)


def test_an_account_without_money_stops_the_run_at_once(tmp_path, lbw_eval):
    with OpenAIServer(in_turn(field_case("21-quota-429"))) as server:
        code, said = lbw_eval("--base-url", server.base_url, "--judge", "none", "--concurrency", "1")
        assert len(server.requests) == 1
    assert code == 1
    assert "insufficient balance" in said.splitlines()[-1]
    (run,) = the_runs(tmp_path)
    assert list(run.predictions) == []


def test_a_content_filter_fails_its_prompts_and_never_stops_a_run(tmp_path, lbw_eval):
    with OpenAIServer(in_turn(field_case("22-filter-zh"))) as server:
        lbw_eval("--base-url", server.base_url, "--judge", "none", "--concurrency", "1")
        assert len(server.requests) == 2
    (run,) = the_runs(tmp_path)
    assert [record.error.type for record in run.predictions] == ["content_filter"] * 2
