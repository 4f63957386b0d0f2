"""Measures the planning writers and writes benchmarks/AGENTWRITE.md.

    python -m benchmarks.agentwrite [--reference FOLDER] [--kills N] [--prompts N] [-o FILE]

About eight minutes on two cores, which nothing else should use meanwhile. FOLDER holds the reference's
plan.py, write.py and prompts (agentwrite/ of THUDM/LongWriter at the pinned commit; they need requests and
tqdm); they are run as they are, against the same server, and never copied here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.agentwrite.reference import AT_ONCE, run_reference
from benchmarks.agentwrite.runs import REVIEWS, SEED, WRITERS, Task, killed, report, served, timed
from benchmarks.agentwrite.texts import ANEW, HEEDING, MEDIAN, REVIEWED, SERIAL, SPREAD, SUITE
from benchmarks.speed.section import Target, table, targets_table
from longbench_write.suites.suite import load_suite

RESULT = Path(__file__).parents[1] / "AGENTWRITE.md"
IN_FLIGHT = (16, 32, 64)
SLOW, FAST = 0.5, 0.05
"""Seconds a request."""
KILLED_AT = 16
"""Requests in flight of the runs that are killed."""

ASKED_AGAIN = {ANEW: "draws anew", HEEDING: "heeds the numbers"}

Row = Sequence[object]


def task_of(number: int | None, folder: Path) -> Task:
    """Write down the suite, or so many of its prompts, evenly drawn."""
    prompts = load_suite(SUITE).prompts
    chosen = prompts[:: max(1, len(prompts) // (number or len(prompts)))][:number]
    lines = [
        {"id": each.id, "prompt": each.prompt, "length": each.length, "language": each.language}
        for each in chosen
    ]
    path = folder / f"{SUITE}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return Task(chosen, path)


def timings(task: Task, work: Path) -> tuple[list[Row], list[Target]]:
    """Time runs in both orders with more and more requests in flight."""
    rows: list[Row] = []
    targets = []
    for seconds in (SLOW, FAST):
        with served(seconds) as url:
            for in_flight in IN_FLIGHT:
                for order in WRITERS:
                    seen = timed(task, url, work / f"{seconds}-{order}-{in_flight}", order, in_flight)
                    bound = task.bound(order, in_flight, seconds)
                    ratio = seen.seconds / bound
                    rows.append(
                        (
                            order,
                            in_flight,
                            f"{seconds:g}",
                            f"{bound:.2f}",
                            f"{seen.seconds:.2f}",
                            f"{ratio:.3f}",
                            f"{seen.right} of {len(task.prompts)}",
                        )
                    )
                    print(*rows[-1], flush=True)
                    if seconds == SLOW:
                        targets.append(Target(f"{order}, {in_flight} in flight", ratio, 1.1))
    return rows, targets


def kills(task: Task, work: Path, number: int) -> list[Row]:
    """Kill runs of both orders."""
    rows: list[Row] = []
    with served(FAST) as url:
        for order in WRITERS:
            seen = killed(task, url, work / f"killed-{order}", order, KILLED_AT, number)
            most = seen.kills * KILLED_AT
            assert seen.again <= most, seen
            right = f"{seen.right} of {len(task.prompts)}"
            rows.append((order, seen.kills, seen.requests, seen.again, seen.in_flight, most, right))
            print(*rows[-1], flush=True)
    return rows


def beside(task: Task, work: Path, folder: Path) -> list[Row]:
    """Run the reference's scripts and `lbw-eval` with as many requests in flight, on two kinds of plans."""
    rows: list[Row] = []
    for plans, framed in (("lines alone", False), ("an opening, a rule and an end around them", True)):
        with served(FAST, framed=framed) as url:
            place = f"beside-{framed}"
            texts = run_reference(folder, url, task.prompts, work / place)
            seen = report(url)
            ours = timed(task, url, work / f"{place}-ours", SERIAL, AT_ONCE)
            for who, seconds, requests, came, right in (
                ("agentwrite/*.py", seen["seconds"], seen["requests"], len(texts), task.right(texts)),
                ("`--writer agentwrite`", ours.seconds, ours.requests, len(task.prompts), ours.right),
            ):
                rows.append((plans, who, came, right, requests, f"{seconds:.1f}"))
                print(*rows[-1], flush=True)
    return rows


