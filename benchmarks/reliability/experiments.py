"""Faults of servers, killed processes, full disks: each an experiment of the benchmark."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crash_tests import (
    BACKWARDS,
    COMMAND,
    Trial,
    enlarged,
    faulty_servers,
    judge_outcome,
    killed,
    moments,
    mounted,
    small_files,
    unmounted,
    unprivileged,
)
from servers.answers import HARMLESS, STALLS, TRANSIENT, Answer, AnswerFunction, varied_writer

from benchmarks.reliability.rows import KILLS, PROMPTS, SEED, Experiment, Row, Whole


def served(name: str, fault: Callable[[Answer], Answer], *, needed: bool, share: float) -> Experiment:
    """A share of all answers has a fault; each needs another request, or none does."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        model, judges = faulty_servers(share, SEED, {name: fault})
        with Trial(place, written=model, judged=judges, options=["--idle-timeout", "5"]) as trial:
            done = trial.finish()
            injected = model.injected.total() + judges.injected.total()
            least = injected if needed else 0
            return [
                Row(
                    name,
                    injected,
                    judge_outcome(trial, whole.results, whole.requests, done=done, least=least),
                )
            ]

    return experiment


def at_tenth(answer: AnswerFunction, fault: Answer) -> AnswerFunction:
    """The tenth request is answered with a fault."""
    return lambda body, number: fault if number == 9 else answer(body, number)


def refused(name: str, status: int, message: str, *more: str) -> Experiment:
    """One answer is a permanent error; the next command retries it."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        refusal = Answer(status=status, error={"message": message})
        with Trial(place, written=at_tenth(varied_writer(), refusal)) as trial:
            trial.finish()
            trial.options += more
            done = trial.finish()
            return [Row(name, 1, judge_outcome(trial, whole.results, whole.requests, done=done, least=1))]

    return experiment


def odd(name: str, change: Mapping[str, Any], same_as: Mapping[str, Any]) -> Experiment:
    """The tenth answer lacks something: it counts as what it is, as in a run whose model means just that."""

    def changed(how: Mapping[str, Any]) -> AnswerFunction:
        usual = varied_writer()
        return lambda body, number: (
            replace(usual(body, number), **how)
            if "number 8." in body["messages"][-1]["content"]
            else usual(body, number)
        )

    def experiment(place: Path, _: Whole) -> list[Row]:
        whole = Whole.of(place / "meant", written=changed(same_as))
        with Trial(place / "odd", written=changed(change), options=["--idle-timeout", "5"]) as trial:
            done = trial.finish()
            return [Row(name, 1, judge_outcome(trial, whole.results, whole.requests, done=done))]

    return experiment


def out_of_order(place: Path, whole: Whole) -> list[Row]:
    """Of each four requests that are in flight, the last is answered first."""
    usual, events = varied_writer(), [threading.Event() for _ in range(PROMPTS + 1)]

    def answer(body: dict[str, Any], number: int) -> Answer:
        if number % 4 != 3:
            events[number].wait(60)
        if number % 4:
            events[number - 1].set()
        return usual(body, number)

    with Trial(place, written=answer) as trial:
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        return [Row("answers out of order", PROMPTS, outcome)]


def kill(number: int) -> Experiment:
    """SIGKILL at one of the moments."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        moment = moments(KILLS, SEED, prompts=PROMPTS, sizes=whole.sizes)[number]
        hit, outcome = killed(place, moment, whole.results, whole.requests)
        what = moment.what if " " in moment.what else f"bytes in {moment.what}"
        return [Row(f"SIGKILL: {what}", int(hit), outcome)]

    return experiment


