"""Makes run folders for the leaderboard: python -m benchmarks.speed.leaderboard_runs FOLDER [HOW_MANY].

As scoring costs far more than reading, a few runs are scored, and each stands in many folders under another
model's name.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from benchmarks.speed.leaderboard import FOLDERS, PROMPTS
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Judgement, Prediction
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.summary import RunInfo
from longbench_write.scoring.table import scores_csv

SCORED = 5
TYPES = ("essay", "report", "story", "news", "forum", "manual", "lesson")


def info(model: str) -> RunInfo:
    return RunInfo(
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
    length = (300, 800, 2500, 6000)[number % 4]
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


def make(place: Path, folders: int = FOLDERS) -> None:
    scored = []
    for seed in range(SCORED):
        rng = random.Random(seed)
        summary, rows = summarise(
            info("model-?"),
            [prediction(number, rng) for number in range(PROMPTS)],
            [judgement(number, rng) for number in range(PROMPTS)],
            owed=PROMPTS,
            seconds=1.0,
        )
        scored.append((summary.to_json(), scores_csv(rows)))
    for number in range(folders):
        folder = place / f"model-{number}" / "s" / "openai-0"
        folder.mkdir(parents=True)
        summary_json, scores = scored[number % SCORED]
        (folder / "summary.json").write_text(summary_json.replace("model-?", f"model-{number}"))
        (folder / "scores.csv").write_text(scores)
        (folder / "run.yaml").write_text("")


if __name__ == "__main__":
    make(Path(sys.argv[1]), *map(int, sys.argv[2:]))
