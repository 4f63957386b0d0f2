"""Counting, scoring and comparing, each beside a straightforward version with the same results.

    python -m benchmarks.speed.scoring NAME

measures one of them in a process of its own and prints its seconds, and those of a straightforward version.
"""

from __future__ import annotations

import json
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.speed import leaderboard
from benchmarks.speed.measure import Cost, output, run
from benchmarks.speed.section import Section, Settings, Target, table
from benchmarks.speed.server import Prose

T = TypeVar("T")

TEXTS, WORDS = 120, 20_000
PARAGRAPH = 100
"""Words of one language in a mixed text, before the other's turn."""
COMPARED = [120] * 9 + [26, 36, 31, 27] * 3
"""Prompts behind each metric of `lbw-eval compare`: over all, and in each length range."""


def measure(settings: Settings) -> Section:
    """Each in a process of its own, in turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PARTS}
    scored: list[float] = []
    compared: list[Cost] = []
    for _ in range(settings.rounds):
        for name, pairs in found.items():
            ours, straight = _child(name)
            pairs.append((ours, straight))
        scored += _child(SCORED)
        compared.append(_compare())
    rows, ratios = [], {}
    for name, pairs in found.items():
        ratios[name] = median(straight / ours for ours, straight in pairs)
        ours, straight = (median(pair[which] for pair in pairs) for which in (0, 1))
        rows.append((name, f"{ours:.3f} s", f"{straight:.3f} s", f"{ratios[name]:.1f}"))
    text = f"""Medians of {settings.rounds} turns; both versions give the same to the last bit, or the
measurement ends. The count's straightforward version is `len(re.findall(...))` twice; the bootstrap's is a
loop in Python with the same draws.

{table(("", "ours", "straightforward", "times faster"), rows)}

Scoring {TEXTS} texts of {WORDS:,} words with their judgements, every diagnostic and interval included,
takes {median(scored):.2f} s. `lbw-eval compare` of two runs of {leaderboard.PROMPTS} rows, the whole command:
{median(each.seconds for each in compared):.2f} s, {median(each.cpu for each in compared):.2f} s of CPU,
{median(each.megabytes for each in compared):.0f} MB.

{leaderboard.measure()}"""
    return Section(
        "Scoring",
        text,
        [
            *(Target(f"{name}: times faster", ratios[name], 3, " ×", at_least=True) for name in COUNTS),
            Target(f"{BOOTSTRAP}: times faster", ratios[BOOTSTRAP], 20, " ×", at_least=True),
        ],
    )


def _child(name: str) -> list[float]:
    seconds: list[float] = json.loads(output([sys.executable, "-m", "benchmarks.speed.scoring", name]))
    return seconds


def _compare() -> Cost:
    """`lbw-eval compare` of two runs."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        run([sys.executable, "-m", "benchmarks.speed.leaderboard_runs", place, "2"], log=place / "log")
        command = [Path(sysconfig.get_path("scripts")) / "lbw-eval", "compare"]
        return run([*command, place / "model-0", place / "model-1"], log=place / "log")


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _texts(language: str) -> list[str]:
    if language == "mixed":
        english, chinese = Prose("en"), Prose("zh")
        steps = range(0, WORDS // 2, PARAGRAPH)
        return [
            "\n".join(
                prose.text(n * 311 + step, n * 311 + step + PARAGRAPH)
                for step in steps
                for prose in (english, chinese)
            )
            for n in range(TEXTS)
        ]
    languages = ("en", "zh") if language == "both" else (language,)
    prose = [Prose(each) for each in languages]
    return [prose[n % len(prose)].text(n * 311, n * 311 + WORDS) for n in range(TEXTS)]


def _count(language: str) -> tuple[float, float]:
    import re

    from longbench_write.metrics.length import count_words

    texts = _texts(language)
    ours, counts = _timed(lambda: [count_words(text) for text in texts])
    straight, expected = _timed(
        lambda: [
            len(re.findall(r"[\u4e00-\u9fff]", text)) + len(re.findall(r"\b[a-zA-Z]+\b", text))
            for text in texts
        ]
    )
    _same(counts, expected)
    return ours, straight


def _scored() -> tuple[float]:
    import random
    from dataclasses import replace

    from benchmarks.speed.leaderboard_runs import info, judgement, prediction
    from longbench_write.scoring.scoring import summarise

    rng = random.Random(0)
    written = [replace(prediction(n, rng), response=text) for n, text in enumerate(_texts("both"))]
    judged = [judgement(n, rng) for n in range(TEXTS)]
    return (_timed(lambda: summarise(info("m"), written, judged, owed=TEXTS, seconds=None))[0],)


def _bootstrap() -> tuple[float, float]:
    import numpy as np

    from longbench_write.stats import RESAMPLES, resampled_means, summable

    rng = np.random.default_rng(4)
    changes = [rng.normal(-2, 9, prompts) for prompts in COMPARED]

    def straight(values: list[float]) -> list[float]:
        prompts, means = len(values), []
        rng = np.random.default_rng(0)
        for _ in range(RESAMPLES):
            drawn = rng.integers(prompts, size=prompts).tolist()
            means.append(sum(values[place] for place in drawn) / prompts)
        return sorted(means)

    ours, found = _timed(lambda: [resampled_means(change).tolist() for change in changes])
    looped, expected = _timed(lambda: [straight(summable(change).tolist()) for change in changes])
    _same(found, expected)
    return ours, looped


def _same(ours: object, expected: object) -> None:
    if ours != expected:
        raise SystemExit("the two versions differ")


COUNTS = {f"counting {TEXTS} x {WORDS:,} words, {which}": which for which in ("en", "zh", "both", "mixed")}
SCORED = "scored"
BOOTSTRAP = "the resampling of a comparison, 21 metrics, 10,000 resamples"
PARTS: dict[str, Callable[[], tuple[float, float]]] = {
    **{name: (lambda which=which: _count(which)) for name, which in COUNTS.items()},
    BOOTSTRAP: _bootstrap,
}


if __name__ == "__main__":
    print(json.dumps((PARTS | {SCORED: _scored})[sys.argv[1]]()))
