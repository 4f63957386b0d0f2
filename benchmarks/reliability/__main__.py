"""Reliability of a run under faults, crashes and full disks; writes benchmarks/RELIABILITY.md, a row a fault.

Every row is `lbw-eval` in child processes against real servers on loopback, with 24 prompts unless it says
otherwise. What is left is held, record by record, against an undisturbed run with the same answers.

Run: python -m benchmarks.reliability [PART...]; the other parts of the report stay as they are. A part that
takes long, as that of failing system calls, can be run in pieces, each of which adds to those before it:

    python -m benchmarks.reliability calls --piece 1/4
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from crash_tests import Trial, faulty_servers, judge_outcome
from servers.answers import TRANSIENT

from benchmarks.reliability import answers, around, gating, leaks, more, outside, places, replies, told
from benchmarks.reliability.experiments import experiments
from benchmarks.reliability.rows import SEED, Experiment, Row, Whole, added, read_table, table
from benchmarks.reliability.system_calls import EACH, failing_calls

RESULT = Path(__file__).parent.parent / "RELIABILITY.md"
AT_ONCE = 2
"""Experiments at once."""
PARTS: dict[str, Callable[[Path], list[Experiment]]] = {
    "faults": lambda _: experiments(),
    "tenth": lambda _: [],
    "places": lambda _: places.experiments(),
    "outside": lambda _: outside.experiments(),
    "answers": lambda _: answers.experiments(),
    "told": lambda _: told.experiments(),
    "replies": lambda _: replies.experiments(),
    "more": lambda _: more.experiments(),
    "around": lambda _: around.experiments(),
    "leaks": lambda _: leaks.experiments(),
    "gating": lambda _: gating.experiments(),
    "calls": failing_calls,
    "values": lambda _: places.value_experiments(),
}
"""The parts of the report, each between marks of its own."""
MEASURED = """
Measured on {date} with Python {python} on {system}, {cores} CPU cores, in {seconds} s.
"""
TENTH = """120 official prompts, written and judged, with 10% of all answers spoilt ({injected} in all,
of {kinds} kinds, by seed): the summary {verdict}; {out.lost} records lost, {out.doubled} doubled.
Extra requests: {out.extra}; the smallest possible number is {out.least}.
"""


def a_tenth(place: Path) -> Row:
    """10% of all answers are faulty over the 120 official prompts."""
    options = {"suite": "longbench-write", "options": ["--concurrency", "16", "--judge-concurrency", "16"]}
    whole = Whole.of(place / "whole", **options)
    model, judges = faulty_servers(0.1, SEED, TRANSIENT)
    with Trial(place / "faulty", written=model, judged=judges, **options) as trial:
        done = trial.finish()
        injected = model.injected.total() + judges.injected.total()
        return Row(
            "", injected, judge_outcome(trial, whole.results, whole.requests, done=done, least=injected)
        )


def measured(seconds: float) -> str:
    """Return when and on what it was measured."""
    return MEASURED.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        python=platform.python_version(),
        system=platform.system(),
        cores=os.cpu_count(),
        seconds=round(seconds),
    )


def parted(part: str) -> tuple[str, str, str]:
    """Return the report before a part, its text between its marks, and what comes behind."""
    marks = f"<!-- {part} -->\n", f"<!-- end of {part} -->\n"
    before, _, rest = RESULT.read_text(encoding="utf-8").partition(marks[0])
    text, _, after = rest.partition(marks[1])
    return before + marks[0], text, marks[1] + after


def put(part: str, text: str) -> None:
    """Put the text of a part between its marks in RELIABILITY.md; the other parts stay."""
    before, _, after = parted(part)
    RESULT.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def found_before(part: str) -> tuple[list[Row], float]:
    """Return the rows that the report has of a part, and the seconds that they took."""
    _, text, _ = parted(part)
    seconds = re.search(r" in (\d+) s\.", text)
    return read_table(text), float(seconds[1]) if seconds else 0.0


def of_experiments(todo: list[Experiment], place: Path, whole: Whole, at_once: int) -> list[Row]:
    """Run experiments, so many at once."""
    rows: list[Row] = []
    with ThreadPoolExecutor(at_once) as pool:
        pending = [pool.submit(each, place / str(number), whole) for number, each in enumerate(todo)]
        for number, future in enumerate(pending, 1):
            rows += future.result()
            print(f"{number}/{len(pending)} {rows[-1]}", file=sys.stderr, flush=True)
    return added(rows)


def tenth_text(row: Row) -> str:
    """Return what came of a tenth of all answers being faulty."""
    verdict = (
        "equals the fault-free run's exactly" if row.outcome.equal else "DIFFERS from the fault-free run's"
    )
    return TENTH.format(injected=row.injected, kinds=len(TRANSIENT), verdict=verdict, out=row.outcome)


def piece_of(text: str) -> tuple[int, int]:
    """Read such as 1/4, the first of four pieces."""
    number, _, count = text.partition("/")
    if not 1 <= int(number) <= int(count):
        raise ValueError(text)
    return int(number), int(count)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; none: all")
    parser.add_argument(
        "--piece", type=piece_of, default=(1, 1), metavar="K/N", help="only the K-th of N pieces"
    )
    parser.add_argument(
        "--each", type=int, default=EACH, metavar="N", help=f"failures a system call [{EACH}]"
    )
    found = parser.parse_args()
    for part in found.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part}, but {', '.join(PARTS)}")
    return found


def main() -> None:
    """Run the parts that are named, all without a name, and write what came of them into the report."""
    given = arguments()
    number, count = given.piece
    failed = []
    for part in given.parts or PARTS:
        began = time.monotonic()
        earlier, seconds = found_before(part) if number > 1 else ([], 0.0)
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            whole = Whole.of(place / "whole")
            if part == "tenth":
                rows = [a_tenth(place / "tenth")]
                text = tenth_text(rows[0])
            else:
                at_once = 1 if part == "values" else AT_ONCE  # values are read in this process
                first = place / "first"
                todo = failing_calls(first, given.each) if part == "calls" else PARTS[part](first)
                rows = of_experiments(todo[number - 1 :: count], place, whole, at_once)
                text = table(added([*earlier, *rows]))
        put(part, text + measured(seconds + time.monotonic() - began))
        failed += [row for row in rows if not row.outcome.good]
    print(RESULT)
    if failed:
        raise SystemExit(f"a row is not as it must be: {failed}")


if __name__ == "__main__":
    main()