def reviews(task: Task, work: Path) -> list[Row]:
    """Run writers with and without a review of lengths, on models that miss their plans at random."""
    rows: list[Row] = []
    with served(FAST) as url:
        for model, writer in REVIEWS:
            seen = timed(task, url, work / f"{model}-{writer}", model, max(IN_FLIGHT), writer)
            right = f"{seen.right} of {len(task.prompts)}"
            again = seen.requests - sum(task.chains)
            does = "" if writer == WRITERS[SERIAL] else ASKED_AGAIN[model]
            rows.append((f"`{writer}`", does, seen.requests, again, *seen.tokens, f"{seen.s_l:.2f}", right))
            print(*rows[-1], flush=True)
    return rows


def document(task: Task, parts: Sequence[str], load: float) -> str:
    """Return the text of AGENTWRITE.md; `load` is the machine's load average before the first run."""
    when = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} CPU cores"
    when += f", load average {load:.1f} before"
    intro = (
        f"Made by `python -m benchmarks.agentwrite` on {when}. A simulated model on loopback plans and "
        f"writes what is known beforehand: {len(task.prompts)} prompts of {SUITE}, {sum(task.chains)} "
        f"requests, {max(task.chains)} in the longest chain. The server checks that each request holds the "
        "whole plan and, serial, all texts before it or, parallel, none; a text is right where it is the "
        f"known one, byte for byte, and S_l is the one computed by hand, {task.s_l():.4f}, in every run "
        "but those with a review of lengths, which have their own."
    )
    return "\n\n".join(["# AgentWrite", intro, *parts]) + "\n"


def timings_part(rows: Sequence[Row], targets: Sequence[Target]) -> str:
    """Return the part about time."""
    heads = ("order", "in flight", "s a request", "bound, s", "first to last, s", "ratio", "texts right")
    told = (
        "The bound is the larger of the longest chain and all requests over those in flight; the targets are "
        f"for requests of {SLOW:g} s."
    )
    return "\n\n".join(["## Time", told, table(heads, rows), targets_table(targets)])


def kills_part(rows: Sequence[Row]) -> str:
    """Return the part about kills."""
    heads = (
        "order",
        "kills",
        "requests needed",
        "asked again",
        "in flight at the kills",
        "at most",
        "texts right",
    )
    told = (
        f"SIGKILL at moments drawn by seed ({SEED}), each followed by the same command, with {KILLED_AT} in "
        f"flight at {FAST:g} s. What was asked again may be what was in flight, as the server counts it at "
        "the kill, and what had been answered but not been read."
    )
    return "\n\n".join(["## Killed", told, table(heads, rows)])


def reviews_part(rows: Sequence[Row]) -> str:
    """Return the part about reviews of lengths."""
    heads = (
        "writer",
        "asked again, the model",
        "requests",
        "of them reviews",
        "prompt tokens",
        "answers' tokens",
        "S_l",
        "texts right",
    )
    told = (
        "Paragraphs have their planned words times a factor that is drawn by seed: lognormal, median "
        f"{MEDIAN:g}, standard deviation of the logarithm {SPREAD:g}. `agentwrite-review` asks once more for "
        f"one that is off by more than {REVIEWED:.0%}, and takes the nearer of the two. Asked again, a model "
        "draws anew, or it heeds the numbers, and its factor is the square root of the first."
    )
    return "\n\n".join(["## What a review of lengths gives", told, table(heads, rows)])


def beside_part(rows: Sequence[Row]) -> str:
    """Return the part about the reference's scripts; without rows, that they were not there."""
    title = "## Beside AgentWrite's own scripts"
    if not rows:
        return f"{title}\n\nNot measured: the scripts were not there (`--reference`)."
    heads = ("plans", "program", "responses", "texts right", "requests", "first to last, s")
    told = (
        f"Both with {AT_ONCE} requests in flight, as many as the scripts have processes, at {FAST:g} s. The "
        "scripts take every line of a plan for a step, and plan all texts before they write the first."
    )
    return "\n\n".join([title, told, table(heads, rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--prompts", type=int, help="fewer than all, to try the benchmark itself")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        task = task_of(given.prompts, work)
        parts = [timings_part(*timings(task, work)), kills_part(kills(task, work, given.kills))]
        parts.append(reviews_part(reviews(task, work)))
        parts.append(beside_part(beside(task, work, given.reference) if given.reference else []))
    given.output.write_text(document(task, parts, load), encoding="utf-8")


if __name__ == "__main__":
    main()
