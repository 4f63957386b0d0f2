"""What the intervals of one table are worth together."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gate_samples import World, made, write_run, wrote_well

from longbench_write.compare.comparison import compare
from longbench_write.compare.correction import correct
from longbench_write.compare.loading import load_scores
from longbench_write.gate.document import comparison_json
from longbench_write.gate.markdown import comparison_markdown


def found(seed, **world):
    return compare(*World(**world).pair(np.random.default_rng(seed), 48)).differences


def test_one_of_twenty_intervals_excludes_zero_by_chance():
    together = correct(found(1))
    assert together.intervals == 21
    assert together.by_chance == pytest.approx(1.05)


def test_of_null_pairs_few_have_anything_left_after_the_correction():
    trials = 60
    tables = [correct(found(seed)) for seed in range(trials)]
    assert sum(bool(each.excluding) for each in tables) > 0.2 * trials
    assert sum(bool(each.surviving) for each in tables) <= 0.05 * trials + 2 * (trials * 0.05 * 0.95) ** 0.5
    assert all(each.surviving <= each.excluding for each in tables)


def test_what_changed_much_survives():
    together = correct(found(1, shift=0.5))
    assert "S_l" in map(str, together.surviving)


def test_nothing_is_made_of_nothing():
    together = correct([])
    assert (together.intervals, together.by_chance, together.surviving) == (0, 0.0, frozenset())
    one = compare(made([[50]]), made([[10]])).differences
    assert correct(one).intervals == 0


def test_without_pairs_the_intervals_are_corrected(tmp_path):
    places = [write_run(tmp_path / name, wrote_well(share=share)) for name, share in (("a", 1.0), ("b", 0.4))]
    kept = [tmp_path / f"{place.name}.json" for place in places]
    for place, file in zip(places, kept, strict=True):
        file.write_bytes((place / "summary.json").read_bytes())
    differences = compare(*map(load_scores, kept)).differences
    assert {each.p for each in differences} == {None}
    assert "S_l" in map(str, correct(differences).surviving)


def test_json_and_markdown_mark_what_survives():
    comparison = compare(*World(shift=0.5).pair(np.random.default_rng(1), 48))
    values = json.loads(comparison_json(comparison))
    together = correct(comparison.differences)
    assert values["intervals"]["number"] == 21
    assert values["intervals"]["expected_by_chance"] == pytest.approx(1.05)
    assert set(values["intervals"]["surviving"]) == set(map(str, together.surviving))
    marked = {name for name, each in values["differences"].items() if each["survives_correction"]}
    assert marked == set(map(str, together.surviving))
    text = comparison_markdown(comparison)
    assert text.count("\\* ") == len(together.surviving)
