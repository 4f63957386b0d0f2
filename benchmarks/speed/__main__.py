"""Measures everything and writes benchmarks/RESULTS.md: python -m benchmarks.speed.

It takes about half an hour on two cores, which nothing else should use meanwhile. The peers' environments are
made in --work and kept for the next time.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.speed import growth, races, reading, scheduling, scoring, start
from benchmarks.speed.misses import REASONS
from benchmarks.speed.section import Section, Settings, Target, targets_table

RESULT = Path(__file__).parents[1] / "RESULTS.md"
PACKAGES = ("openai", "aiohttp", "httpx2", "numpy", "pandas", "regex")
PARTS: dict[str, Callable[[Settings], Iterable[Section]]] = {
    "start": lambda settings: [start.measure(settings)],
    "races": races.measure,
    "reading": lambda settings: [reading.measure(settings)],
    "scheduling": lambda settings: [scheduling.measure(settings)],
    "scoring": lambda settings: [scoring.measure(settings)],
    "growth": lambda settings: [growth.measure(settings)],
}


def document(sections: Sequence[Section], seconds: float) -> str:
    """The text of RESULTS.md."""
    targets = [target for section in sections for target in section.targets]
    missed = [target for target in targets if not target.is_met]
    parts = [
        "# Speed and memory",
        f"Made by `python -m benchmarks.speed` on {datetime.now(UTC):%Y-%m-%d}, in one run of "
        f"{seconds / 60:.0f} minutes. {_machine()}. All servers are simulated, in a process of their own on "
        "loopback. Times of two machines do not compare; ratios do, roughly.",
        f"## Targets: {len(targets) - len(missed)} of {len(targets)} met",
        targets_table(targets),
        *([_reasons(missed)] if missed else []),
        *(f"## {section.title}\n\n{section.text}" for section in sections),
    ]
    return "\n\n".join(parts) + "\n"


def _reasons(missed: Iterable[Target]) -> str:
    lines = [f"- {target.what}: {REASONS.get(target.what, 'not looked into yet.')}" for target in missed]
    return "\n".join(["What misses its target:", "", *lines])


def _machine() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = ", ".join(f"{name} {version(name)}" for name in ("longbench-write", *PACKAGES))
    return (
        f"{platform.system()}, {os.cpu_count()} cores ({names[0] if names else platform.machine()}), no GPU; "
        f"Python {platform.python_version()}, {versions}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="folder for the peers' environments; a new one if left out")
    parser.add_argument("--rounds", type=int, default=7, help="turns, at most (default: 7)")
    parser.add_argument(
        "--only", choices=PARTS, nargs="+", help="print these parts instead of writing the file"
    )
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        work = options.work or Path(name)
        work.mkdir(parents=True, exist_ok=True)
        settings = Settings(work.resolve(), options.rounds)
        sections: list[Section] = []
        for part in options.only or PARTS:
            sections += PARTS[part](settings)
            print(f"{part} is done after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    text = document(sections, time.monotonic() - began)
    if options.only:
        print(text)
    else:
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
