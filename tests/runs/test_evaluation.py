"""Whole runs in this process, against real servers on loopback."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from samples import LENGTHS, write_suite
from servers.openai_server import Answer, OpenAIServer, fingerprint, in_turn, judge_reply, writer

from longbench_write import evaluate, load_run, load_suite
from longbench_write.backends.hashes import chat_sha256
from longbench_write.config import build_config
from longbench_write.errors import BackendError, RunFolderError, UsageError
from longbench_write.metrics.length import count_words
from longbench_write.runs.evaluation import start_evaluation, start_judging
from longbench_write.runs.observer import Observer
from longbench_write.runs.results import score_run
from longbench_write.scoring.flags import flags_of

TEMPLATE = "Rate what follows.\nAsked: $INST$\nWritten: $RESPONSE$\nReply in JSON."


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path)


@pytest.fixture
def judge(tmp_path):
    """A judge of our own, with a template of our own."""
    folder = tmp_path / "strict-judge"
    folder.mkdir()
    card = {"description": "For tests.", "model": "judge-model", "tries": 3, "template": "template.txt"}
    (folder / "judge.yaml").write_text(yaml.safe_dump(card))
    (folder / "template.txt").write_text(TEMPLATE)
    return folder


def options(tmp_path, suite, model, judge=None, judges=None, **more):
    judging = {"judge": str(judge), "judge_base_url": [judges.base_url]} if judge else {"judge": "none"}
    return {
        "model": "m",
        "suite": str(suite),
        "base_url": [model.base_url],
        "out": tmp_path / "out",
        **judging,
        **more,
    }


def the_run(tmp_path) -> Path:
    (manifest,) = (tmp_path / "out").glob("*/*/*/run.yaml")
    return manifest.parent


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def reversed_once_all_are_there(total, answer):
    """Answers nobody before all have asked; then the last first."""
    events = [threading.Event() for _ in range(total)]
    events[-1].set()

    def respond(body, number):
        made = answer(body, number)
        if number < total:
            previous = events[number - 1]
            events[number].wait()
            previous.set()
        return made

    return respond


def test_120_prompts_at_once_each_response_under_its_own_prompt(tmp_path):
    suite = load_suite("longbench-write")
    with (
        OpenAIServer(reversed_once_all_are_there(120, writer(40))) as model,
        OpenAIServer(judge_reply()) as judges,
    ):
        summary = evaluate(
            **options(
                tmp_path, "longbench-write", model, "paper", judges, concurrency=120, judge_concurrency=120
            )
        )
        assert model.peak == 120
        assert len(model.requests) == len(judges.requests) == 120
        for request in judges.requests:
            asked = next(p for p in suite.prompts if fingerprint(p.prompt) in request.prompt)
            assert asked.prompt in request.prompt
    records = lines(the_run(tmp_path) / "predictions.jsonl")
    assert [record["id"] for record in records] == [prompt.id for prompt in suite.prompts]
    for record, prompt in zip(records, suite.prompts, strict=True):
        assert record["prompt"] == prompt.prompt
        assert record["response"].split()[0] == fingerprint(prompt.prompt)
    assert summary.counts["owed"] == summary.counts["judged"] == 120
    assert summary.S_q == 75.0
    assert [row["n"] for row in summary.by_length] == [26, 36, 31, 27]


def test_the_reference_scripts_can_read_the_predictions(tmp_path, suite):
    def reference(x, y):
        return 100 * max(0, 1.0 - (y / x - 1) / 3) if y > x else 100 * max(0, 1.0 - (x / y - 1) / 2)

    with OpenAIServer(writer(lambda prompt: 60 + len(prompt) * 30)) as model:
        summary = evaluate(**options(tmp_path, suite, model, concurrency=3))
    records = lines(the_run(tmp_path) / "predictions.jsonl")
    assert list(records[0])[:5] == ["prompt", "type", "length", "response_length", "response"]
    assert all(record["response_length"] == count_words(record["response"]) for record in records)
    assert summary.S_l == np.mean([reference(r["length"], r["response_length"]) for r in records])


def test_the_same_again_asks_nothing_and_says_the_same(tmp_path, suite, judge):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply((5, 4, 3, 2, 1, 5))) as judges:
        first = evaluate(**options(tmp_path, suite, model, judge, judges))
        files = {path.name: path.read_bytes() for path in the_run(tmp_path).glob("*.[jc]*")}
        again = evaluate(**options(tmp_path, suite, model, judge, judges))
        assert len(model.requests) == len(judges.requests) == len(LENGTHS)
    assert again == first
    assert {path.name: path.read_bytes() for path in the_run(tmp_path).glob("*.[jc]*")} == files


def test_the_longest_is_asked_for_first_and_seeds_belong_to_prompts(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        evaluate(**options(tmp_path, suite, model, concurrency=1))
        evaluate(**options(tmp_path, suite, model, concurrency=8, fresh=True))
        seeds = [(request.prompt, request.body["seed"]) for request in model.requests]
    asked = [next(p for p in load_suite(suite).prompts if p.prompt == prompt) for prompt, _ in seeds[:8]]
    assert [prompt.length for prompt in asked] == sorted(LENGTHS, reverse=True)
    assert len(set(seeds)) == len({seed for _, seed in seeds}) == 8
    assert model.requests[0].body["temperature"] == 0.5
    assert model.requests[0].body["max_tokens"] == 32768
    assert len(model.requests[0].body["messages"]) == 1


def test_a_response_says_what_was_asked(tmp_path, suite):
    with OpenAIServer(writer(5)) as server:
        evaluate(**options(tmp_path, suite, server, samples=2))
    hashes = {}
    for record in lines(the_run(tmp_path) / "predictions.jsonl"):
        chat = [{"role": "user", "content": record["prompt"]}]
        assert record["prompt_sha256"] == chat_sha256(chat)
        hashes.setdefault(record["id"], set()).add(record["prompt_sha256"])
    assert {len(each) for each in hashes.values()} == {1}
    assert len({each.pop() for each in hashes.values()}) == len(LENGTHS)


def test_samples_have_their_own_seeds_and_records(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        summary = evaluate(**options(tmp_path, suite, model, samples=3, limit=2))
        assert len({request.body["seed"] for request in model.requests}) == 6
    assert summary.counts["owed"] == 6
    assert [record["sample"] for record in lines(the_run(tmp_path) / "predictions.jsonl")] == [0, 1, 2] * 2


def test_one_prompt_that_does_not_fit_is_one_failed_prompt(tmp_path, suite, judge):
    too_long = Answer(
        status=400, error={"message": "maximum context length is 10", "code": "context_length_exceeded"}
    )

    def answer(body, number):
        return too_long if "number 4" in body["messages"][-1]["content"] else writer()(body, number)

    with OpenAIServer(answer) as model, OpenAIServer(judge_reply()) as judges:
        summary = evaluate(**options(tmp_path, suite, model, judge, judges, concurrency=1))
        asked = len(model.requests)
        again = evaluate(**options(tmp_path, suite, model, judge, judges, concurrency=1))
        assert len(model.requests) == asked == 8
        evaluate(**options(tmp_path, suite, model, judge, judges, concurrency=1, retry_failed=True))
        assert len(model.requests) == asked + 1
    assert again == summary
    assert (summary.counts["generated"], summary.counts["generation_failed"]) == (7, 1)
    assert summary.failures == {"context_length": 1}
    (record,) = [r for r in lines(the_run(tmp_path) / "predictions.jsonl") if r["error"]]
    assert (record["id"], record["response"], record["error"]["type"]) == ("rivers-5", None, "context_length")


def test_a_transient_fault_is_owed_again(tmp_path, suite):
    broken = threading.Event()
    broken.set()

    def answer(body, number):
        if broken.is_set() and "number 2" in body["messages"][-1]["content"]:
            return Answer(status=500)
        return writer()(body, number)

    with OpenAIServer(answer) as model:
        first = evaluate(**options(tmp_path, suite, model, concurrency=1))
        assert first.failures == {"server_error": 1}
        broken.clear()
        asked = len(model.requests)
        second = evaluate(**options(tmp_path, suite, model, concurrency=1))
        assert len(model.requests) == asked + 1
    assert second.failures == {}
    assert second.counts["generated"] == 8


def test_one_bad_answer_costs_one_request(tmp_path, suite):
    with OpenAIServer(in_turn(Answer(status=500), writer())) as model:
        summary = evaluate(**options(tmp_path, suite, model, concurrency=1))
        assert len(model.requests) == 9
    assert summary.counts["generated"] == 8
    assert summary.counts["retries"] == 1


def test_a_refused_key_stops_at_once(tmp_path, suite):
    with OpenAIServer(in_turn(Answer(status=401, error={"message": "bad key"}))) as model:
        with pytest.raises(BackendError, match="--api-key-env"):
            evaluate(**options(tmp_path, suite, model, concurrency=1))
        assert len(model.requests) == 1
    assert lines(the_run(tmp_path) / "predictions.jsonl") == []


def test_a_server_that_never_answered_stops_the_run(tmp_path, suite):
    with OpenAIServer(in_turn(Answer(status=503))) as model:
        with pytest.raises(BackendError, match="HTTP 503"):
            evaluate(**options(tmp_path, suite, model, concurrency=1))
        assert len(model.requests) == 12


def refusing(text, status=400, message="no reason that anybody knows"):
    """Refuses the prompts that contain `text`, and writes the others."""

    def answer(body, number):
        if text in body["messages"][-1]["content"]:
            return Answer(status=status, error={"message": message})
        return writer()(body, number)

    return answer


@pytest.mark.parametrize(("concurrency", "requests"), [(1, 9), (8, 8)])
def test_one_odd_prompt_in_front_is_one_failed_prompt(tmp_path, suite, concurrency, requests):
    longest = load_suite(suite).prompts[-1]
    with OpenAIServer(refusing(longest.prompt)) as model:
        summary = evaluate(**options(tmp_path, suite, model, concurrency=concurrency))
        assert len(model.requests) == requests
    assert summary.failures == {"bad_request": 1}
    assert summary.counts["generated"] == 7


def test_what_every_prompt_is_refused_stops_the_run_and_fails_none(tmp_path, suite):
    with OpenAIServer(refusing("", message="no such luck")) as model:
        with pytest.raises(BackendError, match="no such luck"):
            evaluate(**options(tmp_path, suite, model, concurrency=1))
        assert len(model.requests) == 3
    assert lines(the_run(tmp_path) / "predictions.jsonl") == []


class Noting(Observer):
    """Keeps what the user is told."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2020-01-02", "was to be shut down on 2020-01-02"),
        (4102444800, "will be shut down on 2100-01-01"),
        ("soon", ""),
    ],
)
def test_a_listing_that_names_a_shutdown_is_passed_on_before_anything_is_judged(
    tmp_path, suite, judge, day, said
):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply(), models=["judge-model"]) as judges:
        judges.shutdown_dates = {"judge-model": day}
        observer = Noting()
        evaluate_observed(observer, **options(tmp_path, suite, model, judge, judges))
    assert any(said in note and "judge strict-judge" in note for note in observer.notes) == bool(said)


