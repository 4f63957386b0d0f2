"""A small part of what `python -m benchmarks.validity` measures, and that a stopped measurement goes on."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.validity import __main__ as command
from benchmarks.validity.cells import Cell, CellFile, measure
from benchmarks.validity.drift import DRIFT, HALF_YEAR, SIX_WEEKS, is_found
from benchmarks.validity.gate import MARGIN, WHERE, Loss, Pair, fallen_by, passes, verdicts
from benchmarks.validity.intervals import Tally, coverage, ruler_coverage
from benchmarks.validity.nights import MOVES, Nights, between
from benchmarks.validity.ranks import errors, is_wrong, ranked
from benchmarks.validity.sections import SECTIONS
from benchmarks.validity.shares import AT_LEAST, AT_MOST, Share
from benchmarks.validity.worlds import WORLDS, Truth, draw
from benchmarks.validity.written import drawn_prompts, run_info, scored, shares, suite
from longbench_write.compare.loading import load_scores
from longbench_write.metrics.length import S_L, S_L_RULE, length_score
from longbench_write.metrics.quality import S_Q

WORLD = {world.name: world for world in WORLDS}


@pytest.fixture
def rng():
    return np.random.default_rng(6)


# Worlds


@pytest.mark.parametrize("name", ["mixed", "bimodal"])
def test_the_truth_is_what_scoring_finds_on_average(name, rng):
    world = WORLD[name]
    prompts = [replace(prompt, id=f"{prompt.id}-{copy}") for prompt in suite().prompts for copy in range(3)]
    truth = Truth(world, suite().prompts).of(prompts)
    written = draw([world, world.moved(ratio=-0.2)], rng, prompts, 1)
    info = run_info("lbw-open", len(prompts), 1)
    _, rows = scored(info, prompts, written, metrics=(S_L, S_Q, S_L_RULE))
    for metric in ("S_l", "S_q", "S_l_rule"):
        values = [row.values[metric] for row in rows]
        error = np.std(values) / len(values) ** 0.5
        assert abs(np.mean(values) - truth[metric]) < 4 * error
    assert written.words[1].sum() < written.words[0].sum()


# Intervals


def test_intervals_of_every_kind_cover(rng):
    trials = 4
    found = [coverage(WORLD[name], number, 1, rng, trials) for name, number in (("good", 31), ("mixed", 6))]
    found += [coverage(WORLD["bimodal"], 12, 3, rng, trials), ruler_coverage(WORLD["weak"], 1, rng, trials)]
    kinds = {kind for each in found for kind in each}
    assert {"S_l", "S_q", "S_bar", "dimensions", "S_l_rule", "S_l_unicode"} <= kinds
    assert {"range_mean S_l", "weighted S_q", "S_l by length", "S_bar by language", "S_q by type"} <= kinds
    shares = [Share.read(each[kind]["coverage"]) for each in found for kind in each]
    assert sum(share.value for share in shares) / len(shares) >= AT_LEAST


def test_an_interval_that_does_not_hold_the_truth_is_no_cover():
    tally = Tally()
    tally.add(iter([("S_l", (1, 5), 3.0), ("dimensions", (1, 2), 3.0), ("dimensions", (1, 3), 3.0)]))
    tally.add(iter([("S_l", (1, 2), 3.0)]))
    found = tally.to_dict()
    assert (found["S_l"]["coverage"]["value"], found["S_l"]["coverage"]["trials"]) == (0.5, 2)
    assert (found["S_l"]["width"], found["dimensions"]["coverage"]["value"]) == (2.5, 0.5)


def test_a_share_is_held_to_its_bound_less_two_standard_errors():
    share = Share.of([1.0] * 90 + [0.0] * 10)
    assert (share.value, share.trials) == (0.9, 100)
    assert share.error == pytest.approx(0.03, rel=0.01)
    assert share.is_at_least(0.95)
    assert not share.is_at_least(0.97)
    assert share.is_at_most(0.85)
    assert not share.is_at_most(0.83)


# Gate and ranks


@pytest.mark.parametrize("name", ["good", "bimodal"])
def test_the_gate_seldom_closes_on_models_that_are_alike(name, rng):
    found = verdicts(Pair(WORLD[name], WORLD[name], 31, 1), None, rng, 15)
    assert Share.read(found["3"]).is_at_most(AT_MOST)
    assert sum(values["value"] for values in found.values()) == pytest.approx(1)


def test_the_gate_closes_on_a_model_that_writes_much_less(rng):
    assert Pair(WORLD["mixed"], WORLD["mixed"].moved(ratio=-0.5), 120, 1).verdict(rng).exit_code == 3


def test_a_model_that_is_worse_by_the_margin_seldom_passes(rng):
    world, parts = WORLD["mixed"], {label: count / 31 for label, count in shares(31).items()}
    before, after = (
        Truth(each, suite().prompts).by_shares(parts) for each in (world, fallen_by(world, MARGIN, 31))
    )
    assert before["S_l"] - after["S_l"] == pytest.approx(MARGIN, abs=0.05)
    assert before["S_q"] == after["S_q"]
    assert Share.read(passes(world, 31, rng, 12)["0"]).is_at_most(AT_MOST)


@pytest.mark.parametrize("what", ["responses", "judgements"])
def test_where_a_tenth_is_lost_the_gate_does_not_pass(what, rng):
    for where in WHERE:
        verdict = Pair(WORLD["mixed"], WORLD["mixed"], 120, 1).verdict(rng, Loss(what, where, 0.1))
        (finding,) = (each for each in verdict.findings if str(each.metric) == "S_q")
        assert verdict.exit_code != 0
        assert finding.missing == (12, 120)


def test_what_is_lost_is_the_longest_or_the_worst(rng):
    prompts = drawn_prompts(rng, 31)
    written = draw([WORLD["bimodal"]] * 2, rng, prompts, 1)
    lengths = {prompt.id: prompt.length for prompt in prompts}
    scores = {
        prompt.id: length_score(prompt.length, int(words))
        for prompt, words in zip(prompts, written.words[1, :, 0], strict=True)
    }
    longest, worst = (Loss("responses", where, 0.1).of(rng, prompts, written) for where in WHERE[1:])
    assert len(longest.responses) == len(worst.responses) == 3
    for of, lost, rest in ((lengths, longest, max), (scores, worst, min)):
        chosen = {prompt for prompt, _ in lost.responses}
        others = [of[prompt] for prompt in of.keys() - chosen]
        assert all(of[prompt] == rest([of[prompt], *others]) for prompt in chosen)


def test_models_far_apart_have_ranks_of_their_own_and_copies_share_theirs(rng, tmp_path):
    worlds = [WORLD["good"].moved(ratio=-0.8 * (place // 2)) for place in range(4)]
    runs = ranked("copies", worlds, 31, rng, tmp_path)
    assert [(run.best, run.worst) for run in runs] == [(1, 2), (1, 2), (3, 4), (3, 4)]
    assert not is_wrong(runs, [90, 90, 50, 50])
    assert is_wrong(runs, [90, 80, 85, 50])
    assert is_wrong(runs, [90, 90, 90, 50])


def test_few_blocks_have_a_wrong_rank(rng):
    found = errors("incomplete", WORLD["mixed"], 4, 12, rng, 3)
    assert Share.read(found["wrong"]).is_at_most(AT_MOST)
    assert 1 <= found["open"] <= 4


# Cells


def counting(counts, *, trials=3):
    """A section of two cells that count how often they are measured."""

    def one(name):
        def measured(rng, trials):
            counts.append(name)
            return {"drawn": rng.random()}

        return Cell({"name": name}, trials, measured)

    return replace(SECTIONS["flags"], cells=lambda quick: [one("a"), one("b")])


def measured(section, file, *, until=None):
    until = time.monotonic() + 60 if until is None else until
    return measure(section, CellFile(file), quick=False, until=until, tell=len)


def test_a_measurement_goes_on_where_it_was(tmp_path):
    file, counts = tmp_path / "cells.jsonl", []
    first = measured(counting(counts), file)
    assert counts == ["a", "b"]
    assert measured(counting(counts), file) == first
    file.write_bytes(file.read_bytes()[:-9])  # killed in the middle of a line
    again = measured(counting(counts), file)
    assert counts == ["a", "b", "b"]
    assert [each.found for each in again] == [each.found for each in first]


def test_more_trials_serve_for_fewer_and_fewer_do_not_for_more(tmp_path):
    file, counts = tmp_path / "cells.jsonl", []
    measured(counting(counts), file)
    measured(counting(counts, trials=2), file)
    assert counts == ["a", "b"]
    assert [each.trials for each in measured(counting(counts, trials=5), file)] == [5, 5]
    assert [each.trials for each in measured(counting(counts, trials=2), file)] == [5, 5]


def test_cells_of_other_code_are_measured_again(tmp_path):
    file, counts = tmp_path / "cells.jsonl", []
    measured(counting(counts), file)
    lines = [json.loads(line) | {"code": "0" * 12} for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    measured(counting(counts), file)
    assert counts == ["a", "b"] * 2


def test_no_cell_begins_when_the_time_is_over(tmp_path):
    counts = []
    assert measured(counting(counts), tmp_path / "cells.jsonl", until=0.0) == []
    assert counts == []


# Drift


def test_looked_at_every_night_a_drift_is_found_in_six_weeks_and_none_where_there_is_none(rng):
    found = [is_found(rng, 0.65, nights=SIX_WEEKS, drift=DRIFT) for _ in range(60)]
    assert Share.of(found).is_at_least(0.9)
    assert Share.of([is_found(rng, 0.65, nights=HALF_YEAR) for _ in range(20)]).is_at_most(AT_MOST)


# Nights


def test_nights_that_are_imported_are_those_that_are_simulated(rng, tmp_path):
    prompts = [replace(prompt, length=20 + place) for place, prompt in enumerate(suite().prompts[::5])]
    made = Nights(rng, MOVES["a little"], 2, prompts)
    lines = [
        json.dumps({"prompt": each.prompt, "type": each.type, "length": each.length}) for each in prompts
    ]
    path = tmp_path / "short.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for night in range(2):
        kept = load_scores(made.imported(night, tmp_path, path))
        for metric in ("S_l", "S_q", "S_bar"):
            found, wanted = (
                [response.values[metric] for response in scores.responses.values()]
                for scores in (kept, made.scores(night))
            )
            assert found == pytest.approx(wanted)


def test_what_moves_whole_nights_shows_between_them_alone(rng, monkeypatch):
    monkeypatch.setattr("benchmarks.validity.nights.HALF_YEAR", 40)
    assert between(rng, MOVES["nothing"]) == 0
    assert between(rng, MOVES["most"]) > 0.4


# The command


def test_the_document_holds_what_was_measured(tmp_path, monkeypatch, capsys):
    file, output = tmp_path / "cells.jsonl", tmp_path / "VALIDITY.md"
    words = ["validity", "--quick", "--only", "flags", "--cells", str(file), "-o", str(output)]
    monkeypatch.setattr(sys, "argv", words)
    command.main()
    (line,) = map(json.loads, file.read_text().splitlines())
    text = output.read_text()
    for flag, rates in line["found"].items():
        (row,) = [row for row in text.splitlines() if row.startswith(f"| {flag} |")]
        assert row.endswith(f"| {rates['found']} | {rates['false']} | {rates['missed']} | {rates['clean']} |")
    assert "Not measured yet." in text
    assert "recall of refused" in text
    capsys.readouterr()
    command.main()
    assert capsys.readouterr().err == ""
