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

from benchmarks.agentwrite.texts import (
    ANEW,
    HEEDING,
    PARALLEL,
    SERIAL,
    first,
    is_off,
    plan_of,
    text_of,
)
from longbench_write.metrics.length import count_words, length_score
from longbench_write.suites.suite import Prompt

WRITERS = {SERIAL: "agentwrite", PARALLEL: "agentwrite-parallel"}
"""The writer of each order; the order is also the name of the server's model that expects it."""
REVIEW = "agentwrite-review"
REVIEWS = ((ANEW, WRITERS[SERIAL]), (ANEW, REVIEW), (HEEDING, REVIEW))
"""Models and writers that show what a review of lengths gives; without one, the models are the same."""
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

    def s_l(self, model: str = SERIAL, *, reviewed: bool = False) -> float:
        """Return the S_l of the known texts."""
        scores = [
            length_score(prompt.length or 0, count_words(text_of(prompt, model, reviewed=reviewed)))
            for prompt in self.prompts
        ]
        return sum(scores) / len(scores)

    def off(self, model: str) -> int:
        """Return how many paragraphs a review asks for again."""
        return sum(
            is_off(section, first(model, prompt, section))
            for prompt in self.prompts
            for section in plan_of(prompt)
        )

    def right(self, texts: dict[str, str], model: str = SERIAL, *, reviewed: bool = False) -> int:
        """Return how many texts, by their instruction, are what they are to be."""
        return sum(
            texts.get(prompt.prompt) == text_of(prompt, model, reviewed=reviewed) for prompt in self.prompts
        )


def command(
    task: Task, url: str, out: Path, model: str, in_flight: int, writer: str | None = None
) -> list[str]:
    """Return the command line of a run; with the writer of the model's order, unless another is named."""
    given = {
        "--model": model,
        "--base-url": f"{url}/v1",
        "--suite": task.suite,
        "--judge": "none",
        "--out": out,
        "--writer": writer or WRITERS[model],
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
        tokens: Of all prompts, and of all answers.
        s_l: What the run says; it is what was computed by hand.
    """

    seconds: float
    requests: int
    right: int
    tokens: tuple[int, int]
    s_l: float


def timed(task: Task, url: str, out: Path, model: str, in_flight: int, writer: str | None = None) -> Timed:
    """Run once, and check what came of it: each request as the server expects it, S_l as by hand."""
    report(url, reset=True)
    words = command(task, url, out, model, in_flight, writer)
    reviewed = writer == REVIEW
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    seen = report(url)
    assert seen["faults"] == [], seen["faults"]
    needed = sum(task.chains) + reviewed * task.off(model)
    assert seen["requests"] == seen["distinct"] == needed, seen
    assert seen["peak"] <= in_flight, seen
    s_l = task.s_l(model, reviewed=reviewed)
    assert abs(json.loads(done.stdout)["S_l"] - s_l) < 1e-9, done.stdout
    right = task.right(texts_in(out), model, reviewed=reviewed)
    return Timed(seen["seconds"], seen["requests"], right, tuple(seen["tokens"]), s_l)


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
