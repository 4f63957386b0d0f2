"""Measures whether intervals, gate, ranks, gaps and flags hold, and writes benchmarks/VALIDITY.md.

    python -m benchmarks.validity [--quick] [--only SECTION...] [--hours H] [--cells FILE] [-o FILE]

Everything goes through the functions that the commands call. Each finished cell is written to FILE at once
and skipped at the next start, unless the code that it measures has changed; a cell of more trials serves for
one of fewer. The whole takes about two hours on one core, `--quick` a few minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.validity.cells import ROOT, CellFile, measure
from benchmarks.validity.document import document
from benchmarks.validity.sections import SECTIONS

RESULT = ROOT / "benchmarks" / "VALIDITY.md"
CELLS = ROOT / "build" / "validity.jsonl"
HOURS = 2.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few trials of everything")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION",
                        help=f"measure these alone: {', '.join(SECTIONS)}")  # fmt: skip
    parser.add_argument(
        "--hours", type=float, default=HOURS, help="no cell begins later (default: %(default)s)"
    )
    parser.add_argument("--cells", type=Path, default=CELLS, help="where finished cells are kept")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    given = parser.parse_args()
    file = CellFile(given.cells)
    until = time.monotonic() + 3600 * given.hours
    done = {}
    for name, section in SECTIONS.items():
        end = until if name in given.only else 0.0  # what others have on file is shown
        done[name] = measure(section, file, quick=given.quick, until=end, tell=_tell)
    text = document(done, SECTIONS, hours=given.hours, quick=given.quick)
    given.output.write_text(text, encoding="utf-8")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
