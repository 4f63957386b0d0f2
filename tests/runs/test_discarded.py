"""What was paid for and is owed again still counts, however often a run is resumed."""

from __future__ import annotations

import json

import pytest
from samples import failed, judged, predicted, write_judge, write_suite
from servers.openai_server import Answer, OpenAIServer, judge_reply, writer

from longbench_write import evaluate
from longbench_write.errors import BackendError
from longbench_write.runs.discarded import (
    discarded_judgements,
    discarded_predictions,
    keep_judgements,
    keep_predictions,
)

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
COUNTED = {"prompt_tokens": 100, "completion_tokens": 50, "reasoning_tokens": None, "cached_tokens": None}


@pytest.fixture
def judge(tmp_path):
    return write_judge(tmp_path / "judge", "$INST$ $RESPONSE$", tries=1)


@pytest.mark.parametrize("counted", [True, False])
def test_a_judgement_that_is_made_again_counts_each_time(tmp_path, judge, counted):
    def reply(text):
        return Answer(text, usage=USAGE, fault=None if counted else "no_usage")

    good = judge_reply()({}, 0).text
    with OpenAIServer(writer(5)) as server, OpenAIServer(lambda body, number: reply("no")) as judges:
        given = {
            "model": "m",
            "suite": str(write_suite(tmp_path)),
            "base_url": [server.base_url],
            "out": tmp_path / "out",
            "judge": str(judge),
            "judge_base_url": [judges.base_url],
            "limit": 2,
        }
        assert evaluate(**given).counts["judge_failed"] == 2
        assert evaluate(**given).counts["judge_failed"] == 2
        assert len(judges.requests) == 2
        again = evaluate(**given, retry_failed=True)
        assert len(judges.requests) == 4
        judges.answer = lambda body, number: reply(good)
        done = evaluate(**given, retry_failed=True)
        assert len(judges.requests) == 6
        spent = 6 * 150 if counted else 4 * len("no")
        with pytest.raises(BackendError, match="--max-judge-tokens"):
            evaluate(**given, judge_repeats=2, max_judge_tokens=spent + 10)
        assert len(judges.requests) == 6
    assert (again.counts["judge_tries"], done.counts["judged"]) == (2, 2)
    if counted:
        assert again.usage["judge"]["prompt_tokens"] == 400
        assert done.usage["judge"] == {"completion_tokens": 300, "prompt_tokens": 600}


def test_what_is_discarded_twice_by_a_crash_is_kept_once(tmp_path):
    records = [judged("p-1", scores=None, usage=COUNTED), judged("p-2", scores=None, usage=COUNTED)]
    keep_judgements(tmp_path, records[:1])
    with (tmp_path / "judgements.discarded.jsonl").open("ab") as file:
        file.write(b'{"torn": ')
    keep_judgements(tmp_path, records)
    assert list(discarded_judgements(tmp_path)) == records
    other = judged("p-1", scores=None, usage=COUNTED, seconds=2.0)
    keep_judgements(tmp_path, [other])
    assert list(discarded_judgements(tmp_path)) == [*records, other]


def test_what_cost_nothing_or_is_counted_by_its_steps_is_not_kept(tmp_path):
    keep_judgements(tmp_path, [judged("p-1", scores=None)])
    keep_predictions(tmp_path, [failed("p-1"), predicted("p-2", requests=["1" * 64])])
    assert list(tmp_path.iterdir()) == []
    assert list(discarded_predictions(tmp_path)) == []
    keep_predictions(tmp_path, [predicted("p-2")])
    assert [record.id for record in discarded_predictions(tmp_path)] == ["p-2"]
    assert json.loads((tmp_path / "predictions.discarded.jsonl").read_text())["id"] == "p-2"
