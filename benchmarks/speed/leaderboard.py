"""The time that `lbw-eval leaderboard` takes over 1,000 run folders of 120 rows, and which files it opens."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.speed.measure import run
from benchmarks.speed.section import table

FOLDERS, PROMPTS = 1000, 120
COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()", "leaderboard"]
STRAIGHT = """
import json, sys
from pathlib import Path
import pandas as pd
means = {}
for file in Path(sys.argv[1]).glob("*/*/*/scores.csv"):
    means[file.parts[-4]] = pd.read_csv(file)["S_l"].to_numpy().mean()
print(json.dumps(means))
"""
"""The mean S_l of each run by a loop of pandas over the runs' rows."""
FORMATS = ("table", "md", "csv", "json", "latex", "html")


def opened(place: Path) -> Counter[str]:
    """Count how often the files of each name are opened, by Python's audit events."""
    code = (
        "import atexit, collections, json, os, sys; names = collections.Counter()\n"
        "def hook(event, args):\n"
        "    if event == 'open' and str(args[0]).startswith(sys.argv[2]):\n"
        "        names[os.path.basename(str(args[0]))] += 1\n"
        "sys.addaudithook(hook); atexit.register(lambda: print(json.dumps(names), file=sys.stderr))\n"
        "from longbench_write.cli.app import main; main()"
    )
    command = [sys.executable, "-c", code, "leaderboard", str(place), "--format", "csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Counter(json.loads(done.stderr.splitlines()[-1]))


def measure() -> str:
    """Each format once, beside a loop of pandas; which files are opened.

    Raises:
        SystemExit: The two do not give the same S_l to the last bit.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        run([sys.executable, "-m", "benchmarks.speed.leaderboard_runs", place], log=place / "log")
        files = ", ".join(f"{file} {times:,} times" for file, times in sorted(opened(place).items()))
        costs = {
            f"--format {form}": run([*COMMAND, place, "--format", form], log=place / f"log.{form}")
            for form in FORMATS
        }
        loop = "a loop of pandas, S_l alone"
        costs[loop] = run([sys.executable, "-c", STRAIGHT, place], log=place / "log")
        board = json.loads((place / "log.json").read_text(encoding="utf-8"))
        ours = {run["label"]: run["summary"]["S_l"] for block in board["blocks"] for run in block["runs"]}
        if ours != json.loads((place / "log").read_text(encoding="utf-8")):
            raise SystemExit("the leaderboard and the loop of pandas differ")
    rows = [(name, f"{each.seconds:.2f} s", f"{each.cpu:.2f} s") for name, each in costs.items()]
    return (
        f"The leaderboard of {FOLDERS:,} runs of {PROMPTS} rows, whole commands; of their files are opened: "
        f"{files}. The loop of pandas reads the rows, and ranks nothing; its means are the leaderboard's.\n\n"
        f"{table(('', 'seconds', 'CPU seconds'), rows)}"
    )
