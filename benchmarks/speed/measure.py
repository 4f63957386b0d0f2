"""Measures a command as a process of its own: time, memory and CPU, beside what the server saw of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed.server import Profile


@dataclass(frozen=True)
class Cost:
    """The resources that a process took.

    Attributes:
        seconds: From its launch to its end.
        cpu: Seconds of CPU, user and system.
        megabytes: The most memory that it held at once (resident, 10**6 bytes).
    """

    seconds: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Figures(Cost):
    """The resources that a run took, as its process and as the server saw it.

    Attributes:
        first: Seconds from the launch to the first request.
        span: Seconds from the first request to the last answer.
        peak: The most requests that were in flight at once, to the model and to the judge.
        requests: How many were made, to the model and to the judge.
    """

    first: float
    span: float
    peak: tuple[int, int]
    requests: tuple[int, int]


def run(
    command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Cost:
    """Run a command to its end.

    Raises:
        SystemExit: It failed; the end of its output is shown.
    """
    with log.open("wb") as out:
        began = time.monotonic()
        child = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(env) if env else None,
            cwd=cwd,
        )
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(
            f"{command} ended with {child.returncode}:\n{log.read_text(errors='replace')[-3000:]}"
        )
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def output(command: Sequence[str | Path]) -> str:
    """Return the output of a command.

    Raises:
        SystemExit: It failed.
    """
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


@contextmanager
def served(profile: Profile, suite: Path) -> Iterator[str]:
    """A fresh server; gives its address, such as http://127.0.0.1:40123."""
    words = ["--profile", json.dumps(asdict(profile)), "--suite", str(suite)]
    command = [sys.executable, "-m", "benchmarks.speed.server", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def figures(began: float, cost: Cost, address: str) -> Figures:
    """A run's figures.

    Args:
        began: When it was launched, on the monotonic clock.
        cost: What its process took.
        address: The server's.
    """
    with urllib.request.urlopen(f"{address}/report") as answer:
        seen: Mapping[str, Any] = json.load(answer)
    first = min(seen["model"]["arrivals"])
    last = max(time for role in seen.values() for time in role["ends"])
    return Figures(
        **asdict(cost),
        first=first - began,
        span=last - first,
        peak=(seen["model"]["peak"], seen["judge"]["peak"]),
        requests=(len(seen["model"]["arrivals"]), len(seen["judge"]["arrivals"])),
    )
