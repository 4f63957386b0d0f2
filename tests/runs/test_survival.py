"""A run survives faults, SIGKILL, a full disk and a clock set back: nothing is lost or counted twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from crash_tests import (
    BACKWARDS,
    COMMAND,
    FILES,
    Results,
    Trial,
    asked,
    enlarged,
    few_files,
    judge_outcome,
    killed,
    moments,
    mounted,
    small_files,
    unmounted,
    unprivileged,
)
from servers.answers import HARMLESS, STALLS, TRANSIENT, Faulty, varied_judge, varied_writer

from longbench_write import evaluate
from longbench_write.cli.table import footer


def evaluated(trial, **more):
    """The trial's run in this process."""
    words = dict(zip(trial.words[::2], trial.words[1::2], strict=True))
    options = {name[2:].replace("-", "_"): value for name, value in words.items()}
    for name in ("base_url", "judge_base_url"):
        options[name] = [options[name]]
    return evaluate(**options | more)


def first_answers(answer, faults):
    """Spoils the first answer to each request with one fault after another."""
    seen = Counter()

    def respond(body, number):
        prompt = body["messages"][-1]["content"]
        seen[prompt] += 1
        made = answer(body, number)
        return list(faults.values())[(len(seen) - 1) % len(faults)](made) if seen[prompt] == 1 else made

    return respond


def test_each_passing_fault_costs_one_request_and_nothing_else(tmp_path):
    with Trial(tmp_path / "whole") as trial:
        evaluated(trial)
        whole = Results.read(trial.run)
    served = first_answers(varied_writer(), TRANSIENT), first_answers(varied_judge(), TRANSIENT)
    with Trial(tmp_path / "faulty", written=served[0], judged=served[1]) as trial:
        summary = evaluated(trial)
        assert set(asked(trial.requests).values()) == {2}
        found = Results.read(trial.run)
    assert found == whole
    assert summary.counts["retries"] == summary.counts["judge_retries"] == 24
    assert "retried after transient failures: 24 of the model, 24 of the judge" in footer(summary, tmp_path)


def test_oddities_of_a_whole_answer_cost_nothing(tmp_path):
    lengths = [100 + place for place in range(len(HARMLESS))]
    with Trial(tmp_path, written=first_answers(varied_writer(), HARMLESS), lengths=lengths) as trial:
        assert evaluated(trial).counts["judged"] == len(HARMLESS)
        assert set(asked(trial.requests).values()) == {1}


@pytest.mark.slow
def test_with_a_tenth_of_all_answers_faulty_the_summary_is_the_same(tmp_path):
    """Over the 120 official prompts; each fault costs one request, the least there can be."""
    with Trial(tmp_path / "whole", suite="longbench-write") as trial:
        evaluated(trial, concurrency=16, judge_concurrency=16)
        whole = Results.read(trial.run)
    faulty = Faulty(varied_writer(), 0.1, 1), Faulty(varied_judge(), 0.1, 2)
    given = {"written": faulty[0], "judged": faulty[1], "suite": "longbench-write"}
    with Trial(tmp_path / "faulty", **given) as trial:
        evaluated(trial, concurrency=16, judge_concurrency=16)
        injected = sum(sum(each.injected.values()) for each in faulty)
        assert len(trial.requests) == 240 + injected
        assert Results.read(trial.run) == whole
    assert injected > 12


def test_a_seed_chooses_the_same_faults_whatever_the_order():
    bodies = [{"messages": [{"content": f"Write {number}."}]} for number in range(200)]
    chosen = []
    for order in (bodies, bodies[::-1]):
        faulty = Faulty(varied_writer(), 0.1, 7)
        answers = {body["messages"][0]["content"]: faulty(body, 0) for body in order}
        chosen.append({prompt for prompt, answer in answers.items() if answer.fault or answer.status != 200})
    assert chosen[0] == chosen[1]
    assert 8 <= len(chosen[0]) <= 40


