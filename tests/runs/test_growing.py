"""A run grows: each command asks for what is not there, and what was ever asked stays."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from crash_tests import Trial
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import LENGTHS, write_suite
from servers.answers import Answer, varied_writer
from servers.openai_server import OpenAIServer, in_turn, judge_reply, writer

from longbench_write import evaluate, load_run, load_suite
from longbench_write.compare.lacking import asked_of, missing, newly_failed
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import parse_metric
from longbench_write.gate.gate import check
from longbench_write.runs.manifest import prompts_of
from longbench_write.scoring.summary import Summary
from longbench_write.suites.suite import select

TOO_LONG = Answer(status=400, error={"message": "maximum context length is 10"})


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path)


def run(place, suite, server, **more):
    given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "out": place / "out"}
    return evaluate(**given | {"judge": "none", "concurrency": 1} | more)


def the_run(place) -> Path:
    (manifest,) = (place / "out").glob("*/*/*/run.yaml")
    return manifest.parent


def manifest_of(place):
    return yaml.safe_load((the_run(place) / "run.yaml").read_text(encoding="utf-8"))


def keys(place):
    text = (the_run(place) / "predictions.jsonl").read_text(encoding="utf-8")
    return [(line["id"], line["sample"]) for line in map(json.loads, text.splitlines())]


def test_a_limit_then_everything_then_two_samples_ask_for_what_is_missing(tmp_path):
    with OpenAIServer(writer(20)) as server:
        asked = [
            (run(tmp_path, "lbw-open", server, **more).counts["owed"], len(server.requests))
            for more in ({"limit": 8}, {}, {"samples": 2}, {"limit": 8}, {})
        ]
        bodies = {(request.prompt, request.body["seed"]) for request in server.requests}
    assert asked == [(8, 8), (120, 120), (240, 240), (240, 240), (240, 240)]
    assert len(bodies) == 240
    suite = load_suite("lbw-open")
    assert keys(tmp_path) == [(prompt.id, sample) for prompt in suite.prompts for sample in (0, 1)]
    assert manifest_of(tmp_path)["asked"] == {prompt.id: 2 for prompt in suite.prompts}
    assert manifest_of(tmp_path)["config"]["samples"] == 2


def test_a_run_on_an_earlier_version_is_another_run_and_resumes_under_its_name(tmp_path):
    with OpenAIServer(writer(20)) as server:
        for suite, asked in (("lbw-open@1.0", 2), ("lbw-open", 4), ("lbw-open@1.0", 4), ("lbw-open@2.0", 4)):
            run(tmp_path, suite, server, limit=2)
            assert len(server.requests) == asked
    runs = [
        load_run(path.parent).manifest["suite"] for path in (tmp_path / "out").glob("m/lbw-open/*/run.yaml")
    ]
    assert sorted(each["version"] for each in runs) == ["1.0", "2.0"]
    assert {each["name"] for each in runs} == {"lbw-open"}


commands = st.fixed_dictionaries(
    {"samples": st.integers(1, 3)},
    optional={"limit": st.integers(1, 9), "ids": st.lists(st.integers(1, 8), min_size=1, max_size=4)},
)


@settings(max_examples=15)
@given(st.lists(commands, min_size=1, max_size=4))
def test_the_union_never_shrinks_and_nothing_is_asked_twice(given_commands):
    with tempfile.TemporaryDirectory() as name, OpenAIServer(varied_writer()) as server:
        place = Path(name)
        suite = write_suite(place)
        loaded = load_suite(suite)
        union = {}
        for command in given_commands:
            ids = [f"rivers-{number}" for number in command.get("ids", ())]
            summary = run(place, suite, server, **command | ({"ids": ids} if ids else {}))
            for prompt in select(loaded, limit=command.get("limit"), ids=ids):
                union[prompt.id] = max(union.get(prompt.id, 0), command["samples"])
            asked = {prompt.id: union[prompt.id] for prompt in loaded.prompts if prompt.id in union}
            assert manifest_of(place)["asked"] == asked
            assert summary.counts["owed"] == sum(asked.values()) == len(server.requests)
            assert summary.samples == max(asked.values())
            assert summary.counts["remaining"] == 0
            assert {name: summary.prompts[name] for name in ("n", "sha256")} == prompts_of(asked)
            assert keys(place) == [(name, sample) for name in asked for sample in range(asked[name])]


def test_an_unfinished_second_sample_is_marked(tmp_path, suite):
    with OpenAIServer(in_turn(*[writer(20)] * 3, Answer(status=401))) as server:
        run(tmp_path, suite, server, limit=2)
        with pytest.raises(Exception, match="401"):
            run(tmp_path, suite, server, limit=2, samples=2)
        manifest = manifest_of(tmp_path)
        assert set(manifest["asked"].values()) == {2}
        server.answer = writer(20)
        summary = run(tmp_path, suite, server, limit=1)
        assert (summary.counts["remaining"], summary.counts["incomplete"]) == (1, 1)
        summary = run(tmp_path, suite, server, limit=2, samples=2)
        assert (summary.counts["remaining"], summary.counts["incomplete"]) == (0, 0)
        assert len(server.requests) == 5


def test_prompts_of_fewer_samples_are_not_missing_in_a_comparison(tmp_path, suite):
    with OpenAIServer(varied_writer()) as server:
        run(tmp_path / "a", suite, server)
        run(tmp_path / "b", suite, server)
        run(tmp_path / "b", suite, server, limit=2, samples=2)
    a, b = (load_scores(the_run(tmp_path / name)) for name in "ab")
    assert a.info.prompts["sha256"] == b.info.prompts["sha256"]
    assert len(b.info.prompts["samples"]) == 6
    assert missing(a, b, parse_metric("S_l")) == (0, 10)
    assert missing(b, a, parse_metric("S_l")) == (0, 8)


def test_prompts_that_failed_are_missing_and_those_that_were_not_asked_are_not(tmp_path, suite):
    with OpenAIServer(varied_writer()) as server:
        run(tmp_path / "a", suite, server)
        run(tmp_path / "c", suite, server, limit=4)
    with OpenAIServer(in_turn(TOO_LONG, varied_writer())) as server:
        run(tmp_path / "b", suite, server, limit=4)
    a, b = (load_scores(the_run(tmp_path / name)) for name in "ab")
    assert len(asked_of(b, a)) == 4
    assert missing(a, b, parse_metric("S_l")) == (1, 4)
    assert (newly_failed(a, b).losses, newly_failed(a, b).n) == (1, 4)
    verdict = check(a, load_scores(the_run(tmp_path / "c")))
    assert verdict.exit_code == 0
    assert all(each.missing == (0, 4) for each in verdict.findings)


def test_retry_failed_asks_for_what_it_selects_alone(tmp_path, suite):
    with OpenAIServer(in_turn(TOO_LONG)) as server:
        run(tmp_path, suite, server, limit=4)
        assert len(server.requests) == 4
        server.answer = writer(20)
        summary = run(tmp_path, suite, server, limit=1, retry_failed=True)
        assert len(server.requests) == 5
        assert summary.counts["generated"] == 1
        assert summary.failures == {"context_length": 3}
        again = run(tmp_path, suite, server, limit=1, retry_failed=True)
    assert again.counts == summary.counts


def test_a_judge_judges_what_is_selected(tmp_path, suite):
    judge = tmp_path / "judge"
    judge.mkdir()
    (judge / "judge.yaml").write_text("description: x\nmodel: j\ntemplate: t.txt\n")
    (judge / "t.txt").write_text("$INST$ $RESPONSE$")
    with OpenAIServer(writer(20)) as server, OpenAIServer(judge_reply()) as judges:
        run(tmp_path, suite, server)
        judged = {"judge": str(judge), "judge_base_url": [judges.base_url]}
        summary = run(tmp_path, suite, server, limit=2, **judged)
        assert len(judges.requests) == 2
        assert summary.counts["judgements_remaining"] == 6
        assert run(tmp_path, suite, server, **judged).counts["judgements_remaining"] == 0
        assert len(judges.requests) == 8


def test_a_process_that_was_killed_between_two_selections_has_shrunk_nothing(tmp_path):
    with Trial(tmp_path, options=["--limit", "2"]) as trial:
        assert trial.finish().returncode == 0
        trial.options = []
        made = len(trial.model.requests)
        with trial.start() as child:
            assert trial.model.wait_for(lambda: len(trial.model.requests) > made + 3)
            child.kill()
        trial.settle()
        trial.options = ["--limit", "2"]
        small = trial.finish()
        assert small.returncode == 0
        assert len(yaml.safe_load((trial.run / "run.yaml").read_text())["asked"]) == 24
        summary = Summary.read(trial.run / "summary.json")
        assert summary.counts["owed"] == 24
        assert summary.counts["remaining"] > 0
        assert str(summary.counts["remaining"]) in small.stderr
        trial.options = []
        assert trial.finish().returncode == 0
        assert Summary.read(trial.run / "summary.json").counts["remaining"] == 0


# Exit codes


def command(place, suite, server, *words):
    code = "from longbench_write.errors import RetryPolicy; RetryPolicy.wait = lambda *_: 0.0\n"
    code += "from longbench_write.cli.app import main; main()"
    given = ["--model", "m", "--suite", str(suite), "--base-url", server.base_url, "--judge", "none"]
    out = ["--out", str(place / "out"), "--concurrency", "1", "--progress", "none"]
    return subprocess.run(
        [sys.executable, "-c", code, *given, *out, *words], capture_output=True, text=True, timeout=120
    )


def broken_for(number, answer):
    def respond(body, place):
        return answer if f"number {number}" in body["messages"][-1]["content"] else writer(20)(body, place)

    return respond


def test_what_failed_transiently_is_owed_and_the_code_is_1(tmp_path, suite):
    with OpenAIServer(broken_for(4, Answer(status=500))) as server:
        first = command(tmp_path, suite, server)
        assert first.returncode == 1
        assert "1 response" in first.stderr
        other = command(tmp_path, suite, server, "--ids", "rivers-1,rivers-2")
        assert other.returncode == 0
        assert "1 response" in other.stderr
        server.answer = writer(20)
        assert command(tmp_path, suite, server).returncode == 0
    assert len(keys(tmp_path)) == len(LENGTHS)


def test_what_failed_for_good_is_not_owed_and_is_counted(tmp_path, suite):
    with OpenAIServer(broken_for(4, TOO_LONG)) as server:
        done = command(tmp_path, suite, server)
        assert done.returncode == 0
        assert "--retry-failed" in done.stderr
        assert command(tmp_path, suite, server, "--strict").returncode == 1
        again = command(tmp_path, suite, server)
        assert again.returncode == 0
        first = again.stderr.splitlines()[0]
        start = str(manifest_of(tmp_path)["start"])
        assert "nothing is owed" not in first
        assert start in first
        assert "--retry-failed" in first
        assert len(server.requests) == 8


def test_a_selection_of_a_suite_of_one_s_own_is_weighted_by_its_shares_too(tmp_path):
    lengths = {"[0,500)": 100, "[500,2000)": 1000}
    rows = [
        {"id": f"{label}-{number}", "prompt": f"Write {length} words, {number}.", "length": length}
        for (label, length), prompts in zip(lengths.items(), (9, 3), strict=True)
        for number in range(prompts)
    ]
    suite = tmp_path / "own.jsonl"
    suite.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with OpenAIServer(writer(80)) as server:
        part = run(tmp_path, suite, server, limit=6)
        whole = run(tmp_path, suite, server)
    assert manifest_of(tmp_path)["suite"]["ranges"] == [9, 3, 0, 0, 0]
    means = {group["range"]: group["S_l"] for group in part.by_length}
    assert part.S_l == pytest.approx((means["[0,500)"] + means["[500,2000)"]) / 2)
    assert part.weighted["S_l"] == pytest.approx((9 * means["[0,500)"] + 3 * means["[500,2000)"]) / 12)
    assert part.weighted["S_l"] == pytest.approx(whole.S_l)
    assert part.is_selection
    assert not whole.is_selection


def test_a_suite_that_asks_for_no_length_somewhere_has_no_shares(tmp_path):
    suite = tmp_path / "own.jsonl"
    rows = [{"prompt": "Write.", "length": None}, {"prompt": "Write 100 words.", "length": 100}]
    suite.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert load_suite(suite).ranges is None
    with OpenAIServer(writer(80)) as server:
        assert run(tmp_path, suite, server, limit=1).weighted is None
