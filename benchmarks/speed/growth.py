"""Growth of cost with the number of prompts: answers come at once, so that the time is the harness's own."""

from __future__ import annotations

import csv
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.speed.contestants import Contestant
from benchmarks.speed.measure import Figures, figures, run, served
from benchmarks.speed.section import Section, Settings, Target, table
from benchmarks.speed.server import Profile

SIZES = (120, 1_200, 12_000, 100_000)
CONCURRENCY = 32
AT_ONCE = Profile(first=0.0, judge=0.0, words=50)
PLOT = "growth.svg"
PROMPT_BYTES = 420
"""As many as lbw-open's prompts have on average."""

_OURS = Contestant("lbw-eval", "longbench-write", Path(sys.executable))
_BENCHMARKS = Path(__file__).parents[1]
_CELLS = _BENCHMARKS.parent / "benchmark_data" / "cells.csv"


def write_suite(path: Path, prompts: int) -> None:
    """A suite of so many prompts, no two alike, distributed as longbench-write's."""
    rng = random.Random(prompts)
    pool = ["".join(rng.choices("aeioulnrst", k=rng.randint(4, 8))) for _ in range(5000)]
    with _CELLS.open(encoding="utf-8", newline="") as lines:
        cells = list(csv.DictReader(lines))
    drawn = rng.choices(cells, weights=[int(cell["prompts"]) for cell in cells], k=prompts)
    with path.open("w", encoding="utf-8") as file:
        for number, cell in enumerate(drawn):
            prompt = {
                "prompt": f"{number} {' '.join(rng.choices(pool, k=PROMPT_BYTES // 6))}"[:PROMPT_BYTES],
                "type": cell["type"],
                "length": int(cell["length"]),
                "language": cell["language"],
            }
            file.write(json.dumps(prompt) + "\n")


def measured(prompts: int, work: Path) -> Figures:
    """A run over so many prompts, written and judged."""
    suite = work / f"{prompts}.jsonl"
    write_suite(suite, prompts)
    with tempfile.TemporaryDirectory(dir=work) as out, served(AT_ONCE, suite) as address:
        began = time.monotonic()
        command = _OURS.command(address, CONCURRENCY, suite, Path(out))
        cost = run(command, log=Path(out) / "log")
        return figures(began, cost, address)


def each_request(seconds: float, figures: Figures) -> float:
    """A request's share of so many seconds, in milliseconds."""
    return 1000 * seconds / sum(figures.requests)


def ending(figures: Figures) -> float:
    """Seconds from the last answer to the end of the process."""
    return figures.seconds - figures.first - figures.span


def kept(found: Mapping[int, Figures]) -> float:
    """Bytes of memory for each prompt more: between the two largest sizes."""
    (few, less), (many, more) = sorted(found.items())[-2:]
    return (more.megabytes - less.megabytes) * 1e6 / (many - few)


def measure(settings: Settings) -> Section:
    """Each size once; the largest takes minutes."""
    found = {prompts: measured(prompts, settings.work) for prompts in SIZES}
    points = [
        {
            "prompts": prompts,
            "span": each_request(each.span, each),
            "cpu": each_request(each.cpu, each),
            "megabytes": each.megabytes,
        }
        for prompts, each in found.items()
    ]
    draw = [sys.executable, "-m", "benchmarks.speed.growth_plot", json.dumps(points), _BENCHMARKS / PLOT]
    run(draw, log=settings.work / "growth_plot.log")
    return section(found)


def section(found: Mapping[int, Figures]) -> Section:
    """The section that these figures make."""
    few, many = found[SIZES[1]], found[SIZES[-1]]
    rows = [
        (
            f"{prompts:,}",
            f"{each.seconds:.1f}",
            f"{each.first:.2f}",
            f"{each_request(each.span, each):.2f}",
            f"{each_request(each.cpu, each):.2f}",
            f"{ending(each):.1f}",
            f"{each.megabytes:.0f}",
        )
        for prompts, each in found.items()
    ]
    heads = (
        *("prompts", "whole, s", "first request, s", "a request, ms", "its CPU, ms"),
        *("after the last answer, s", "peak MB"),
    )
    text = f"""A generated suite with the lengths of longbench-write; every prompt is written (50 words) and
judged, so that a prompt is two requests. The server answers at once, in a process of its own: the time is the
harness's. A request's time is that from the first request to the last answer, divided by the requests; its
CPU is that of the whole process, start and scoring included. {CONCURRENCY} requests of each kind in flight;
each size once.

{table(heads, rows)}

![Time of a request and peak memory over the number of prompts]({PLOT})

Memory takes {kept(found):,.0f} bytes for each prompt more (between the two largest sizes). What is kept: the
prompt, {PROMPT_BYTES} bytes long; of each response and each judgement whose it is and where it stands in its
file; at the end of each response its row of scores and what its judges' scores are. The texts of responses
and of judges' replies are not among it."""
    return Section(
        "How cost grows",
        text,
        (
            Target(
                f"a request of {SIZES[-1]:,} prompts beside one of {SIZES[1]:,}",
                each_request(many.span, many) / each_request(few.span, few),
                1.25,
            ),
            Target(
                f"its CPU at {SIZES[-1]:,} prompts beside {SIZES[1]:,}, scoring included",
                each_request(many.cpu, many) / each_request(few.cpu, few),
                1.25,
            ),
        ),
    )