class Stopping(Observer):
    """Knows when the run has begun to stop."""

    def __init__(self):
        self.begun = threading.Event()

    def note(self, text):
        if text.startswith("stopping"):
            self.begun.set()


def evaluate_observed(observer, **options):
    return asyncio.run(start_evaluation(build_config(options), observer)()).summary


def test_a_stop_lets_what_is_in_flight_finish(tmp_path, suite):
    stopping = Stopping()

    def answer(body, number):
        if number == 0:
            assert stopping.begun.wait(60)
            return writer()(body, number)
        return Answer(status=401)

    with OpenAIServer(answer) as model:
        with pytest.raises(BackendError, match="HTTP 401"):
            evaluate_observed(stopping, **options(tmp_path, suite, model, concurrency=2))
        assert len(model.requests) == 2
    assert len(lines(the_run(tmp_path) / "predictions.jsonl")) == 1


def test_spent_credit_stops_the_run_and_fails_no_prompt(tmp_path, suite):
    broke = Answer(status=402, error={"message": "Insufficient Balance"})
    with OpenAIServer(in_turn(writer(), broke)) as model:
        with pytest.raises(BackendError, match="top it up"):
            evaluate(**options(tmp_path, suite, model, concurrency=1))
        model.answer = writer()
        assert evaluate(**options(tmp_path, suite, model)).counts["generated"] == 8
        assert len(model.requests) == 9


