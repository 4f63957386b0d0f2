"""Slurm starts a command once for each task of a step, and again when a job is requeued: it is one run."""

from __future__ import annotations

import os
import subprocess

import pytest
from crash_tests import COMMAND, Results, Trial
from hypothesis import given
from hypothesis import strategies as st
from servers.answers import Answer, varied_writer

from longbench_write import evaluate
from longbench_write.runs.slurm import SlurmTask

JOB = {"SLURM_JOB_ID": "17", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "3"}
LENGTHS = (100, 200, 300, 400)


def of_a_step(trial, tasks=3, words=None):
    """Start a command, the trial's own without another, once for each task, as srun does.

    Returns:
        How each ended, and what it said.
    """
    environments = [{**os.environ, **JOB, "SLURM_PROCID": str(task)} for task in range(tasks)]
    children = [
        subprocess.Popen(
            [*COMMAND, *(words or trial.words)],
            env=env,
            stderr=subprocess.PIPE,
            text=True,
            stdout=subprocess.DEVNULL,
        )
        for env in environments
    ]
    said = [child.communicate(timeout=120)[1] for child in children]
    return [child.returncode for child in children], said


def test_the_tasks_of_a_step_make_one_run_and_end_alike(tmp_path):
    with Trial(tmp_path, lengths=LENGTHS, options=["--fresh"]) as trial:
        codes, said = of_a_step(trial)
        assert codes == [0, 0, 0], said
        assert len(trial.requests) == 2 * len(LENGTHS)
        assert len(list(trial.out.glob("*/*/*"))) == 1
        assert Results.read(trial.run).doubled == 0


def test_the_tasks_of_a_step_take_the_code_of_the_first_that_was_stopped(tmp_path):
    refusal = Answer(status=401, error={"message": "no"})
    usual = varied_writer()
    with Trial(
        tmp_path,
        written=lambda body, number: refusal if number else usual(body, number),
        lengths=LENGTHS,
        options=["--concurrency", "1"],
    ) as trial:
        codes, said = of_a_step(trial)
        assert codes == [1, 1, 1], said
        assert len(trial.model.requests) == 2


def judging(trial, *more):
    """Return the command that judges the trial's run."""
    words = trial.words
    place = words.index("--judge")
    return ["judge", str(trial.run), *words[place : place + 4], "--progress", "none", *more]


def test_the_tasks_of_a_step_generate_once_and_then_judge_once(tmp_path):
    with Trial(tmp_path, lengths=LENGTHS) as trial:
        place = trial.words.index("--judge")
        generated = [*trial.words[:place], *trial.words[place + 4 :], "--judge", "none"]
        for words in (lambda: generated, lambda: judging(trial), lambda: ["score", str(trial.run)]):
            codes, said = of_a_step(trial, words=words())
            assert codes == [0, 0, 0], said
        assert (len(trial.model.requests), len(trial.judges.requests)) == (len(LENGTHS), len(LENGTHS))
        assert Results.read(trial.run).doubled == 0


def test_the_tasks_of_a_step_take_the_code_of_the_first_whose_judging_was_stopped(tmp_path):
    with Trial(tmp_path, lengths=LENGTHS, options=["--judge-concurrency", "1"]) as trial:
        usual = trial.judges.answer
        refusal = Answer(status=401, error={"message": "no"})
        trial.judges.answer = lambda body, number: refusal if number else usual(body, number)
        assert trial.finish().returncode == 1
        before = len(trial.requests)
        codes, said = of_a_step(trial, words=judging(trial, "--judge-concurrency", "1"))
        assert codes == [1, 1, 1], said
        assert len(trial.requests) == before + 1


@pytest.fixture
def job(monkeypatch):
    """Set what Slurm says of this process."""

    def setenv(**more):
        for name, value in (JOB | {"SLURM_PROCID": "0"} | more).items():
            monkeypatch.setenv(name, value)

    return setenv


def test_fresh_in_a_job_that_was_requeued_resumes_what_it_began(tmp_path, job):
    with Trial(tmp_path, lengths=LENGTHS) as trial:

        def fresh(limit):
            before = len(trial.model.requests)
            evaluate(
                model="m",
                suite=trial.words[3],
                base_url=[trial.model.base_url],
                out=trial.out,
                fresh=True,
                limit=limit,
            )
            return len(trial.model.requests) - before, len(list(trial.out.glob("*/*/*")))

        job()
        assert fresh(2) == (2, 1)
        job(SLURM_RESTART_COUNT="1")
        assert fresh(4) == (2, 1)
        assert fresh(4) == (4, 2)  # the job's second command, as ever
        job(SLURM_JOB_ID="18")
        assert fresh(1) == (1, 3)


def test_a_step_of_its_own_resumes_as_ever(tmp_path, job):
    with Trial(tmp_path, lengths=LENGTHS) as trial:
        asked = {"model": "m", "suite": trial.words[3], "base_url": [trial.model.base_url], "out": trial.out}
        job()
        evaluate(**asked, limit=2)
        job(SLURM_STEP_ID="1", SLURM_PROCID="1")
        assert evaluate(**asked).counts["generated"] == len(LENGTHS)


@given(st.dictionaries(st.sampled_from([*JOB, "SLURM_PROCID", "SLURM_RESTART_COUNT"]), st.text(max_size=4)))
def test_any_environment_is_read(environment):
    task = SlurmTask.of(environment)
    assert (task is None) == (not environment.get("SLURM_JOB_ID"))
