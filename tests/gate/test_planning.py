"""The minimum detectable drop of a gate, planned from runs whose variance components are known."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from gate_samples import as_scores, made, write_run, wrote_well
from samples import judged

from longbench_write.compare.components import JudgedRun, components, repeats_of
from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.rule import Rule
from longbench_write.errors import UsageError
from longbench_write.gate.more_runs import SIDES
from longbench_write.gate.planning import load_judged, plan

S_L, S_Q = parse_metric("S_l"), parse_metric("S_q")


def drawn(prompts=400, samples=1, *, interaction=36.0, sample=64.0, runs=2, seed=0):
    """Runs of S_l with these variances of the prompts' differences and of samples."""
    rng = np.random.default_rng(seed)
    prompt = rng.normal(50, 20, (prompts, 1))
    return [
        JudgedRun(
            made(
                prompt
                + rng.normal(0, np.sqrt(interaction / 2), (prompts, 1))
                + rng.normal(0, np.sqrt(sample), (prompts, samples))
            ),
            {},
        )
        for _ in range(runs)
    ]


def test_the_components_of_runs_with_samples_are_found():
    found = components(drawn(samples=4), S_L)
    assert found.sample == pytest.approx(64, rel=0.1)
    assert found.interaction == pytest.approx(36, rel=0.25)
    assert found.least == found.most
    assert found.prompts == 400


def test_samples_of_one_run_leave_the_interaction_between_none_and_everything():
    found = components(drawn(samples=4, runs=1), S_L)
    assert found.interaction is None
    assert found.least.interaction == 0
    assert found.most.interaction == pytest.approx(2 * (400 + 18), rel=0.2)
    assert found.least.sample == found.most.sample == found.sample


def test_runs_of_one_sample_leave_open_what_samples_lower():
    found = components(drawn(), S_L)
    assert found.sample is None
    total = 36 + 2 * 64
    assert found.most.variance(1, 1) == pytest.approx(total, rel=0.2)
    assert found.most.variance(8, 1) == found.most.variance(1, 1) == pytest.approx(found.least.variance(1, 1))
    assert found.least.variance(8, 1) == pytest.approx(found.least.variance(1, 1) / 8)


def test_repeats_tell_the_judges_variance_from_the_responses():
    rng = np.random.default_rng(1)
    prompts, samples, repeats = 150, 3, 4
    response = rng.normal(0, 0.5, (prompts, samples, 1, 1)) + rng.normal(3, 0.3, (prompts, 1, 1, 1))
    scores = response + rng.normal(0, 0.4, (prompts, samples, repeats, 1)) + np.zeros(6)
    run = made(np.full((prompts, samples), 50.0), scores.mean(axis=2))
    every = {
        (f"p-{prompt:03d}", sample): [as_scores(six) for six in scores[prompt, sample].tolist()]
        for prompt in range(prompts)
        for sample in range(samples)
    }
    found = components([JudgedRun(run, every)], S_Q)
    assert found.repeat == pytest.approx((25 * 0.4) ** 2, rel=0.1)
    assert found.sample == pytest.approx((25 * 0.5) ** 2, rel=0.2)
    halved = components([JudgedRun(run, every)], parse_metric("S_bar"))
    assert halved.repeat == pytest.approx(found.repeat / 4)
    assert components([JudgedRun(run, every)], S_L).repeat is None


def test_repeats_are_one_judges_valid_ones():
    judgements = [
        judged("a", scores=(1, 2, 3, 4, 5, 5)),
        judged("a", scores=(2, 2, 2, 2, 2, 2), repeat=1),
        judged("a", scores=None, repeat=2),
        judged("a", judge="other"),
    ]
    assert repeats_of(judgements, "j") == {
        ("a", 0): [as_scores((1, 2, 3, 4, 5, 5)), as_scores((2, 2, 2, 2, 2, 2))]
    }


def test_a_plan_gains_from_samples_and_prompts_as_its_formula_says():
    runs = drawn(samples=4)
    rule = Rule(metrics=(S_L,), drop=0.0)
    few, many = (plan(runs, rule, samples=4, repeats=1, prompts=n) for n in (100, 400))
    (low, high), (tight, _) = few.grid[4, 1][0], many.grid[4, 1][0]
    assert low == high
    assert low / tight == pytest.approx(2, rel=0.03)
    assert few.grid[1, 1][0] > few.grid[8, 1][0]
    (part,) = few.parts
    error = np.sqrt((part.interaction + 2 * part.sample / 4) / 100)
    assert low == pytest.approx((1.984 + 0.845) * error, rel=0.01)


def test_a_plan_says_what_it_could_not_estimate():
    notes = " ".join(plan(drawn(runs=1), Rule(), samples=1, repeats=1).notes)
    assert {"interaction", "sample", "judge", "run"} <= set(re.findall(r"\w+", notes))
    assert len(plan(drawn(samples=2), Rule(), samples=1, repeats=1).notes) == 2


