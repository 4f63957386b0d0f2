"""Floors: how often another run would be below one, and floors that only a whole interval breaks."""

from __future__ import annotations

import json
from dataclasses import replace
from math import atan, pi, sqrt

import numpy as np
import pytest
from gate_samples import made, write_run, wrote_well
from samples import RUN_INFO

from longbench_write.compare.floors import chance_beyond, mean_interval
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import MetricInRange, parse_metric
from longbench_write.compare.pooling import pooled
from longbench_write.compare.rule import Rule
from longbench_write.errors import UsageError
from longbench_write.gate.config import build_gate
from longbench_write.gate.document import verdict_json
from longbench_write.gate.gate import Outcome, check
from longbench_write.gate.markdown import verdict_markdown
from longbench_write.metrics.base import Metric
from longbench_write.suites.cards import load_card

S_L = parse_metric("S_l")
ERRORS = Metric("errors", "E", range=(0.0, 100.0), higher_is_better=False)


def finding(verdict, name="S_l"):
    (found,) = [each for each in verdict.findings if str(each.metric) == name]
    return found


def plain(floor):
    return Rule(metrics=(S_L,), floors={S_L: floor})


def confident(floor):
    return replace(plain(floor), confident=frozenset({S_L}))


def as_errors(scores):
    """The same run with 100 - S_l as an added metric that had better be low."""
    responses = {
        key: replace(each, values={**each.values, ERRORS.name: 100 - each.values["S_l"]})
        for key, each in scores.responses.items()
    }
    return replace(scores, responses=responses, metrics=(ERRORS,))


def spread(mean, width, prompts=40, seed=0):
    values = np.random.default_rng(seed).normal(0, 1, (prompts, 1))
    return made(mean + width * (values - values.mean()) / values.std(ddof=1))


# Differences of -2 and 4 have a mean with a standard error of 3, and one degree of freedom: t is Cauchy's.
TWO = made([[50], [70]]), made([[48], [74]])


@pytest.mark.parametrize(("floor", "t"), [(58, -1), (61, 0), (64, 1), (61 - 3 * sqrt(3), -sqrt(3))])
def test_the_chance_is_that_of_students_t_around_the_runs_mean(floor, t):
    assert chance_beyond(*TWO, S_L, floor) == pytest.approx(0.5 + atan(t) / pi)


def test_the_chance_with_more_prompts_is_that_of_a_table_of_t():
    """Of t with 10 degrees of freedom, 5% lie below -1.8125."""
    change = np.array([*range(-5, 6)], dtype=float)
    a, b = made([[60.0]] * 11), made((60 + change)[:, None])
    error = sqrt(11) / sqrt(11)
    assert chance_beyond(a, b, S_L, 60 - 1.812461 * error) == pytest.approx(0.05, abs=1e-6)


def test_where_lower_is_better_the_chance_is_that_of_lying_above():
    a, b = map(as_errors, TWO)
    assert chance_beyond(a, b, MetricInRange(ERRORS), 100 - 58) == pytest.approx(0.25)


def test_a_baseline_of_more_samples_says_less_of_what_another_run_differs_by():
    """With three samples against one the variance is 4/3 of a sample's; of two single ones it is 2."""
    a, b = made([[50] * 3, [70] * 3]), made([[48], [74]])
    assert chance_beyond(a, b, S_L, 61 - 3 * sqrt(1.5)) == pytest.approx(0.25)


def test_a_run_of_more_prompts_than_the_baseline_has_less_noise():
    a, b = made([[50], [70]]), made([[48], [74], [61], [61]])
    assert chance_beyond(a, b, S_L, 61 - 3 / sqrt(2)) == pytest.approx(0.25)


