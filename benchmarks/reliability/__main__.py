"""Reliability of a run under faults, crashes and full disks; writes benchmarks/RELIABILITY.md, a row a fault.

Every row is `lbw-eval` in child processes against real servers on loopback, with 24 prompts unless it says
otherwise. What is left is held, record by record, against an undisturbed run with the same answers.

Run: python -m benchmarks.reliability
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from crash_tests import Trial, faulty_servers, judge_outcome
from servers.answers import TRANSIENT

from benchmarks.reliability import places
from benchmarks.reliability.experiments import experiments
from benchmarks.reliability.rows import PROMPTS, SEED, Row, Whole, added
from benchmarks.reliability.system_calls import failing_calls

RESULT = Path(__file__).parent.parent / "RELIABILITY.md"
AT_ONCE = 2
"""Experiments at once."""
TEXT = """# Reliability

Made by `python -m benchmarks.reliability`: `lbw-eval` in child processes, against real servers on loopback,
{prompts} prompts a process and each response judged. What a run leaves is held, record by record, against an
undisturbed run with the same answers: *lost* counts records that are missing or differ, *doubled* those that
stand twice, and requests that were made although their record was there. *Same results*: scores.csv and
summary.json are equal, apart from start, seconds and the counts of retries. *Smallest possible*: an answer
that was spoilt, or that was not recorded yet when the process ended, has to be asked for once more.

{table}

## A tenth of all answers faulty

120 official prompts, written and judged, with 10% of all answers spoilt ({injected} in all, of {kinds} kinds,
by seed): the summary {verdict}; {out.lost} records lost, {out.doubled} doubled.
Extra requests: {out.extra}; the smallest possible number is {out.least}.

Measured on {date} with Python {python} on {system}, {cores} CPU cores, in {seconds} s.
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


def report(rows: list[Row], tenth: Row, seconds: float) -> str:
    """The text of RELIABILITY.md."""
    heads = ("fault", "injected", "lost", "doubled", "extra requests", "smallest possible", "same results")
    cells = [
        (row.fault, row.injected, out.lost, out.doubled, out.extra, out.least, "yes" if out.equal else "NO")
        for row in rows
        for out in [row.outcome]
    ]
    out = tenth.outcome
    return TEXT.format(
        prompts=PROMPTS,
        table="\n".join(
            "| " + " | ".join(map(str, line)) + " |"
            for line in (heads, ("---", *["---:"] * 5, "---"), *cells)
        ),
        injected=tenth.injected,
        kinds=len(TRANSIENT),
        verdict="equals the fault-free run's exactly" if out.equal else "DIFFERS from the fault-free run's",
        out=out,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        python=platform.python_version(),
        system=platform.system(),
        cores=os.cpu_count(),
        seconds=round(seconds),
    )


def main() -> None:
    """Run everything, two at a time, and write the report."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        place = Path(name)
        whole = Whole.of(place / "whole")
        todo = [*experiments(), *places.experiments(), *failing_calls(place / "calls")]
        pending = [pool.submit(each, place / str(number), whole) for number, each in enumerate(todo)]
        rows = []
        for number, future in enumerate(pending, 1):
            rows += future.result()
            print(f"{number}/{len(pending)} {rows[-1]}", file=sys.stderr, flush=True)
        tenth = a_tenth(place / "tenth")
        for number, each in enumerate(places.value_experiments()):
            rows += each(place / f"values-{number}", whole)
    RESULT.write_text(report(added(rows), tenth, time.monotonic() - began), encoding="utf-8")
    print(RESULT)
    if not all(row.outcome.good for row in [*rows, tenth]):
        raise SystemExit("a row is not as it must be")


if __name__ == "__main__":
    main()
