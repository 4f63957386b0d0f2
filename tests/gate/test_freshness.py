"""When run and baseline were made, how much of the run is new, and runs that are too old for a verdict."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_samples import made, write_run, wrote_well
from hypothesis import given
from hypothesis import strategies as st
from samples import RUN_INFO, write_suite
from servers.openai_server import OpenAIServer, writer
from value_faults import command

from longbench_write.compare.baseline import baseline_text, read_baseline
from longbench_write.compare.freshness import Freshness
from longbench_write.compare.loading import load_scores
from longbench_write.compare.pooling import pooled
from longbench_write.files.times import is_time, now, parse_time
from longbench_write.gate.age import held_to_age
from longbench_write.gate.gate import Outcome, check
from longbench_write.records import Step
from longbench_write.runs.predictions import chained_prediction
from longbench_write.suites.suite import Prompt
from longbench_write.testing import GateNoteWarning, assert_no_regression
from longbench_write.writers.base import Draft

NIGHT = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)


def at(*hours, start=-1.0):
    """Scores of a sample a prompt, made so many hours after `NIGHT` in a run that began at `start`."""
    times = {(f"p-{number:03d}", 0): NIGHT + timedelta(hours=hour) for number, hour in enumerate(hours)}
    begun = (NIGHT + timedelta(hours=start)).isoformat()
    known = {key: time.isoformat() for key, time in times.items()}
    return replace(made([[60]] * len(hours), start=begun), kept_made=known)


def test_what_is_new_is_what_was_made_after_the_baselines_last():
    fresh = Freshness.of(at(0, 1, 2, 3), at(2, 3, 3.5, 24))
    assert (fresh.new_responses, fresh.own_responses) == (2, 0)
    assert (fresh.baseline.first, fresh.baseline.last) == (NIGHT, NIGHT + timedelta(hours=3))
    assert (fresh.run.first, fresh.run.last) == (NIGHT + timedelta(hours=2), NIGHT + timedelta(hours=24))
    assert fresh.to_json()["run"]["last"] == "2026-11-28T02:00:00+00:00"


def test_a_run_whose_responses_are_the_baselines_own_is_said_to_be_it():
    fresh = Freshness.of(at(0, 1, 2), at(0, 1, 2))
    assert (fresh.new_responses, fresh.own_responses) == (0, 3)
    assert fresh.sentence().startswith("WARNING")
    fresh = Freshness.of(at(0, 1), at(0, 1, 2))
    assert fresh.own_responses == 2
    assert re.search(r"^WARNING.*\b2 of 3\b", fresh.sentence())


def test_a_run_of_which_a_pooled_baseline_was_made_is_found_in_it(tmp_path):
    starts = [f"2026-11-2{day}T00:00:00+00:00" for day in (1, 2, 3)]
    runs = [
        write_run(tmp_path / start[:10], wrote_well(8, seed=int(start[9])), start=start) for start in starts
    ]
    one, two, three = (
        replace(scores, kept_made=dict.fromkeys(scores.responses, start))
        for scores, start in zip(map(load_scores, runs), starts, strict=True)
    )
    assert Freshness.of(pooled([one, two]), two).own_responses == 8
    assert Freshness.of(pooled([one, two]), three).own_responses == 0
    assert Freshness.of(pooled([one, two]), pooled([two, three])).own_responses == 8


def test_a_response_that_does_not_say_was_made_after_its_run_began():
    old = replace(at(0, 1), kept_made={})
    assert Freshness.of(old, at(0, 1)).baseline.last == NIGHT - timedelta(hours=1)
    half = at(0, 1)
    fresh = Freshness.of(old, replace(half, kept_made=dict([*half.made.items()][:1])))
    assert (fresh.run.first, fresh.new_responses) == (NIGHT - timedelta(hours=1), 1)
    assert Freshness.of(old, old).own_responses == 2


def test_of_imported_responses_nobody_knows():
    settings = {**RUN_INFO.settings, "backend": "imported"}
    imported = replace(at(0, 1), kept_made={}, info=replace(RUN_INFO, settings=settings))
    fresh = Freshness.of(at(0, 1), imported)
    assert (fresh.run, fresh.new_responses, fresh.own_responses) == (None, None, 0)
    assert fresh.to_json()["run"] is None
    other = replace(imported, responses=made([[60], [70]]).responses)
    assert not Freshness.of(other, imported).repeats_baseline
    assert not Freshness.of(at(0, 1), imported).repeats_baseline
    bare = replace(at(0, 1), kept_made={}, info=None)
    assert Freshness.of(bare, imported).to_json() == {"run": None, "baseline": None, "new_responses": None}


def test_imported_responses_that_are_all_like_the_baselines_may_be_its_own():
    settings = {**RUN_INFO.settings, "backend": "imported"}
    info = replace(RUN_INFO, settings=settings)
    baseline, run = (replace(made([[60], [70]]), info=info, kept_made={}) for _ in range(2))
    fresh = Freshness.of(baseline, run)
    assert (fresh.own_responses, fresh.is_alike, fresh.repeats_baseline) == (0, True, True)
    assert fresh.sentence().startswith("WARNING")
    pool = replace(made([[60, 65], [70, 65]]), info=info, kept_made={})
    assert Freshness.of(pool, run).is_alike
    assert not Freshness.of(run, pool).is_alike
    longer = {key: replace(each, words=each.words + 1) for key, each in run.responses.items()}
    assert not Freshness.of(baseline, replace(run, responses=longer)).is_alike
    assert not Freshness.of(baseline, replace(run, responses={})).is_alike


@given(st.text() | st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat))
def test_any_text_is_a_time_or_none(text):
    if is_time(text):
        assert parse_time(text).tzinfo is UTC


def test_a_verdict_on_responses_that_are_too_old_cannot_be_told_whatever_it_was():
    old, run = at(*range(8)), at(*[24 + hour for hour in range(8)])
    later = NIGHT + timedelta(hours=30)
    fell = replace(run, responses=made([[20]] * 8).responses)
    for each, outcome in ((run, Outcome.PASSED), (fell, Outcome.REGRESSED)):
        verdict = check(old, each)
        assert verdict.outcome is outcome
        assert held_to_age(verdict, 6, later) == verdict
        held = held_to_age(verdict, 5.9, later)
        assert (held.outcome, held.exit_code) == (Outcome.UNDECIDED, 1)
        assert all(verdict.findings[0].message in finding.message for finding in held.findings[:1])
    unknown = check(old, replace(run, kept_made={}, info=None))
    assert held_to_age(unknown, 1000, later).exit_code == 1


def test_a_response_of_steps_is_as_old_as_the_first_of_them():
    prompt = Prompt(id="p", prompt="Write.", type="t", language="en", length=100)
    answer = {
        "text": "x",
        "reasoning": "",
        "finish_reason": "stop",
        "usage": {},
        "seconds": 1.0,
        "attempts": 1,
    }
    steps = [
        Step("p", 0, f"write-{day}", 0, "5" * 64, "writer", **answer, made=f"2026-11-{day}T00:00:00+00:00")
        for day in (27, 26, 28)
    ]
    record = chained_prediction(prompt, 0, Draft("x"), steps, steps)
    assert record.made == "2026-11-26T00:00:00+00:00"
    steps[0] = replace(steps[0], made=None)
    assert chained_prediction(prompt, 0, Draft("x"), steps, steps).made is None


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_records_when_each_response_came_and_a_baseline_keeps_it(place):
    suite = write_suite(place)
    before = now()
    with OpenAIServer(writer(100)) as server:
        words = ("--model", "m", "--base-url", server.base_url, "--suite", suite, "--judge", "none")
        assert command(*words, "--out", "out").code == 0
        assert command(*words, "--out", "later").code == 0
    run = load_scores(place / "out")
    assert run.made.keys() == run.responses.keys()
    assert all(before <= time <= now() for time in run.made.values())
    Path("main.json").write_text(baseline_text(run))
    assert read_baseline(Path("main.json")).made == run.made
    found = json.loads(command("check", "out", "--baseline", "main.json", "--json").out)
    assert found["fresh"]["run"] == found["fresh"]["baseline"]
    assert found["fresh"]["new_responses"] == 0
    assert found["notes"][0].startswith("WARNING")


def test_max_age_on_the_command_line_in_the_file_and_in_tests(place):
    run = write_run(place / "run", wrote_well(8))  # its run.yaml says when it began, months before any test
    assert command("check", run, "--baseline", run).code == 0
    assert command("check", run, "--baseline", run, "--max-age", "1").code == 1
    assert command("check", run, "--baseline", run, "--max-age", "900000").code == 0
    assert command("check", run, "--baseline", run, "--max-age", "-1").code == 2
    Path("lbw-gate.yaml").write_text("max-age: 1\nbaseline: run\n")
    assert command("check", run).code == 1
    assert command("check", run, "--max-age", "900000").code == 0
    with pytest.warns(GateNoteWarning, match="baseline's own"):
        assert_no_regression(run, run, max_age=900000)
    with pytest.raises(AssertionError):
        assert_no_regression(run, run, max_age=1)


def test_the_first_lines_say_when_both_were_made(place):
    run = write_run(place / "run", wrote_well(8))
    done = command("check", run, "--baseline", run, "--markdown", "gate.md")
    sentence = Freshness.of(load_scores(run), load_scores(run)).sentence()
    assert done.out.splitlines()[1] == sentence
    assert Path("gate.md").read_text().splitlines()[2].startswith("WARNING")
