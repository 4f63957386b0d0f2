"""What goes wrong around a run: shares, descriptors, look-ups, keys, redirects, a judge that cannot judge."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from crash_tests import HANGING, Results, Trial, few_files, judge_outcome, slow_share
from servers.answers import Answer, varied_judge
from servers.openai_server import OpenAIServer

from benchmarks.reliability import windows
from benchmarks.reliability.experiments import nothing, starved
from benchmarks.reliability.rows import PROMPTS, Experiment, Row, Whole

KEY = "sk-of-the-reliability-benchmark"
MANY = ["--concurrency", "24", "--judge-concurrency", "24"]


def share(seconds: float) -> Experiment:
    """Each write of a record takes seconds; SIGTERM comes once all answers are sent."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        with Trial(place, options=MANY) as trial:
            trial.finish()
            run = trial.run
            shutil.rmtree(run)
            asked = trial.model.answered
            with subprocess.Popen(
                [*slow_share(run, seconds), *trial.words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as child:
                trial.model.wait_for(lambda: trial.model.answered >= asked + PROMPTS)
                child.send_signal(signal.SIGTERM)
                child.wait(30)  # the grace that batch systems give
            trial.settle()
            outcome = judge_outcome(trial, whole.results, 2 * whole.requests, done=trial.finish())
            return [Row(f"SIGTERM on a share of {seconds:g} s a write (strace)", PROMPTS, outcome)]

    return experiment


def open_files(limit: int) -> Experiment:
    """The process may have few files and connections open."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        with Trial(place, options=MANY) as trial:
            done = trial.finish(preexec_fn=few_files(limit))
            outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
            return [Row("too many open files (RLIMIT_NOFILE)", 1, outcome)]

    return experiment


def waited_for(place: Path, whole: Whole) -> list[Row]:
    """A second process waits for the folder, and then has nothing to ask."""
    with Trial(place) as trial, trial.start() as child:
        trial.model.wait_for(lambda: len(trial.model.requests) >= 2)
        trial.options += ["--wait", "120"]
        done = trial.finish()
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
        if child.wait(120):
            outcome.said = "the first process failed"
        return [Row("a second process that waits (--wait)", 1, outcome)]


def hung_look_ups(place: Path, whole: Whole) -> list[Row]:
    """The server's name is never found, and the time is over; then it is."""

    def stop(trial: Trial) -> None:
        words = [word.replace("127.0.0.1", "hanging.invalid") for word in trial.words]
        command = [sys.executable, "-c", HANGING, *words, "--max-time", "1"]
        subprocess.run(command, capture_output=True, timeout=60, check=False)

    return starved("name look-ups that hang", stop, nothing)(place, whole)


def echoed_key(place: Path, whole: Whole) -> list[Row]:
    """A server's errors repeat the key that it was sent; it must stand nowhere."""
    name = "a server that repeats the key"
    error = {"message": f"Incorrect API key provided: {KEY}", "code": None}
    os.environ["LBW_RELIABILITY_KEY"] = KEY
    with Trial(place, options=["--api-key-env", "LBW_RELIABILITY_KEY"]) as trial:
        usual = trial.model.answer
        fault = Answer(status=500, error=error)
        trial.model.answer = lambda body, number: fault if number % 4 == 0 else usual(body, number)
        done = trial.finish()
        injected = sum(number % 4 == 0 for number in range(len(trial.model.requests)))
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=injected)
        files = [path.read_text(errors="replace") for path in trial.out.rglob("*") if path.is_file()]
        if any(KEY in text for text in (done.stdout, done.stderr, *files)):
            outcome.said = "the key was leaked"
        return [Row(name, injected, outcome)]


def redirected(place: Path, whole: Whole) -> list[Row]:
    """One answer redirects to another server, which must get nothing; the run stops and is finished."""
    with OpenAIServer(varied_judge()) as other, Trial(place) as trial:
        usual = trial.model.answer
        elsewhere = {"Location": f"{other.base_url}/chat/completions"}
        fault = Answer(status=307, headers=elsewhere)
        trial.model.answer = lambda body, number: fault if number == 9 else usual(body, number)
        trial.finish()
        done = trial.finish()
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=1)
        if other.requests:
            outcome.said = "the other server got a request"
        return [Row("a redirect to another server", 1, outcome)]


def broken_judge(place: Path, whole: Whole) -> list[Row]:
    """The judge gives no valid reply, and is asked no more; mended, it is asked for what is owed."""
    with Trial(place) as trial:
        usual = trial.judges.answer
        trial.judges.answer = lambda body, number: Answer("Good.")
        trial.finish()
        trial.settle()
        invalid = len(trial.judges.requests)
        trial.judges.answer = usual
        trial.options += ["--retry-failed"]
        done = trial.finish()
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=invalid)
        if not done.returncode:  # the invalid replies were paid for, which the summary says
            ended = Results.read(trial.run).files
            both = [{**each["summary.json"], "usage": None} for each in (ended, whole.results.files)]
            outcome.equal = both[0] == both[1] and ended["scores.csv"] == whole.results.files["scores.csv"]
        return [Row("a judge without a valid reply", invalid, outcome)]


def experiments() -> list[Experiment]:
    """List all of them; those on slow shares where there is strace."""
    return [
        *([share(0.5), share(2.0)] if shutil.which("strace") else []),
        *map(open_files, (24, 30, 40)),
        waited_for,
        hung_look_ups,
        echoed_key,
        redirected,
        broken_judge,
        *windows.experiments(),
    ]
