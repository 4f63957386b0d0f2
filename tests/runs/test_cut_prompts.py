"""A prompt that a server cut and answered all the same is found by its tokens; the answer does not count."""

from __future__ import annotations

import json
import re

import pytest
from samples import Notes, write_judge, write_suite
from servers.openai_server import Answer, OpenAIServer, judge_reply, writer

from longbench_write import evaluate, judge_run, score_run
from longbench_write.writers.base import Draft

LENGTHS = tuple(range(100, 1300, 60))
WINDOW = 600
"""Tokens of a judge's prompt that are read: the texts of half of the lengths."""

FRAME = 19
"""Tokens of a judge's prompt beside the response, which has as many words as were asked for."""

CUT = sum(length + FRAME > WINDOW for length in LENGTHS)


def tokens_of(body):
    return sum(len(re.findall(r"\w+|[^\w\s]", message["content"])) for message in body["messages"])


def reading(window, answer, usage=dict):
    """A server that reads so many tokens of a prompt and says nothing; a token is a piece."""

    def cut(body, number):
        read = min(window, tokens_of(body))
        made = answer(body, number)
        return Answer(made.text, usage={"prompt_tokens": read, "completion_tokens": 20} | usage(), pieces=1)

    return cut


def obedient(body, number):
    """Write as many words as are asked for."""
    return writer(int(re.search(r"(\d+) words", body["messages"][-1]["content"])[1]))(body, number)


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "rivers.jsonl"
    lines = [
        {"prompt": f"Write about a river in {length} words.", "type": "Story", "length": length}
        for length in LENGTHS
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def judge(tmp_path):
    return write_judge(tmp_path / "judge", "Rate it.\nAsked: $INST$\nWritten: $RESPONSE$\nReply in JSON.")


@pytest.fixture
def model():
    with OpenAIServer(obedient) as server:
        yield server


def run(tmp_path, suite, judge, model, judges, notes=None, **more):
    return evaluate(
        model="m",
        base_url=[model.base_url],
        suite=str(suite),
        judge=judge,
        judge_base_url=[judges.base_url],
        out=tmp_path / "out",
        progress=notes or Notes(),
        **{"concurrency": 1, "judge_concurrency": 1} | more,
    )


def lines(tmp_path, name="judgements.jsonl"):
    (path,) = (tmp_path / "out").glob(f"*/*/*/{name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def folder(tmp_path):
    return next((tmp_path / "out").rglob("run.yaml")).parent


def test_a_judges_cut_prompts_are_no_judgements(tmp_path, suite, judge, model):
    notes = Notes()
    with OpenAIServer(reading(WINDOW, judge_reply())) as judges:
        summary = run(tmp_path, suite, judge, model, judges, notes)
        assert len(judges.requests) == len(LENGTHS)  # none is tried again
        again = run(tmp_path, suite, judge, model, judges)
        assert len(judges.requests) == len(LENGTHS)
    assert summary.judge_failures == again.judge_failures == {"context_length": CUT}
    assert summary.counts["judged"] == len(LENGTHS) - CUT
    found = {"role": "judge", "kind": "prompt", "tokens": WINDOW, "count": CUT, "source": "cut"}
    assert summary.ceilings == again.ceilings == [found]
    failed = [record for record in lines(tmp_path) if record["error"]]
    assert len(failed) == CUT
    assert {record["error"]["type"] for record in failed} == {"context_length"}
    assert all(record["scores"] is None and record["usage"] for record in failed)
    assert all(f"{WINDOW} tokens" in record["error"]["message"] for record in failed)
    assert any("ceiling" in note for note in notes.notes)
    assert score_run(folder(tmp_path)).judge_failures == {"context_length": CUT}


def test_what_later_replies_prove_holds_for_judgements_on_file(tmp_path, suite, judge, model):
    longest = [f"rivers-{number}" for number in (19, 20)]
    with OpenAIServer(reading(WINDOW, judge_reply())) as judges:
        first = run(tmp_path, suite, judge, model, judges, ids=longest)
        assert first.counts["judged"] == 2  # two prompts that say one number prove nothing
        summary = run(tmp_path, suite, judge, model, judges)
    assert summary.judge_failures == {"context_length": CUT}
    assert {record["id"] for record in lines(tmp_path) if record["error"]} >= set(longest)


def test_chapters_begin_where_a_prompt_was_cut(tmp_path, suite, judge, model):
    with OpenAIServer(reading(WINDOW, judge_reply())) as judges:
        summary = run(tmp_path, suite, judge, model, judges, long_responses="chapters")
    assert summary.counts["judged"] == len(LENGTHS)
    assert summary.counts["judged_in_chapters"] == CUT
    assert summary.judge_failures == {}


def test_a_later_run_asks_for_chapters_of_what_was_cut(tmp_path, suite, judge, model):
    with OpenAIServer(reading(WINDOW, judge_reply())) as judges:
        run(tmp_path, suite, judge, model, judges)
        summary = run(tmp_path, suite, judge, model, judges, long_responses="chapters")
        asked = len(judges.requests)
        again = judge_run(
            folder(tmp_path), judge=judge, judge_base_url=[judges.base_url], long_responses="chapters"
        )
        assert len(judges.requests) == asked
    assert summary.counts["judged"] == again.counts["judged"] == len(LENGTHS)
    assert summary.counts["judged_in_chapters"] == CUT


@pytest.mark.parametrize(
    "usage",
    [
        lambda: {"prompt_tokens": 0},
        lambda: {"prompt_tokens": None},
        lambda: {"prompt_tokens": "600"},
        lambda: {"prompt_tokens": 600, "completion_tokens": -3},
        lambda: {"prompt_tokens": 600, "completion_tokens": 10**30},
        lambda: {"prompt_tokens": 10},
    ],
)
def test_usage_that_says_nothing_is_no_alarm(tmp_path, suite, judge, model, usage):
    with OpenAIServer(reading(WINDOW, judge_reply(), usage)) as judges:
        summary = run(tmp_path, suite, judge, model, judges)
    assert summary.counts["judged"] == len(LENGTHS)
    assert summary.ceilings == []


@pytest.mark.parametrize("told", [True, False])
def test_what_a_cache_held_is_no_alarm(tmp_path, suite, judge, model, told):
    """Repeats of a prompt are counted without what the cache held, which is told beside or not at all."""
    seen = set()

    def answer(body, number):
        text = body["messages"][-1]["content"]
        whole, held = tokens_of(body), tokens_of(body) - 8 if text in seen else 0
        seen.add(text)
        usage = {"prompt_tokens": whole - held, "completion_tokens": 20}
        if told:
            usage["prompt_tokens_details"] = {"cached_tokens": held}
        return Answer(judge_reply()(body, number).text, usage=usage)

    with OpenAIServer(answer) as judges:
        summary = run(tmp_path, suite, judge, model, judges, judge_repeats=3)
    assert summary.counts["judged"] == len(LENGTHS)
    assert (summary.judge_failures, summary.ceilings) == ({}, [])


class Growing:
    """A writer of a few steps, each with all the text before it in its prompt."""

    name = "growing"

    async def write(self, prompt, sample, context):
        texts = []
        for number in range(1, 9):
            chat = [{"role": "user", "content": f"{prompt.prompt}\n{' '.join(texts)}\nWrite 60 words more."}]
            answer = await context.complete(f"write-{number}", chat, context.sampling, planned_words=60)
            texts.append(answer.text)
        return Draft("\n\n".join(texts))


@pytest.fixture
def growing(monkeypatch):
    monkeypatch.setattr("longbench_write.runs.plan.load_writer", lambda *_: Growing())


def step(body, number):
    return writer(60)(body, number)


def test_the_response_whose_steps_were_cut_fails(tmp_path, growing):
    suite = write_suite(tmp_path, lengths=(300,) * 6)
    with OpenAIServer(reading(260, step)) as server:
        given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "out": tmp_path / "out"}
        summary = evaluate(**given, judge="none", concurrency=2, progress=Notes())
        asked = len(server.requests)
        again = evaluate(**given, judge="none", concurrency=2, progress=Notes())
        assert len(server.requests) == asked
    assert summary.failures == again.failures == {"context_length": 6}
    assert summary.usage["model"]["prompt_tokens"] == sum(
        min(260, tokens_of(request.body)) for request in server.requests
    )
    (ceiling,) = summary.ceilings
    assert (ceiling["role"], ceiling["kind"], ceiling["tokens"]) == ("writer", "prompt", 260)
    with OpenAIServer(reading(10**6, step)) as server:
        given["base_url"] = [server.base_url]
        mended = evaluate(**given, judge="none", retry_failed=True, progress=Notes())
    assert (mended.failures, mended.counts["generated"]) == ({}, 6)
    assert mended.ceilings == []


def test_a_direct_writers_cut_prompts_are_counted(tmp_path):
    path = tmp_path / "long.jsonl"
    lines = [
        {
            "prompt": f"{'The river rose, and nobody came. ' * n}Write 50 words.",
            "type": "Story",
            "length": 50,
        }
        for n in range(5, 100, 5)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with OpenAIServer(reading(400, writer(50))) as server:
        summary = evaluate(
            model="m",
            base_url=[server.base_url],
            suite=str(path),
            judge="none",
            out=tmp_path / "out",
            progress=Notes(),
        )
    cut = sum(tokens_of({"messages": [{"content": line["prompt"]}]}) > 400 for line in lines)
    assert summary.ceilings == [
        {"role": "writer", "kind": "prompt", "tokens": 400, "count": cut, "source": "cut"}
    ]
    assert summary.counts["generated"] == len(lines)
    assert summary.reach is None
