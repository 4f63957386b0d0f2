"""In whatever order the records stand, summary.json has the same bytes."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from gate_samples import Wrote, write_run
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.runs.folder import JUDGEMENTS, PREDICTIONS, SUMMARY
from longbench_write.runs.results import score_run
from longbench_write.scoring.scoring import suite_order, summarise

LENGTHS = (100, 700, 3000, 20000)
KINDS = ("Popular Science", "News Report", "Textbook")


def records(seed):
    """Twenty prompts with two samples and two judgements each, some in chapters; a few of each failed."""
    rng = random.Random(seed)
    predictions, judgements = [], []
    for number in range(20):
        for sample in range(2):
            name = f"lbw-{number + 1}"
            about = {
                "length": LENGTHS[number % 4],
                "type": KINDS[number % 3],
                "language": ("en", "zh")[number % 2],
            }
            if rng.random() < 0.1:
                predictions.append(replace(failed(name, sample), **about))
                continue
            words = rng.randint(1, 30_000)
            predictions.append(
                predicted(name, sample, response_length=words, response_length_unicode=words + 1, **about)
            )
            for repeat in range(2):
                scores = [rng.randint(1, 5) for _ in range(6)]
                made = judged(name, sample, scores if rng.random() < 0.9 else None, repeat=repeat)
                if made.scores and rng.random() < 0.5:
                    parts = [
                        {"words": rng.randint(1, 999), "scores": made.scores, "analysis": ""},
                        {
                            "words": rng.randint(1, 999),
                            "scores": dict.fromkeys(made.scores, 3),
                            "analysis": "",
                        },
                    ]
                    made = replace(made, chapters=parts)
                judgements.append(made)
    return predictions, judgements


def summary_of(predictions, judgements):
    info = replace(RUN_INFO, samples=2, prompts={"n": 20, "sha256": "4" * 64})
    found, _ = summarise(info, predictions, judgements, owed=40, seconds=1.0, repeats=2)
    return found.to_json()


@settings(max_examples=20, deadline=None)
@drawn(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_records_shows_in_no_figure(seed, rng):
    predictions, judgements = records(seed)
    expected = summary_of(predictions, judgements)
    rng.shuffle(predictions)
    rng.shuffle(judgements)
    assert summary_of(predictions, judgements) == expected


@pytest.mark.parametrize("seed", range(3))
def test_a_folder_whose_lines_change_places_has_the_same_summary(tmp_path, seed):
    rng = np.random.default_rng(seed)
    wrote = {
        f"p-{n}": Wrote(
            1000, None if n % 9 == 8 else int(rng.integers(300, 4000)), tuple(map(int, rng.integers(1, 6, 6)))
        )
        for n in range(40)
    }
    folder = write_run(tmp_path / "run", wrote)
    score_run(folder, judge=None)
    before = (folder / SUMMARY).read_bytes()
    for file in (PREDICTIONS, JUDGEMENTS):
        lines = (folder / file).read_bytes().splitlines(keepends=True)
        rng.shuffle(lines)
        (folder / file).write_bytes(b"".join(lines))
    score_run(folder)
    assert (folder / SUMMARY).read_bytes() == before


def test_numbers_in_ids_go_by_their_size():
    numbers = (100, 11, 10, 9, 2, 1)
    assert sorted((f"lbw-en-{n}" for n in numbers), key=suite_order) == [f"lbw-en-{n}" for n in numbers[::-1]]
    assert sorted(["b", "a10", "a9", "a", "07", "7", "9" * 5000], key=suite_order) == [
        *("07", "7", "9" * 5000, "a", "a9", "a10", "b")
    ]
