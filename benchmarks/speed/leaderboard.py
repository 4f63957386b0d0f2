"""How long `lbw-eval leaderboard` takes over 1,000 run folders of 120 rows, and which files it opens.

The folders are made in a temporary folder by the scoring code; as scoring costs far more than reading, a few
runs are scored and each stands in many folders under another model's name.

Run: python benchmarks/leaderboard_1000.py
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from longbench_write.records import DIMENSIONS, Judgement, Prediction
from longbench_write.results import scores_csv
from longbench_write.scoring import summarise
from longbench_write.summary import Heading

FOLDERS, PROMPTS, SCORED = 1000, 120, 5
COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()", "leaderboard"]
TYPES = ("essay", "report", "story", "news", "forum", "manual", "lesson")


def heading(model: str) -> Heading:
    return Heading(
        model=model,
        writer="direct",
        suite="s",
        suite_version="1",
        suite_sha256="5" * 64,
        prompts={"n": PROMPTS, "sha256": "4" * 64},
        samples=1,
        settings={"backend": "openai", "temperature": 0.5, "max_tokens": 32768, "seed": 42},
        judge="j",
        judge_sha256="7" * 64,
        judge_note="",
        start="2026-11-21T00:00:00+00:00",
        note="",
    )


def prediction(number: int, rng: random.Random) -> Prediction:
    length = rng.choice((300, 800, 2500, 6000))
    written = int(length * rng.uniform(0.4, 1.5))
    return Prediction(
        prompt="p",
        type=TYPES[number % len(TYPES)],
        length=length,
        response_length=written,
        response=f"Text {number}.",
        id=f"p-{number}",
        language=("en", "zh")[number % 2],
        sample=0,
        response_length_unicode=written,
        reasoning="",
        finish_reason="stop",
        max_tokens_effective=None,
        usage={},
        seconds=1.0,
        error=None,
        attempts=1,
        reasoning_words=0,
    )


def judgement(number: int, rng: random.Random) -> Judgement:
    return Judgement(
        id=f"p-{number}",
        sample=0,
        judge="j",
        repeat=0,
        scores={name: rng.randint(1, 5) for name in DIMENSIONS},
        analysis="",
        raw="",
        error=None,
        usage=None,
        seconds=1.0,
        tries=1,
    )


def make(place: Path) -> None:
    scored = []
    for seed in range(SCORED):
        rng = random.Random(seed)
        summary, rows = summarise(
            heading("model-?"),
            [prediction(number, rng) for number in range(PROMPTS)],
            [judgement(number, rng) for number in range(PROMPTS)],
            owed=PROMPTS,
            seconds=1.0,
        )
        scored.append((summary.to_json(), scores_csv(rows)))
    for number in range(FOLDERS):
        folder = place / f"model-{number}" / "s" / "openai-0"
        folder.mkdir(parents=True)
        summary_json, scores = scored[number % SCORED]
        (folder / "summary.json").write_text(summary_json.replace("model-?", f"model-{number}"))
        (folder / "scores.csv").write_text(scores)
        (folder / "run.yaml").write_text("")


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


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        make(place)
        print(f"{FOLDERS} runs of {PROMPTS} rows; opened: {dict(opened(place))}")
        for form in ("table", "md", "csv", "json", "latex", "html"):
            start, spent = time.perf_counter(), cpu_seconds()
            done = subprocess.run([*COMMAND, str(place), "--format", form], capture_output=True, check=True)
            wall, cpu = time.perf_counter() - start, cpu_seconds() - spent
            print(f"{form:6} {wall:5.2f} s, {cpu:5.2f} s of CPU, {len(done.stdout) / 1e6:5.2f} MB")


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