def test_a_restarted_server_goes_on_with_the_run(tmp_path, suite):
    with OpenAIServer(in_turn(*[writer()] * 3, Answer(status=401))) as model, pytest.raises(BackendError):
        evaluate(**options(tmp_path, suite, model, concurrency=1))
    with OpenAIServer(writer()) as model:
        assert evaluate(**options(tmp_path, suite, model)).counts["generated"] == 8
        assert len(model.requests) == 5


def test_a_fresh_run_that_never_began_is_not_gone_on_with(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        evaluate(**options(tmp_path, suite, model))
        with pytest.raises(UsageError, match=r"judge paper: OPENAI_API_KEY .* --judge-api-key-env"):
            evaluate(**options(tmp_path, suite, model, fresh=True) | {"judge": "paper"})
        summary = evaluate(**options(tmp_path, suite, model))
        assert len(model.requests) == 8
    assert summary.judge is None


def test_a_lost_line_is_owed_again_with_its_judgement(tmp_path, suite, judge):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply()) as judges:
        first = evaluate(**options(tmp_path, suite, model, judge, judges))
        records = the_run(tmp_path) / "predictions.jsonl"
        records.write_bytes(b"".join(records.read_bytes().splitlines(keepends=True)[1:]))
        again = evaluate(**options(tmp_path, suite, model, judge, judges))
        assert len(model.requests) == len(judges.requests) == 9
    assert replace(again, seconds=first.seconds, usage=first.usage) == first
    assert again.usage["model"] == first.usage["model"]
    assert again.usage["judge"]["prompt_tokens"] > first.usage["judge"]["prompt_tokens"]