# Real processes


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What an undisturbed run leaves, how many requests it makes, and the sizes of its files."""
    with Trial(tmp_path_factory.mktemp("whole")) as trial:
        assert trial.finish().returncode == 0
        sizes = {name: (trial.run / name).stat().st_size for name in FILES}
        return Results.read(trial.run), len(trial.requests), sizes


@pytest.mark.slow
@pytest.mark.parametrize("place", range(50))
def test_killed_at_any_moment_the_same_command_finishes_the_run(tmp_path, undisturbed, place):
    whole, normal, sizes = undisturbed
    moment = moments(50, seed=8, prompts=24, sizes=sizes)[place]
    hit, outcome = killed(tmp_path, moment, whole, normal)
    assert hit, moment
    assert outcome.good, (moment, outcome)
    assert outcome.extra == outcome.least


@pytest.mark.slow
@pytest.mark.parametrize("name", ["predictions.jsonl", "judgements.jsonl"])
def test_a_torn_last_line_is_asked_again_alone(tmp_path, undisturbed, name):
    whole, normal, _ = undisturbed
    with Trial(tmp_path) as trial:
        trial.finish()
        path = trial.run / name
        path.write_bytes(path.read_bytes()[:-20])
        outcome = judge_outcome(trial, whole, normal, done=trial.finish())
        usage = json.loads((trial.run / "summary.json").read_text(encoding="utf-8"))["usage"]
    assert (outcome.lost, outcome.doubled, outcome.said) == (0, 0, "")
    assert outcome.extra == (2 if name == "predictions.jsonl" else 1)
    spent = whole.files["summary.json"]["usage"]
    if name == "predictions.jsonl":  # its judgement is made anew, and was paid for twice
        assert usage["judge"]["completion_tokens"] > spent["judge"]["completion_tokens"]
    else:
        assert outcome.equal
        assert usage == spent


@pytest.mark.slow
@pytest.mark.parametrize("limit", [200, 3000, 12_000, 20_000])
def test_files_that_may_not_grow_lose_nothing(tmp_path, undisturbed, limit):
    whole, normal, _ = undisturbed
    with Trial(tmp_path) as trial:
        stopped = trial.finish(**small_files(limit))
        assert stopped.returncode in (1, 2)
        assert "cannot write" in stopped.stderr
        assert "Traceback" not in stopped.stderr
        trial.settle()
        kept, before = trial.recorded(), len(trial.requests)
        outcome = judge_outcome(trial, whole, normal, done=trial.finish(), least=before - len(kept))
    assert outcome.good, outcome
    assert outcome.extra == outcome.least


@pytest.mark.slow
@pytest.mark.parametrize("limit", [24, 30])
def test_too_many_open_files_slow_a_run_down_and_lose_nothing(tmp_path, undisturbed, limit):
    whole, normal, _ = undisturbed
    with Trial(tmp_path, options=["--concurrency", "64", "--judge-concurrency", "64"]) as trial:
        done = trial.finish(preexec_fn=few_files(limit))
        outcome = judge_outcome(trial, whole, normal, done=done)
    assert outcome.good, outcome
    assert outcome.extra == 0
    assert "slowed to" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [8, 20, 40])
def test_a_full_disk_loses_nothing(tmp_path, undisturbed, kilobytes):
    whole, normal, _ = undisturbed
    with Trial(tmp_path / "trial") as trial:
        if not mounted(trial.out, kilobytes):
            pytest.skip("only root mounts a small file system; a limit on file sizes stands in for it above")
        try:
            stopped = trial.finish()
            assert stopped.returncode in (1, 2)
            assert "No space left on device" in stopped.stderr
            assert "Traceback" not in stopped.stderr
            trial.settle()
            kept, before = trial.recorded(), len(trial.requests)
            enlarged(trial.out, 4096)
            outcome = judge_outcome(trial, whole, normal, done=trial.finish(), least=before - len(kept))
        finally:
            unmounted(trial.out)
    assert outcome.good, outcome
    assert outcome.extra == outcome.least


@pytest.mark.slow
def test_a_folder_that_becomes_read_only_loses_nothing(tmp_path, undisturbed):
    whole, normal, _ = undisturbed
    with Trial(tmp_path) as trial:
        command = [*unprivileged(), *COMMAND, *trial.words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as child:
            assert trial.model.wait_for(lambda: trial.model.answered >= 5)
            os.chmod(trial.run, 0o555)
            _, err = child.communicate(timeout=120)
        os.chmod(trial.run, 0o755)
        assert child.returncode == 1
        assert "Permission denied" in err
        assert "Traceback" not in err
        outcome = judge_outcome(trial, whole, normal, done=trial.finish())
    assert outcome.good, outcome
    assert outcome.extra == 0


@pytest.mark.slow
def test_a_clock_that_is_set_back_changes_nothing(tmp_path, undisturbed):
    whole, normal, _ = undisturbed
    with Trial(tmp_path) as trial:
        done = subprocess.run(
            [sys.executable, "-c", BACKWARDS, *trial.words], capture_output=True, text=True, timeout=300
        )
        outcome = judge_outcome(trial, whole, normal, done=done)
        assert outcome.good, outcome
        assert outcome.extra == 0
        assert '"seconds": -' not in (trial.run / "predictions.jsonl").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", STALLS)
def test_a_stall_costs_one_request(tmp_path, name):
    stall = {name: STALLS[name]}
    with Trial(tmp_path, written=first_answers(varied_writer(), stall), lengths=(200, 900)) as trial:
        assert evaluated(trial, idle_timeout=5.0).counts["judged"] == 2
        assert set(asked(trial.model.requests).values()) == {2}