def test_the_plan_that_is_asked_for_is_in_the_grid_and_the_sentence():
    found = plan(drawn(samples=2), Rule(), samples=7, repeats=4)
    assert (7, 4) in found.grid
    low, high = found.grid[7, 4][0]
    assert re.findall(r"\b[\d.]+\b", found.sentence())[:4] == ["400", "7", "4", f"{low:.1f}"]
    assert low == high


def test_runs_that_cannot_be_compared_are_no_plan():
    one, other = drawn()
    other = JudgedRun(made([[5]], suite_sha256="6" * 64), {})
    with pytest.raises(UsageError, match="6" * 8):
        plan([one, other], Rule(), samples=1, repeats=1)


def test_runs_are_read_with_their_single_judgements(tmp_path):
    run = load_judged(write_run(tmp_path / "r", wrote_well(8)))
    assert len(run.repeats) == 8
    (tmp_path / "m.json").write_bytes((tmp_path / "r" / "summary.json").read_bytes())
    with pytest.raises(UsageError, match=r"m\.json"):
        load_judged(tmp_path / "m.json")


def of_one_model(moves, runs=40, prompts=30):
    """Runs that differ by samples and, as wholes, by this standard deviation."""
    rng = np.random.default_rng(3)
    prompt = rng.normal(50, 20, (prompts, 1))
    found = []
    for night in range(runs):
        values = prompt + moves * rng.standard_normal() + rng.normal(0, 5, (prompts, 2))
        found.append(JudgedRun(replace(made(values), source=Path(f"night {night}")), {}))
    return found


def test_what_moves_whole_runs_is_found_in_runs_of_one_model():
    found = plan(of_one_model(3.0), Rule(drop=0.0), samples=2, repeats=1)
    assert found.more.between[S_L] == pytest.approx(9, rel=0.35)
    assert found.to_json()["variance"]["S_l"]["run"] == found.more.between[S_L]
    error = np.sqrt(2 * found.more.between[S_L] + found.parts[0].least.variance(2, 1) / 30)
    half = found.grid[2, 1][0][0] * 2.045 / (2.045 + 0.854)  # one run a side looks at prompts alone
    assert found.more.red[S_L] == pytest.approx(180 * NormalDist().cdf(-half / error), rel=0.02)


def test_nights_that_are_red_for_any_metric_are_no_fewer_than_for_one():
    gated = (S_L, parse_metric("S_l[0,500)"))
    runs = of_one_model(3.0)
    one, both = (plan(runs, Rule(metrics=each), samples=2, repeats=1).more for each in (gated[:1], gated))
    (alone,) = one.red.values()
    (note,) = one.notes()
    assert re.findall(r"\b\d+\b", note.replace(str(gated[1]), "")) == ["180", f"{alone:.0f}"]
    (note,) = both.notes()
    most, every = max(both.red.values()), sum(both.red.values())
    assert re.findall(r"\b\d+\b", note.replace(str(gated[1]), "")) == ["180", f"{most:.0f}", f"{every:.0f}"]


def test_more_runs_find_smaller_drops_once_there_are_enough_to_say_how_far_runs_vary():
    found = plan(of_one_model(0.0), Rule(drop=0.0), samples=2, repeats=1)
    one, two, three, five, ten, both = (found.more.drops[sides][0][0] for sides in SIDES)
    assert one == pytest.approx(found.grid[2, 1][0][0])
    assert two > three > five > ten > both
    assert one > ten
    rows = {(each["baseline"], each["run"]): each["detectable_drop"] for each in found.to_json()["runs"]}
    assert rows[5, 5]["S_l"] == found.more.drops[5, 5][0]


def test_of_runs_of_two_models_nothing_is_known_of_what_moves_whole_runs():
    one, other = of_one_model(3.0, runs=2)
    other = JudgedRun(replace(other.scores, info=replace(other.scores.info, model="n")), {})
    found = plan([one, other], Rule(), samples=1, repeats=1)
    assert all(low <= high for drops in found.more.drops.values() for low, high in drops)
    assert (found.more.between, found.more.red) == ({S_L: None}, {})


def test_where_one_sample_leaves_open_what_is_noise_the_smaller_drop_stands_first():
    runs = [run.scores for run in of_one_model(0.0, runs=5)]
    single = [
        JudgedRun(replace(made([[mean] for mean in S_L.per_prompt(run).values()]), source=run.source), {})
        for run in runs
    ]
    found = plan(single, Rule(), samples=1, repeats=1)
    low, high = found.more.drops[2, 1][0]
    assert low < high


def test_one_prompt_is_no_plan():
    with pytest.raises(UsageError, match="S_l"):
        plan([JudgedRun(made([[5]]), {})], Rule(), samples=1, repeats=1)