@pytest.mark.parametrize("width", [0.0, 3.0])
def test_the_chance_knows_what_moves_whole_runs(width, tmp_path):
    rng = np.random.default_rng(5)
    nights = rng.normal(0, width, 6)
    runs = [
        replace(made(60 + rng.normal(night, 2, (50, 1))), source=tmp_path / str(place))
        for place, night in enumerate(nights)
    ]
    baseline, run = pooled(runs[:5]), runs[5]
    floor = S_L.mean(run) - 1.0
    chance, alone = chance_beyond(baseline, run, S_L, floor), chance_beyond(runs[0], run, S_L, floor)
    # Of a single night's noise, 2 / sqrt(50) * sqrt(2), 1 is 2.5 standard errors.
    assert alone < 0.02
    assert (chance > 0.25) if width else (alone < chance < 0.1)
    above = chance_beyond(baseline, run, S_L, S_L.mean(run) + 1.0)
    assert above == pytest.approx(1 - chance, abs=1e-5)


def test_the_chance_is_how_often_other_runs_are_below():
    """Over drawn pairs of one model, a third run is below the floor as often as is said."""
    rng = np.random.default_rng(2)
    told, below = [], []
    for _ in range(2000):
        prompts = rng.normal(60, 10, (12, 1))
        one, two, three = (prompts + rng.normal(0, 4, (12, 1)) for _ in range(3))
        # A floor that the run's own mean is a fixed way above.
        floor = two.mean() - 1.5
        told.append(chance_beyond(made(one), made(two), S_L, floor))
        below.append(three.mean() < floor)
    assert np.mean(below) == pytest.approx(np.mean(told), abs=0.025)


def test_nothing_is_said_where_nothing_differs_or_prompts_are_few():
    same = made([[50], [70]])
    assert chance_beyond(same, same, S_L, 40) is None
    assert chance_beyond(same, made([[49.9], [69.9]]), S_L, 40) is None
    assert chance_beyond(made([[50]]), made([[60]]), S_L, 40) is None
    assert finding(check(same, same, plain(40))).below_floor is None


def test_a_bare_summary_says_no_chance_but_has_an_interval(tmp_path):
    place = write_run(tmp_path / "a", wrote_well(24))
    (tmp_path / "s.json").write_bytes((place / "summary.json").read_bytes())
    run, bare = load_scores(place), load_scores(tmp_path / "s.json")
    assert chance_beyond(bare, run, S_L, 90) is None
    assert mean_interval(bare, S_L) == pytest.approx(mean_interval(run, S_L))
    assert mean_interval(bare, parse_metric("S_l>20000")) is None


@pytest.mark.parametrize("name", ["S_l", "S_q", "S_bar", "Clarity", "S_l[0,500)"])
def test_the_interval_is_that_of_the_summary(name, tmp_path):
    place = write_run(tmp_path / "a", wrote_well(40, seed=3))
    summary, metric = json.loads((place / "summary.json").read_text()), parse_metric(name)
    group = summary if metric.range is None else summary["by_length"][0]
    ends = group["ci"].get(name.split("[")[0]) or group["ci"]["dimensions"][name]
    assert mean_interval(load_scores(place), metric) == pytest.approx(ends)


def test_a_suite_whose_prompts_are_not_independent_has_no_interval_here():
    ruler = load_card("longwrite-ruler")
    run = spread(60, 10)
    run = replace(run, info=replace(RUN_INFO, suite_sha256=ruler.sha256, judge=None, judge_sha256=None))
    assert mean_interval(run, S_L) is None
    assert check(run, run, confident(61)).exit_code == 1
    assert check(run, run, confident(59)).exit_code == 0


def test_a_mean_below_with_a_wide_interval_breaks_a_plain_floor_alone():
    a, b = spread(60, 20), spread(60, 20, seed=1)
    assert check(a, b, plain(61)).exit_code == 3
    found = finding(check(a, b, confident(61)))
    assert (found.outcome, found.floor, found.mean) == (Outcome.PASSED, 61, pytest.approx(60))
    low, high = found.mean_interval
    assert low < 60 < 61 < high
    assert f"{low:.1f} to {high:.1f}" in found.message
    assert found.below_floor > 0.5
    assert f"{found.below_floor:.0%}" in found.message


