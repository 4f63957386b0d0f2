"""Runs of `lbw-eval` against the simulated server, as commands of their own."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.agentwrite.server import PARALLEL, SERIAL, plan_of, text_of
from longbench_write.metrics.length import count_words, length_score
from longbench_write.suites.suite import Prompt

WRITERS = {SERIAL: "agentwrite", PARALLEL: "agentwrite-parallel"}
"""The writer of each order; the order is also the name of the server's model that expects it."""
SEED = 19
_COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
_ROOT = Path(__file__).parents[2]


@contextmanager
def served(seconds: float, *, framed: bool = False) -> Iterator[str]:
    """Serve for as long as the context lasts; gives the base URL without /v1.

    Args:
        seconds: What an answer takes.
        framed: Whether plans stand between other lines.
    """
    words = [sys.executable, "-m", "benchmarks.agentwrite.server", "--seconds", str(seconds)]
    words += ["--framed"] * framed
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as child:
        assert child.stdout
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.kill()


def report(url: str, *, reset: bool = False) -> dict[str, Any]:
    """Return what the server has seen since it began or was reset."""
    with urllib.request.urlopen(f"{url}/report{'?reset=1' if reset else ''}") as answer:
        return json.load(answer)


@dataclass(frozen=True)
class Task:
    """What every run writes.

    Attributes:
        prompts: In the suite's order.
        suite: The file that they are in.
    """

    prompts: Sequence[Prompt]
    suite: Path

    @property
    def chains(self) -> list[int]:
        """Requests of each response: its plan and its paragraphs."""
        return [1 + len(plan_of(prompt)) for prompt in self.prompts]

    def bound(self, order: str, in_flight: int, seconds: float) -> float:
        """Return the least seconds: of the longest chain, or of all requests over those in flight."""
        longest = 2 if order == PARALLEL else max(self.chains)
        return seconds * max(longest, sum(self.chains) / in_flight)

    @property
    def s_l(self) -> float:
        """The S_l of the known texts."""
        scores = [length_score(prompt.length or 0, count_words(text_of(prompt))) for prompt in self.prompts]
        return sum(scores) / len(scores)

    def right(self, texts: dict[str, str]) -> int:
        """Return how many texts, by their instruction, are what they are to be."""
        return sum(texts.get(prompt.prompt) == text_of(prompt) for prompt in self.prompts)


def command(task: Task, url: str, out: Path, order: str, in_flight: int) -> list[str]:
    """Return the command line of a run."""
    given = {
        "--model": order,
        "--base-url": f"{url}/v1",
        "--suite": task.suite,
        "--judge": "none",
        "--out": out,
        "--writer": WRITERS[order],
        "--concurrency": in_flight,
        "--progress": "none",
    }
    return [*_COMMAND, *(str(word) for pair in given.items() for word in pair), "--json"]


def texts_in(out: Path) -> dict[str, str]:
    """Return a run's texts by their instruction."""
    (path,) = out.glob("*/*/*/predictions.jsonl")
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["prompt"]: line["response"] for line in lines}


@dataclass(frozen=True)
class Timed:
    """An undisturbed run, as the server saw it.

    Attributes:
        seconds: From the first request to the last answer.
        requests: How many there were.
        right: Texts that are what they are to be.
    """

    seconds: float
    requests: int
    right: int


def timed(task: Task, url: str, out: Path, order: str, in_flight: int) -> Timed:
    """Run once, and check what came of it: each request as the server expects it, S_l as by hand."""
    report(url, reset=True)
    words = command(task, url, out, order, in_flight)
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    seen = report(url)
    assert seen["faults"] == [], seen["faults"]
    assert seen["requests"] == seen["distinct"] == sum(task.chains), seen
    assert seen["peak"] <= in_flight, seen
    assert abs(json.loads(done.stdout)["S_l"] - task.s_l) < 1e-9, done.stdout
    return Timed(seen["seconds"], seen["requests"], task.right(texts_in(out)))


@dataclass(frozen=True)
class Killed:
    """A run that was killed and resumed again and again.

    Attributes:
        kills: How often it was killed while it worked.
        in_flight: Requests that the server was answering when the kills came, summed.
        again: Requests that came more than once.
        requests: Requests that came at all, each counted once.
        right: Texts that are what they are to be.
    """

    kills: int
    in_flight: int
    again: int
    requests: int
    right: int


def killed(task: Task, url: str, out: Path, order: str, in_flight: int, kills: int) -> Killed:
    """Kill a run with SIGKILL at moments drawn by seed, resume it each time, and let it end."""
    report(url, reset=True)
    words = command(task, url, out, order, in_flight)
    rng, total, flying, hits = random.Random(SEED), sum(task.chains), 0, 0
    moments = sorted(rng.sample(range(1, total - in_flight), kills))
    for moment in moments:
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            while (seen := report(url))["distinct"] < moment and child.poll() is None:
                time.sleep(0.005)
            hits += child.poll() is None
            child.send_signal(signal.SIGKILL)
            flying += seen["in_flight"]
            child.communicate()
        while report(url)["in_flight"]:
            time.sleep(0.005)
    subprocess.run(words, check=True, capture_output=True)
    seen = report(url)
    assert seen["faults"] == [], seen["faults"]
    again = seen["requests"] - seen["distinct"]
    return Killed(hits, flying, again, seen["distinct"], task.right(texts_in(out)))
