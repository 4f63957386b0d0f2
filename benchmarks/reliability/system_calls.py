"""System calls that fail, by strace's injection: one call of one run at a time, all over the run folder.

A first run under strace tells which calls, by their number within their thread, are about the run folder.
A sample of these is made to fail, each in a run of its own. The same command, undisturbed, then finishes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from crash_tests import COMMAND, Trial, judge_outcome

from benchmarks.reliability.rows import Experiment, Row, Whole

ERRORS: Mapping[str, tuple[str, ...]] = {
    "openat": ("EMFILE", "EIO", "EACCES"),
    "read": ("EIO",),
    "write": ("ENOSPC", "EIO", "EDQUOT"),
    "fsync": ("EIO", "ENOSPC"),
    "rename": ("EIO", "ENOSPC"),
    "ftruncate": ("EIO",),
    "fstat": ("ESTALE",),
    "newfstatat": ("EIO", "ESTALE"),
    "lseek": ("EIO",),
    "close": ("EIO",),
    "mkdir": ("ENOSPC",),
    "unlink": ("EIO",),
    "flock": ("ENOLCK",),
}
"""The calls, and how they fail."""
EACH = 20
"""Injections a call and error, at most."""
LENGTHS = tuple(range(150, 1350, 200))
"""Of the prompts: few, so that many calls can fail."""


def failing_calls(place: Path, each: int = EACH) -> list[Experiment]:
    """List an experiment for each injection; none where there is no strace.

    Args:
        place: For the first run.
        each: Injections a call and error, at most.
    """
    if shutil.which("strace") is None:
        return []
    whole = Whole.of(place / "whole", lengths=LENGTHS)
    return [
        _failing(call, error, number, whole)
        for call, numbers in _of_the_run_folder(place / "traced").items()
        for error in ERRORS[call]
        for number in _spread(numbers, each)
    ]


def _traced(trial: Trial, log: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the command under strace, to its end."""
    calls = ("-e", f"trace={','.join(ERRORS)}")
    strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-o", str(log), *(more or calls)]
    return subprocess.run(
        [*strace, *COMMAND, *trial.words], capture_output=True, text=True, timeout=300, check=False
    )


def _of_the_run_folder(place: Path) -> dict[str, list[int]]:
    """Return the numbers of the calls that are about the run folder, by call, each within its thread."""
    with Trial(place, lengths=LENGTHS) as trial:
        log = place / "calls.log"
        done = _traced(trial, log)
        if done.returncode:
            raise SystemExit(done.stderr)
        out = str(trial.out)
    found: dict[str, set[int]] = defaultdict(set)
    counts: Counter[tuple[str, str]] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if match := re.match(r"(\d+) +(\w+)\(", line):
            thread, call = match.groups()
            counts[thread, call] += 1
            if out in line:
                found[call].add(counts[thread, call])
    return {call: sorted(numbers) for call, numbers in found.items()}


def _spread(numbers: Sequence[int], most: int) -> list[int]:
    """Choose so many at most, evenly, the first and the last among them."""
    if len(numbers) <= most:
        return list(numbers)
    if most == 1:
        return [numbers[len(numbers) // 2]]
    return [numbers[round(place * (len(numbers) - 1) / (most - 1))] for place in range(most)]


def _failing(call: str, error: str, number: int, whole: Whole) -> Experiment:
    """Let one call of a run fail, and finish with the same command."""

    def experiment(place: Path, _: Whole) -> list[Row]:
        with Trial(place, lengths=LENGTHS) as trial:
            log = place / "calls.log"
            inject = f"inject={call}:error={error}:when={number}"
            first = _traced(trial, log, "-e", f"trace={call}", "-e", inject)
            trial.settle()
            kept, before = trial.recorded(), len(trial.requests)
            done = trial.finish()
            outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=before - len(kept))
            failed = [line for line in log.read_text(errors="replace").splitlines() if "(INJECTED)" in line]
            about_the_run = [line for line in failed if str(trial.out) in line]
            for text in (first.stderr, done.stderr):
                if about_the_run and "Traceback" in text:
                    outcome.said = outcome.said or f"{about_the_run[0]}: {text[-300:]}"
        return [Row(f"a system call that fails (strace): {call}", int(bool(failed)), outcome)]

    return experiment