def test_a_judge_that_talks_nonsense_scores_nothing(tmp_path, suite, judge):
    with OpenAIServer(writer()) as model, OpenAIServer(in_turn(Answer("I like it: 9/10"))) as judges:
        summary = evaluate(**options(tmp_path, suite, model, judge, judges))
        assert len(judges.requests) == 3 * 8
    assert summary.S_q is None
    assert summary.S_q_bounds == [0.0, 100.0]
    assert summary.S_l is not None
    assert summary.judge_failures == {"invalid_reply": 8}
    record = lines(the_run(tmp_path) / "judgements.jsonl")[0]
    assert (record["scores"], record["raw"], record["tries"]) == (None, "I like it: 9/10", 3)


def test_a_dead_judge_stops_the_run_and_what_is_being_written_stays(tmp_path, suite, judge):
    stopping = Stopping()

    def answer(body, number):
        assert number == 0 or stopping.begun.wait(60)
        return writer()(body, number)

    refuse = in_turn(Answer(status=403))
    with OpenAIServer(answer) as model, OpenAIServer(refuse) as judges:
        with pytest.raises(BackendError, match="judge strict-judge: HTTP 403"):
            evaluate_observed(stopping, **options(tmp_path, suite, model, judge, judges, concurrency=4))
        asked = len(model.requests)
        assert len(lines(the_run(tmp_path) / "predictions.jsonl")) == asked <= 5
        judges.answer = judge_reply()
        summary = evaluate(**options(tmp_path, suite, model, judge, judges))
        assert len(model.requests) == 8
    assert summary.counts["judged"] == 8


def test_a_judges_repeats_stand_side_by_side_and_more_of_them_ask_only_for_the_rest(tmp_path, suite, judge):
    scores = [(2,) * 6, (3,) * 6, (5,) * 6]

    def answer(body, number):
        return judge_reply(scores[number % 3])(body, number)

    with OpenAIServer(writer()) as model, OpenAIServer(answer) as judges:
        once = options(tmp_path, suite, model, judge, judges, judge_concurrency=1)
        summary = evaluate(**once, judge_repeats=3)
        assert summary.S_q == pytest.approx((10 / 3 - 1) * 25)
        assert (summary.counts["judged"], summary.counts["judge_tries"]) == (8, 24)
        assert len(lines(the_run(tmp_path) / "judgements.jsonl")) == len(judges.requests) == 24
        evaluate(**once, judge_repeats=4)
        assert len(judges.requests) == 32
    assert {line["repeat"] for line in lines(the_run(tmp_path) / "judgements.jsonl")} == {0, 1, 2, 3}
    with (judge / "judge.yaml").open("a") as card:
        card.write("combine: median\n")
    with OpenAIServer(writer()) as model, OpenAIServer(answer) as judges:
        fresh = options(tmp_path, suite, model, judge, judges, judge_concurrency=1, fresh=True)
        assert evaluate(**fresh, judge_repeats=3).S_q == 50.0