def starved(
    name: str, stop: Callable[[Trial], None], fix: Callable[[Trial], None], *, paid_more: bool = False
) -> Experiment:
    """The first process has to stop; once the cause is fixed, the same command finishes."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        with Trial(place) as trial:
            try:
                stop(trial)
                trial.settle()
                kept, before = trial.recorded(), len(trial.requests)
                fix(trial)
                done = trial.finish()
                least = before - len(kept)
                outcome = judge_outcome(
                    trial, whole.results, whole.requests, done=done, least=least, paid_more=paid_more
                )
            finally:
                if trial.out.is_mount():
                    unmounted(trial.out)
            return [Row(name, 1, outcome)]

    return experiment


def nothing(_: Trial) -> None:
    """Fix nothing: the next process has no such limit."""


def file_limit(size: int) -> Experiment:
    """No file may grow beyond so many bytes."""

    def stop(trial: Trial) -> None:
        trial.finish(**small_files(size))

    return starved("files that may not grow (RLIMIT_FSIZE)", stop, nothing)


def full_disk(kilobytes: int) -> Experiment:
    """The folder for runs is a file system that becomes full."""

    def stop(trial: Trial) -> None:
        if not mounted(trial.out, kilobytes):
            raise PermissionError("only root mounts a small file system")
        trial.finish()

    return starved("a full disk (tmpfs)", stop, lambda trial: enlarged(trial.out, 4096))


def read_only(answers: int) -> Experiment:
    """The run folder loses its write permission in the middle; root is held to it too."""

    def stop(trial: Trial) -> None:
        command = [*unprivileged(), *COMMAND, *trial.words]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stderr=quiet, stdout=quiet) as child:
            trial.model.wait_for(lambda: trial.model.answered >= answers)
            os.chmod(trial.run, 0o555)
            child.wait(120)

    return starved("a folder that becomes read-only", stop, lambda trial: os.chmod(trial.run, 0o755))


def terminated(number: signal.Signals, requests: int) -> Experiment:
    """SIGTERM or SIGINT while requests are in flight."""

    def stop(trial: Trial) -> None:
        with trial.start() as child:
            trial.model.wait_for(lambda: len(trial.model.requests) >= requests)
            child.send_signal(number)
            child.wait(120)

    return starved(f"{number.name} in the middle", stop, nothing)


def torn(name: str) -> Experiment:
    """The last line of a file lacks its end."""

    def stop(trial: Trial) -> None:
        trial.finish()
        path = trial.run / name
        path.write_bytes(path.read_bytes()[:-20])

    def experiment(place: Path, whole: Whole) -> list[Row]:
        of_response = name == "predictions.jsonl"
        (row,) = starved(f"a torn last line of {name}", stop, nothing, paid_more=of_response)(place, whole)
        if of_response:
            row.outcome.least += 1  # the judgement of a response that is gone has only been paid for
        return [row]

    return experiment


def clock_set_back(place: Path, whole: Whole) -> list[Row]:
    """Each look at the clock shows an hour less."""
    with Trial(place) as trial:
        command = [sys.executable, "-c", BACKWARDS, *trial.words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        return [Row("a clock set back", 1, judge_outcome(trial, whole.results, whole.requests, done=done))]


def two_processes(place: Path, whole: Whole) -> list[Row]:
    """A second process wants the folder while the first is at work."""
    with Trial(place) as trial, trial.start() as child:
        trial.model.wait_for(lambda: len(trial.model.requests) >= 2)
        second = trial.finish()
        child.wait(120)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        if child.returncode or (second.returncode and "in use by process" not in second.stderr):
            outcome.said = second.stderr
        return [Row("a second process on the folder", 1, outcome)]


def experiments() -> list[Experiment]:
    """All of them, in the order of the table."""
    found = [served(name, fault, needed=True, share=0.25) for name, fault in TRANSIENT.items()]
    found += [served(name, fault, needed=True, share=0.08) for name, fault in STALLS.items()]
    found += [served(name, fault, needed=False, share=0.08) for name, fault in HARMLESS.items()]
    found += [
        refused("HTTP 400, context length", 400, "maximum context length is 10", "--retry-failed"),
        refused("HTTP 400, content filter", 400, "content_filter", "--retry-failed"),
        *(refused(f"HTTP {status}, the run stops", status, "no") for status in (401, 403, 404)),
        odd("null content: an empty response", {"fault": "null_content", "text": ""}, {"text": ""}),
        odd("a stall after the answer", {"fault": "stall_at_end"}, {"usage": {}}),
        odd("no usage: tokens not known", {"fault": "no_usage"}, {"usage": {}}),
        out_of_order,
        *map(kill, range(KILLS)),
        *(terminated(signal.SIGTERM, requests) for requests in (3, 9, 15)),
        *(terminated(signal.SIGINT, requests) for requests in (5, 12)),
        torn("predictions.jsonl"),
        torn("judgements.jsonl"),
        *map(file_limit, (200, 3000, 12_000, 20_000)),
        *([full_disk(8), full_disk(20), full_disk(40)] if os.geteuid() == 0 else []),
        *map(read_only, (2, 8, 14)),
        clock_set_back,
        two_processes,
    ]
    return found
