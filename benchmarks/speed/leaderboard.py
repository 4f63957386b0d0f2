"""How long `lbw-eval leaderboard` takes over 1,000 run folders of 120 rows, and which files it opens."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.speed.measure import run
from benchmarks.speed.section import Target, table

FOLDERS, PROMPTS = 1000, 120
COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()", "leaderboard"]
STRAIGHT = """
import sys
from pathlib import Path
import pandas as pd
rows = []
for file in sorted(Path(sys.argv[1]).glob("*/*/*/scores.csv")):
    scores = pd.read_csv(file)
    rows.append(scores.groupby("id")[["S_l", "S_q"]].mean().mean().rename(file.parts[-4]))
print(pd.DataFrame(rows).to_csv())
"""
"""The same means by a loop of pandas over the runs' rows."""
FORMATS = ("table", "md", "csv", "json", "latex", "html")


def opened(place: Path) -> Counter[str]:
    """How often the files of each name are opened, by Python's audit events."""
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


def measure() -> tuple[list[Target], str]:
    """Each format once, beside a loop of pandas; which files are opened."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        run([sys.executable, "-m", "benchmarks.speed.leaderboard_runs", place], log=place / "log")
        files = ", ".join(f"{file} {times:,} times" for file, times in sorted(opened(place).items()))
        costs = {form: run([*COMMAND, place, "--format", form], log=place / "log") for form in FORMATS}
        straight = run([sys.executable, "-c", STRAIGHT, place], log=place / "log")
    rows = [
        (f"--format {form}", f"{each.seconds:.2f} s", f"{each.cpu:.2f} s") for form, each in costs.items()
    ]
    rows.append(("a loop of pandas", f"{straight.seconds:.2f} s", f"{straight.cpu:.2f} s"))
    slowest = max(each.seconds for each in costs.values())
    text = (
        f"The leaderboard of {FOLDERS:,} runs of {PROMPTS} rows, whole commands; of their files are opened: "
        f"{files}. The loop of pandas reads the rows and takes means, without intervals or ranks.\n\n"
        f"{table(('', 'seconds', 'CPU seconds'), rows)}"
    )
    ratio = straight.seconds / slowest
    return [Target("leaderboard, slowest format: times faster", ratio, 1.0, " ×", at_least=True)], text