def test_a_judges_model_that_is_gone_names_the_alternatives(tmp_path, suite, judge):
    gone = in_turn(
        Answer(status=404, error={"message": "The model does not exist", "code": "model_not_found"})
    )
    with OpenAIServer(writer()) as model, OpenAIServer(gone) as judges, pytest.raises(BackendError) as error:
        evaluate(**options(tmp_path, suite, model, judge, judges))
    assert "--judge-model, or another judge: local-smollm2, open-weights, paper" in str(error.value)


def test_limits_stop_a_run_before_they_are_passed_and_it_goes_on_from_there(tmp_path, suite, judge):
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}

    def written(body, number):
        return replace(writer(20)(body, number), usage=usage)

    def judged(body, number):
        return replace(judge_reply()(body, number), usage=usage)

    with OpenAIServer(written) as model, OpenAIServer(judged) as judges:
        given = options(tmp_path, suite, model, judge, judges, max_tokens=1000)
        price = {"input": 2.0, "output": 10.0, "judge_input": 1.0, "judge_output": 1.0}
        with pytest.raises(UsageError, match=r"--price judge_input=X"):
            evaluate(**given, max_cost=1.0, price={"input": 2.0, "output": 10.0})
        with pytest.raises(BackendError, match=r"--max-cost 0\.012"):
            evaluate(**given, max_cost=0.012, price=price)
        assert 0 < len(model.requests) < 8
        with pytest.raises(BackendError, match="strict-judge: --max-judge-tokens 2000"):
            evaluate(**given, max_judge_tokens=2000, price=price)
        summary = evaluate(**given, max_cost=1.0, price=price)
        assert (len(model.requests), len(judges.requests)) == (8, 8)
    assert summary.cost == pytest.approx({"model": 8 * 700 / 1e6, "judge": 8 * 150 / 1e6})


def test_a_judge_that_fails_on_one_response_stops_no_later_run(tmp_path, suite, judge):
    def answer(body, number):
        return (
            Answer(status=500)
            if "number 2" in body["messages"][-1]["content"]
            else judge_reply()(body, number)
        )

    with OpenAIServer(writer()) as model, OpenAIServer(answer) as judges:
        first = evaluate(**options(tmp_path, suite, model, judge, judges))
        again = evaluate(**options(tmp_path, suite, model, judge, judges))
        assert len(judges.requests) == 7 + 2 * 6
    assert first.judge_failures == again.judge_failures == {"server_error": 1}
    assert again.counts["judged"] == 7


def test_judging_again_leaves_failed_prompts_alone(tmp_path, suite, judge):
    with (
        OpenAIServer(refusing("number 2", message="maximum context length")) as model,
        OpenAIServer(judge_reply()) as judges,
    ):
        evaluate(**options(tmp_path, suite, model))
        config = build_config(options(tmp_path, suite, model, judge, judges, retry_failed=True))
        summary = asyncio.run(start_judging(the_run(tmp_path), config, Observer())()).summary
        assert len(model.requests) == 8
    assert summary.failures == {"context_length": 1}
    assert summary.counts["judged"] == 7


def test_a_prompt_that_names_the_placeholder_is_text(tmp_path, judge):
    suite = tmp_path / "odd.jsonl"
    suite.write_text('{"prompt": "Explain $RESPONSE$ and $INST$.", "type": "t", "length": 50}\n')
    with OpenAIServer(writer(10)) as model, OpenAIServer(judge_reply()) as judges:
        evaluate(**options(tmp_path, suite, model, judge, judges))
        asked = judges.requests[0].prompt
    written = lines(the_run(tmp_path) / "predictions.jsonl")[0]["response"]
    assert asked == TEMPLATE.replace("$RESPONSE$", written).replace(
        "$INST$", "Explain $RESPONSE$ and $INST$."
    )


def test_reasoning_is_kept_but_is_no_part_of_the_response(tmp_path, suite):
    with OpenAIServer(
        in_turn(Answer("<think>plan it well</think>\n\nThree words here", reasoning="aside"))
    ) as model:
        summary = evaluate(**options(tmp_path, suite, model))
    record = lines(the_run(tmp_path) / "predictions.jsonl")[0]
    assert (record["response"], record["response_length"]) == ("Three words here", 3)
    assert record["reasoning"] == "aside\n\nplan it well"
    assert record["reasoning_words"] == 4
    assert summary.counts["reasoning_words"] == 32