def test_an_interval_that_lies_below_breaks_a_confident_floor():
    a, b = spread(60, 4), spread(60, 4, seed=1)
    verdict = check(a, b, confident(70))
    assert (verdict.exit_code, finding(verdict).outcome) == (3, Outcome.REGRESSED)
    assert finding(verdict).mean_interval[1] < 70


def test_where_lower_is_better_it_is_the_interval_above_that_breaks_it():
    a, b = as_errors(spread(60, 20)), as_errors(spread(60, 20, seed=1))
    metric = MetricInRange(ERRORS)
    for ceiling, code in ((39, 0), (41, 0), (20, 3)):
        rule = Rule(metrics=(S_L,), floors={metric: ceiling}, confident=frozenset({metric}))
        assert check(a, b, rule).exit_code == code


def test_with_what_is_missing_at_its_worst_the_interval_counts_too():
    a = spread(60, 4, prompts=60)
    b = spread(60, 4, prompts=60, seed=1)
    gone = sorted(b.responses)[:3]
    lacking = replace(b, responses={key: each for key, each in b.responses.items() if key not in gone})
    assert check(a, lacking, plain(59)).exit_code == 1
    assert check(a, lacking, confident(59)).exit_code == 0
    # Three of 60 at 0 bring the interval's high end from 61.7 to 59.9.
    assert check(a, lacking, confident(61)).exit_code == 1
    assert check(a, lacking, replace(confident(70), max_missing=0.9)).exit_code == 3


def test_one_prompt_cannot_break_a_confident_floor():
    a, b = made([[60], [60]]), made([[50]])
    assert mean_interval(b, S_L) is None
    rule = Rule(metrics=(parse_metric("Clarity"),), floors={S_L: 55}, confident=frozenset({S_L}))
    assert finding(check(a, b, rule)).outcome is Outcome.UNDECIDED


def test_json_and_markdown_say_the_chance():
    verdict = check(*TWO, plain(58))
    (values,) = json.loads(verdict_json(verdict))["findings"]
    assert values["below_floor"] == pytest.approx(0.25)
    assert (values["min"], values["mean_interval"]) == (58, None)
    assert "25%" in verdict_markdown(verdict)
    (values,) = json.loads(verdict_json(check(*TWO, confident(58))))["findings"]
    assert values["mean_interval"] == list(mean_interval(TWO[1], S_L))


@pytest.mark.parametrize(
    ("floor", "read"),
    [
        (80, (80.0, False)),
        ({"at_least": 80}, (80.0, False)),
        ({"at-least": 80, "confident": True}, (80.0, True)),
        ({"at_least": 80.5, "confident": False}, (80.5, False)),
    ],
)
def test_a_floor_is_a_number_or_says_whether_it_is_confident(floor, read):
    rule = build_gate({"min": {"S_l": floor}}).rule
    assert (rule.floors[S_L], S_L in rule.confident) == read


@pytest.mark.parametrize(
    ("floor", "reason"),
    [
        ({"confident": True}, "S_l .*at_least"),
        ({}, "S_l .*at_least"),
        ({"at_least": 80, "confidant": True}, "min S_l.*'confidant'.*'confident'"),
        ({"at_leats": 80}, "'at_leats'.*'at_least'"),
        ({"at_least": 80, "at-least": 70}, "S_l.*twice"),
        ({"at_least": 800, "confident": True}, "at_least .*800"),
        ({"at_least": True}, "at_least .*True"),
        ({"at_least": 80, "confident": 1}, "confident .*1"),
        ({"at_least": 80, "confident": None}, "confident .*None"),
        ([80], "S_l .*80"),
    ],
)
def test_a_floor_that_makes_no_sense_is_refused(floor, reason):
    with pytest.raises(UsageError, match=reason):
        build_gate({"min": {"S_l": floor}})
