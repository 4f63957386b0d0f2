"""Measures the planning writers and writes benchmarks/AGENTWRITE.md.

    python -m benchmarks.agentwrite [--reference FOLDER] [--kills N]

About ten minutes on two cores, which nothing else should use meanwhile. FOLDER holds the reference's plan.py,
write.py and prompts (agentwrite/ of THUDM/LongWriter at the pinned commit); they are run as they are, against
the same server, and never copied here.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.agentwrite.reference import run_reference
from benchmarks.agentwrite.server import SERVED, SUITE
from benchmarks.speed.section import table
from longbench_write.suites.suite import load_suite
from longbench_write.writers.estimate import expected_requests
from longbench_write.writers.registry import load_writer

RESULT = Path(__file__).parents[1] / "AGENTWRITE.md"
COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
WRITERS = {"serial": "agentwrite", "parallel": "agentwrite-parallel"}
CONCURRENCIES = (16, 32, 64)
SEED = 19


@contextmanager
def served(seconds: float) -> Iterator[str]:
    """Serve for as long as the context lasts; gives the base URL without /v1."""
    words = [sys.executable, "-m", "benchmarks.agentwrite.server", "--seconds", str(seconds)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.kill()


def report(url: str, *, reset: bool = False) -> dict[str, Any]:
    """What the server has seen since it began or was reset."""
    with urllib.request.urlopen(f"{url}/report{'?reset=1' if reset else ''}") as answer:
        return json.load(answer)


def words_of(url: str, out: Path, writer: str, concurrency: int) -> list[str]:
    """The command line of a run."""
    given = [
        "--model",
        SERVED,
        "--base-url",
        f"{url}/v1",
        "--suite",
        SUITE,
        "--judge",
        "none",
        "--out",
        str(out),
    ]
    return [
        *COMMAND,
        *given,
        "--writer",
        writer,
        "--concurrency",
        str(concurrency),
        "--progress",
        "none",
        "--json",
    ]


def chains() -> list[int]:
    """Requests of each response; paragraphs have 500 words."""
    writer = load_writer("agentwrite")
    return [len(expected_requests(writer, prompt)) for prompt in load_suite(SUITE).prompts]


def timed(url: str, place: Path, order: str, concurrency: int, seconds: float) -> list[object]:
    """One run, from its first request to its last answer, beside the least that it could take."""
    report(url, reset=True)
    done = subprocess.run(
        words_of(url, place, WRITERS[order], concurrency), check=True, capture_output=True, text=True
    )
    seen, requests = report(url), chains()
    longest = 2 if order == "parallel" else max(requests)
    bound = seconds * max(longest, sum(requests) / concurrency)
    assert seen["requests"] == sum(requests), seen
    assert seen["faults"] == [], seen["faults"]
    assert (seen["with_texts"] > 0) == (order == "serial"), seen
    s_l = json.loads(done.stdout)["S_l"]
    ratio = seen["seconds"] / bound
    return [
        order,
        concurrency,
        f"{seconds:g}",
        f"{bound:.2f}",
        f"{seen['seconds']:.2f}",
        f"{ratio:.3f}",
        f"{s_l:.2f}",
    ]


def kills(url: str, folder: Path, count: int, concurrency: int) -> list[list[object]]:
    """Kill a run `count` times, resume it each time, and count what was asked more than once."""
    rows = []
    for order, writer in WRITERS.items():
        report(url, reset=True)
        words = words_of(url, folder / order, writer, concurrency)
        rng = random.Random(SEED)
        total, done = sum(chains()), 0
        for _ in range(count):
            with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
                wanted = done + rng.randint(1, max(1, total // count))
                while report(url)["requests"] < wanted and child.poll() is None:
                    time.sleep(0.005)
                child.send_signal(signal.SIGKILL)
            done = report(url)["requests"]
        subprocess.run(words, check=True, capture_output=True)
        seen = report(url)
        (path,) = (folder / order).glob("*/*/*/predictions.jsonl")
        responses = {line["id"]: line["response"] for line in map(json.loads, path.read_text().splitlines())}
        rows.append(
            [
                order,
                count,
                seen["distinct"],
                seen["requests"] - seen["distinct"],
                count * concurrency,
                len(responses),
            ]
        )
    return rows


def document(timings: list[list[object]], killed: list[list[object]], beside: str) -> str:
    """The text of AGENTWRITE.md."""
    heads = ("order", "in flight", "seconds a request", "bound, s", "first to last, s", "ratio", "S_l")
    killed_heads = (
        "order",
        "kills",
        "requests needed",
        "asked again",
        "in flight at the kills, at most",
        "responses",
    )
    parts = [
        "# AgentWrite",
        f"Made by `python -m benchmarks.agentwrite` on {datetime.now(UTC):%Y-%m-%d}, Python "
        f"{platform.python_version()}. A simulated model on loopback plans and writes what is known "
        f"beforehand: {len(chains())} prompts of {SUITE}, {sum(chains())} requests, {max(chains())} in "
        "the longest chain. It checks that each request holds the whole plan and, serial, all texts before "
        "it or, parallel, none.",
        "## Time",
        "The bound is the larger of the longest chain and all requests over those in flight; the target is "
        "1.1 of it at 0.5 s a request.",
        table(heads, timings),
        "## Killed",
        "`kill -9` at moments drawn by seed, each followed by the same command.",
        table(killed_heads, killed),
        "## The reference's scripts",
        beside,
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    settings = parser.parse_args()
    timings = []
    with tempfile.TemporaryDirectory() as work:
        for seconds in (0.5, 0.05):
            with served(seconds) as url:
                for concurrency in CONCURRENCIES:
                    for order in WRITERS:
                        place = Path(work) / f"{seconds}-{order}-{concurrency}"
                        timings.append(timed(url, place, order, concurrency, seconds))
                        print(*timings[-1], flush=True)
        with served(0.05) as url:
            killed = kills(url, Path(work) / "killed", settings.kills, 16)
            print(*killed, sep="\n", flush=True)
            beside = (
                "Not run."
                if settings.reference is None
                else run_reference(settings.reference, url, Path(work))
            )
    RESULT.write_text(document(timings, killed, beside), encoding="utf-8")


if __name__ == "__main__":
    main()