def test_a_reasoning_block_that_never_ended_leaves_an_empty_response(tmp_path, suite, judge):
    unfinished = Answer("<think>still planning", finish_reason="length")
    with OpenAIServer(in_turn(unfinished)) as model, OpenAIServer(judge_reply()) as judges:
        summary = evaluate(**options(tmp_path, suite, model, judge, judges))
    assert summary.S_l == 0.0
    assert (summary.counts["empty"], summary.counts["truncated"], summary.counts["judged"]) == (8, 8, 8)


def test_responses_that_turn_out_to_be_reasoning_are_judged_anew_by_the_same_command(tmp_path, suite, judge):
    cut = Answer("First I plan the text", finish_reason="length")
    with (
        OpenAIServer(in_turn(*[cut] * 7, Answer("I plan</think>A text"))) as model,
        OpenAIServer(judge_reply()) as judges,
    ):
        asked = options(tmp_path, suite, model, judge, judges)
        summary = evaluate(**asked)
        assert (summary.counts["empty"], summary.counts["judged"]) == (7, 8)
        assert summary.counts["judgements_remaining"] == 0
        requests = len(judges.requests)
        assert evaluate(**asked).counts["judged"] == 8
        assert (len(model.requests), len(judges.requests)) == (8, requests)
    assert len(lines(the_run(tmp_path) / "judgements.jsonl")) == 8


def test_a_judge_without_a_valid_reply_is_not_asked_of_corrected_responses(tmp_path, suite, judge):
    cut = Answer("First I plan the text", finish_reason="length")
    with (
        OpenAIServer(in_turn(*[cut] * 7, Answer("I plan</think>A text"))) as model,
        OpenAIServer(in_turn(Answer("Good."))) as judges,
    ):
        summary = evaluate(**options(tmp_path, suite, model, judge, judges))
    # Which were judged before the correction came is a matter of timing, but none with both of its texts.
    asked = {request.prompt for request in judges.requests}
    assert summary.counts["judged"] == 0
    assert 0 < len(asked) <= summary.counts["owed"] == 8


def test_several_judges_stand_side_by_side(tmp_path, suite, judge):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply((5,) * 6)) as judges:
        with_five = evaluate(**options(tmp_path, suite, model, judge, judges))
        judges.answer = judge_reply((1,) * 6)
        with_one = evaluate(**options(tmp_path, suite, model, judge, judges, judge_model="harsh"))
        assert len(model.requests) == 8
    assert (with_five.S_q, with_one.S_q) == (100.0, 0.0)
    assert with_one.judge == "strict-judge (harsh)"
    run = the_run(tmp_path)
    assert replace(score_run(run, judge="strict-judge"), seconds=with_five.seconds) == with_five
    assert score_run(run) == with_one
    with pytest.raises(UsageError, match="did you mean 'strict-judge"):
        score_run(run, judge="strikt-judge")


def test_a_judge_that_changed_does_not_mix_with_its_old_self(tmp_path, suite, judge):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply()) as judges:
        evaluate(**options(tmp_path, suite, model, judge, judges))
        (judge / "template.txt").write_text(TEMPLATE + " Be kind.")
        with pytest.raises(UsageError, match="strict-judge"):
            evaluate(**options(tmp_path, suite, model, judge, judges))


