"""What becomes of a run whose servers answer by halves: it stops, or goes on, and says what is owed."""

from __future__ import annotations

import json

import pytest
import yaml
from samples import Notes, write_suite
from servers.openai_server import Answer, OpenAIServer, in_turn, judge_reply, writer

from longbench_write import evaluate, load_run
from longbench_write.config import build_config
from longbench_write.errors import BackendError, UsageError
from longbench_write.runs.evaluation import start_evaluation
from longbench_write.runs.faults import FIRST_JUDGEMENTS


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "rivers.jsonl"
    line = {"type": "News Report", "length": 100}
    path.write_text("".join(json.dumps({"prompt": f"River {n}.", **line}) + "\n" for n in range(40)))
    return path


@pytest.fixture
def judge(tmp_path):
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "t.txt").write_text("$INST$\n$RESPONSE$")
    card = {"description": "d", "model": "j", "tries": 3, "template": "t.txt"}
    (folder / "judge.yaml").write_text(yaml.safe_dump(card))
    return folder


def options(tmp_path, suite, model, judge="none", judges=None, **more):
    judging = {"judge_base_url": [judges.base_url]} if judges else {}
    return {
        "model": "m",
        "base_url": [model.base_url],
        "suite": str(suite),
        "out": tmp_path / "out",
        "judge": str(judge),
        "concurrency": 1,
        "judge_concurrency": 1,
        **judging,
        **more,
    }


async def run(*arguments, **more):
    notes = Notes()
    outcome = await start_evaluation(build_config(options(*arguments, **more)), notes)()
    return outcome, notes.notes


async def test_a_judge_without_a_valid_reply_is_asked_no_more_and_writing_goes_on(tmp_path, suite, judge):
    with OpenAIServer(writer(20)) as model, OpenAIServer(in_turn(Answer("Very nice!"))) as judges:
        outcome, notes = await run(tmp_path, suite, model, judge, judges)
        assert len(judges.requests) == 3 * FIRST_JUDGEMENTS
        assert len(model.requests) == 40
    assert (outcome.owed.responses, outcome.owed.judgements) == (0, 40 - FIRST_JUDGEMENTS)
    assert outcome.owed.failed == FIRST_JUDGEMENTS
    assert [note for note in notes if "Very nice!" in note]


async def test_a_judge_with_one_valid_reply_is_asked_to_the_end(tmp_path, suite, judge):
    bad = Answer("Very nice!")
    with OpenAIServer(writer(20)) as model, OpenAIServer(in_turn(judge_reply(), bad)) as judges:
        outcome, _ = await run(tmp_path, suite, model, judge, judges)
    assert (outcome.owed.total, outcome.owed.failed) == (0, 39)


async def test_a_judge_that_has_judged_before_is_not_on_trial(tmp_path, suite, judge):
    with OpenAIServer(writer(20)) as model:
        with OpenAIServer(judge_reply()) as judges:
            await run(tmp_path, suite, model, judge, judges, limit=4)
        with OpenAIServer(in_turn(Answer("Very nice!"))) as judges:
            outcome, _ = await run(tmp_path, suite, model, judge, judges)
    assert (outcome.owed.total, outcome.owed.failed) == (0, 36)


async def test_an_unknown_finish_reason_stops_the_run_and_the_option_lets_it_go_on(tmp_path, suite):
    with OpenAIServer(in_turn(Answer("a river", "wound-up"))) as model:
        with pytest.raises(BackendError) as caught:
            await run(tmp_path, suite, model)
        assert (caught.value.kind, len(model.requests)) == ("finish_reason", 3)
        assert "--finish-reason wound-up=stop" in str(caught.value)
        outcome, _ = await run(tmp_path, suite, model, finish_reason=["wound-up=length"])
    assert outcome.owed.total == 0
    assert {record.finish_reason for record in load_run(outcome.path).predictions} == {"length"}
    assert load_run(outcome.path).manifest["config"]["finish_reason"] == {"wound_up": "length"}


@pytest.mark.parametrize("value", [["x=y"], {"x": "halt"}, ["x"], ["=stop"]])
def test_a_finish_reason_means_stop_or_length(value):
    with pytest.raises(UsageError):
        build_config({"model": "m", "finish_reason": value})


async def test_account_trouble_stops_the_run_and_its_prompts_stay_owed(tmp_path, suite):
    unpaid = Answer(status=400, error={"message": "Arrearage: the account is overdue", "code": "Arrearage"})
    with OpenAIServer(in_turn(*[Answer("a river")] * 5, unpaid)) as model:
        with pytest.raises(BackendError) as caught:
            await run(tmp_path, suite, model)
        assert (caught.value.kind, len(model.requests)) == ("quota", 6)
    with OpenAIServer(writer(20)) as model:
        outcome, _ = await run(tmp_path, suite, model)
        assert len(model.requests) == 35
    assert (outcome.owed.total, outcome.owed.failed) == (0, 0)


@pytest.mark.parametrize("status", [408, 409, 423, 424, 425, 429, 430, 460, 498, 499, 529])
async def test_a_passing_status_never_fails_a_prompt_for_good(tmp_path, status):
    suite = write_suite(tmp_path)
    with OpenAIServer(in_turn(writer(20), Answer(status=status))) as model:
        outcome, _ = await run(tmp_path, suite, model, limit=2)
    assert (outcome.owed.total, outcome.owed.failed) == (1, 0)


async def test_an_answer_without_a_word_is_asked_for_again_with_another_seed(tmp_path, suite):
    with OpenAIServer(in_turn(Answer(""), Answer("", reasoning="hm"), Answer("a river"))) as model:
        outcome, _ = await run(tmp_path, suite, model, limit=1)
        assert len({request.body["seed"] for request in model.requests}) == len(model.requests) == 3
    (record,) = load_run(outcome.path).predictions
    assert (record.response, record.attempts, record.retries) == ("a river", 3, 2)


async def test_where_nothing_else_comes_the_response_is_empty(tmp_path, suite):
    with OpenAIServer(in_turn(Answer("", reasoning="hm"))) as model:
        outcome, _ = await run(tmp_path, suite, model, limit=1)
    (record,) = load_run(outcome.path).predictions
    assert (record.response, record.reasoning, record.attempts) == ("", "hm", 3)
    assert outcome.summary.counts["empty"] == 1


async def test_an_answer_that_a_limit_ended_before_its_first_word_is_empty_at_once(tmp_path, suite):
    with OpenAIServer(in_turn(Answer("", "length", reasoning="hm"))) as model:
        await run(tmp_path, suite, model, limit=1)
        assert len(model.requests) == 1


def test_a_negative_count_of_tokens_makes_no_negative_cost(tmp_path, suite):
    usage = {"prompt_tokens": -(10**9), "completion_tokens": 10}
    with OpenAIServer(in_turn(Answer("a river", usage=usage))) as model:
        summary = evaluate(**options(tmp_path, suite, model, price={"input": 1, "output": 1}, limit=4))
    assert summary.cost["model"] == 0


def test_control_tokens_are_counted(tmp_path, suite):
    answers = in_turn(Answer("a river<|im_end|>\n<|im_start|>user\nmore"), Answer("a river"))
    with OpenAIServer(answers) as model:
        summary = evaluate(**options(tmp_path, suite, model, limit=4))
    assert summary.counts["ended_at_control_token"] == 1
