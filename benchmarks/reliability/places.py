"""What happens to a run where it runs: signals, planted links, folders that go, files with gaps."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from crash_tests import Outcome, Trial, judge_outcome
from servers.answers import Answer
from test_value_faults import ALL, LENGTHS, OPTIONS, Place, tried

from benchmarks.reliability.experiments import nothing, refused, served, starved, terminated
from benchmarks.reliability.rows import Experiment, Row, Whole

STATUSES = (423, 424, 425, 430, 460, 498, 499, 529)
WRONG_VALUES = 10
"""Wrong values of each file."""


def _status(status: int) -> Callable[[Answer], Answer]:
    return lambda _: Answer(status=status, error={"message": "not now", "code": None})


def _ended(reason: str) -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, finish_reason=reason, text=answer.text[: len(answer.text) // 2])


def planted_links(place: Path, whole: Whole) -> list[Row]:
    """Names in the run folder are links to a file elsewhere, which must stay what it is."""
    victim = place / "victim"
    with Trial(place) as trial:
        trial.finish()
        victim.write_text("mine")
        names = ("scores.csv", "summary.json", "scores.csv.tmp", "summary.json.tmp", "run.yaml.tmp")
        for name in names:
            (trial.run / name).unlink(missing_ok=True)
            (trial.run / name).symlink_to(victim)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        if victim.read_text() != "mine":
            outcome.said = "a file elsewhere was overwritten"
        return [Row("links planted in the run folder", len(names), outcome)]


def folder_removed(answers: int) -> Experiment:
    """The run folder is moved away in the middle, and comes back once the process has stopped."""

    def stop(trial: Trial) -> None:
        away = trial.out.parent / "away"
        with trial.start() as child:
            trial.model.wait_for(lambda: trial.model.answered >= answers)
            run = trial.run
            run.rename(away)
            if child.wait(120) == 0:
                raise AssertionError("a run that has lost its folder ended with 0")
        trial.settle()
        shutil.rmtree(run, ignore_errors=True)
        away.rename(run)

    return starved("the run folder moved away in the middle", stop, nothing)


def stopped(place: Path, whole: Whole) -> list[Row]:
    """The process is stopped for longer than --idle-timeout, with requests in flight."""
    with Trial(place, options=["--idle-timeout", "2"]) as trial, trial.start() as child:
        trial.model.wait_for(lambda: len(trial.model.requests) >= 5)
        child.send_signal(signal.SIGSTOP)
        time.sleep(4)
        child.send_signal(signal.SIGCONT)
        child.wait(120)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        return [Row("stopped for longer than --idle-timeout (SIGSTOP)", 1, outcome)]


def gap(name: str) -> Experiment:
    """A file ends in null bytes, as a power cut leaves it."""

    def stop(trial: Trial) -> None:
        trial.finish()
        with (trial.run / name).open("ab") as file:
            file.write(b"\0" * 4096)

    return starved(f"null bytes at the end of {name}", stop, nothing)


def lock_removed(place: Path, whole: Whole) -> list[Row]:
    """Somebody removes the lock, and a second process wants the folder while the first is at work."""
    with Trial(place) as trial, trial.start() as child:
        trial.model.wait_for(lambda: len(trial.model.requests) >= 2)
        (trial.run / ".lock").unlink(missing_ok=True)
        second = trial.finish()
        child.wait(120)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        if "Traceback" in second.stderr:
            outcome.said = second.stderr
        return [Row("a second process once the lock was removed", 1, outcome)]


def wrong_values(name: str) -> Experiment:
    """Values of a file are of another type, null, huge or negative: commands name them, or end as ever."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        with Trial(place / "trial", lengths=LENGTHS, options=OPTIONS) as trial:
            wrong = tried(Place(place, trial), name, WRONG_VALUES, seed=4)
        return [
            Row(f"a wrong value in {name}", WRONG_VALUES, Outcome(0, 0, 0, 0, not wrong, "; ".join(wrong)))
        ]

    return experiment


def experiments() -> list[Experiment]:
    """List all but the wrong values, which change this process's streams and run alone."""
    signals = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGQUIT)
    return [
        *(served(f"HTTP {status}", _status(status), needed=True, share=0.08) for status in STATUSES),
        *(
            served(f"finish reason {reason}, half of the text", _ended(reason), needed=True, share=0.08)
            for reason in ("abort", "error", "network_error")
        ),
        refused("HTTP 402, the run stops", 402, "Payment required"),
        refused("HTTP 429 of an account without credit, the run stops", 429, "insufficient_quota"),
        *(terminated(number, requests) for number in signals for requests in (6,)),
        planted_links,
        *map(folder_removed, (3, 9)),
        stopped,
        gap("predictions.jsonl"),
        gap("judgements.jsonl"),
        lock_removed,
    ]


def value_experiments() -> list[Experiment]:
    """List those of wrong values, one a file."""
    return list(map(wrong_values, ALL))