def test_without_a_judge_or_a_key_there_is_s_l_alone(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        summary = evaluate(**options(tmp_path, suite, model) | {"judge": None})
    assert summary.judge is None
    assert summary.S_q is None
    assert summary.S_l > 0


def test_two_servers_share_the_load(tmp_path, suite):
    with OpenAIServer(writer()) as one, OpenAIServer(writer()) as other:
        both = {"base_url": [one.base_url, other.base_url]}
        evaluate(**options(tmp_path, suite, one, concurrency=8) | both)
        assert len(one.requests) + len(other.requests) == 8
        assert min(len(one.requests), len(other.requests)) >= 3


def test_no_key_reaches_a_file_or_an_error(tmp_path, suite, judge, monkeypatch):
    secret = "sk-very-secret-4711"
    monkeypatch.setenv("THE_KEY", secret)
    echo = Answer(status=401, error={"message": f"Incorrect API key provided: {secret}"})
    with OpenAIServer(in_turn(writer(), echo)) as model:
        with pytest.raises(BackendError) as caught:
            evaluate(**options(tmp_path, suite, model, concurrency=1, api_key_env="THE_KEY"))
        assert model.requests[0].headers["authorization"] == f"Bearer {secret}"
    assert secret not in str(caught.value)
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_a_key_is_sent_to_no_foreign_server_unasked(tmp_path, suite, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    with OpenAIServer(writer()) as model:
        evaluate(**options(tmp_path, suite, model))
        assert not any("sk-mine" in str(request.headers) for request in model.requests)


def test_the_manifest_says_what_was_done(tmp_path, suite, judge):
    with OpenAIServer(writer()) as model, OpenAIServer(judge_reply()) as judges:
        base_url = model.base_url.replace("127.0.0.1", "user:pass@127.0.0.1")
        evaluate(**options(tmp_path, suite, model, judge, judges) | {"base_url": [base_url]})
    run = load_run(the_run(tmp_path))
    manifest = run.manifest
    assert manifest["backend"] == {"kind": "openai", "base_urls": [model.base_url]}
    assert "user:pass" not in (run.path / "run.yaml").read_text()
    assert manifest["suite"]["sha256"] == load_suite(suite).sha256
    assert manifest["judges"]["strict-judge"]["card"]["tries"] == 3
    assert manifest["start"] <= manifest["end"]
    assert manifest["seconds"] > 0
    assert len(list(run.predictions)) == manifest["owed"] == 8


def test_a_run_folder_whose_records_are_broken_is_not_gone_on_with(tmp_path, suite):
    with OpenAIServer(writer()) as model:
        evaluate(**options(tmp_path, suite, model))
        records = the_run(tmp_path) / "predictions.jsonl"
        records.write_text("garbage\n" + records.read_text(encoding="utf-8"), encoding="utf-8")
        with pytest.raises(RunFolderError, match=r"predictions\.jsonl:1"):
            evaluate(**options(tmp_path, suite, model))
        assert len(model.requests) == 8


def test_evaluate_refuses_what_it_does_not_know():
    with pytest.raises(UsageError, match="did you mean 'samples'"):
        evaluate(model="m", sample=3)


def test_what_responses_show_is_seen_while_their_judges_think(tmp_path, suite, judge, monkeypatch):
    looked, late, all_seen = [], [], threading.Event()

    def look(record):
        looked.append(record.key)
        if len(looked) == len(LENGTHS):
            all_seen.set()
        return flags_of(record)

    def think(body, number):
        assert all_seen.wait(60)
        return judge_reply()(body, number)

    monkeypatch.setattr("longbench_write.runs.scheduler.flags_of", look)
    monkeypatch.setattr(
        "longbench_write.scoring.rows.flags_of", lambda record: late.append(record) or flags_of(record)
    )
    with OpenAIServer(writer()) as model, OpenAIServer(think) as judges:
        evaluate(**options(tmp_path, suite, model, judge, judges))
    assert late == []
    score_run(the_run(tmp_path))
    assert len(late) == len(LENGTHS)


@pytest.mark.parametrize("lengths", [(None, None), (None, 100, None, 300)])
def test_prompts_that_ask_for_no_length_are_judged_and_have_no_s_l(tmp_path, judge, lengths):
    suite = write_suite(tmp_path, lengths)
    with OpenAIServer(writer(50)) as model, OpenAIServer(judge_reply()) as judges:
        summary = evaluate(**options(tmp_path, suite, model, judge, judges))
        again = evaluate(**options(tmp_path, suite, model, judge, judges))
        asked = len(model.requests)
    assert asked == len(lengths)
    assert again.counts["judged"] == len(lengths)
    assert summary.S_q is not None
    run = the_run(tmp_path)
    text = (run / "scores.csv").read_text(encoding="utf-8")
    rows = {row["id"]: row for row in csv.DictReader(text.splitlines())}
    assert [rows[f"rivers-{n}"]["S_l"] != "" for n in range(1, len(lengths) + 1)] == [
        length is not None for length in lengths
    ]
    assert [line["length"] for line in lines(run / "predictions.jsonl")] == list(lengths)
    values = [float(row["S_l"]) for row in rows.values() if row["S_l"]]
    assert summary.S_l == (pytest.approx(sum(values) / len(values)) if values else None)
    assert sum(row["n"] for row in summary.by_length) == len(values)
    assert score_run(run) == again
