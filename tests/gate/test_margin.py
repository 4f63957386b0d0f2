"""`--non-inferiority`: a run passes only if it is shown to be worse by less than the margin."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from gate_samples import made, write_run, wrote_well

from longbench_write.cli.app import main
from longbench_write.compare.components import Components, JudgedRun, Parts
from longbench_write.compare.metrics import MetricInRange, parse_metric
from longbench_write.compare.rule import Rule
from longbench_write.compare.unseen_pair import expected_half
from longbench_write.errors import UsageError
from longbench_write.gate.config import build_gate, read_gate
from longbench_write.gate.gate import Outcome, check
from longbench_write.gate.needs import need
from longbench_write.gate.planning import plan
from longbench_write.metrics.base import Metric
from longbench_write.stats import t_quantile
from longbench_write.testing import assert_no_regression

S_L = parse_metric("S_l")


def noisy(mean=60.0, *, prompts=60, seed=0, width=4.0):
    return made(np.random.default_rng(seed).normal(mean, width, (prompts, 1)))


def s_l(verdict):
    return next(each for each in verdict.findings if str(each.metric) == "S_l")


def test_the_bound_decides_and_lies_beyond_the_end_of_the_90_percent_interval():
    a, b = noisy(), noisy(seed=1)
    change = s_l(check(a, b)).difference
    bound = change.bound()
    assert bound < change.at(0.9)[0] < 0
    for margin, code in ((-bound + 0.01, 0), (-bound - 0.01, 1)):
        verdict = check(a, b, Rule(non_inferiority=margin))
        assert verdict.exit_code == code
        assert (s_l(verdict).margin, s_l(verdict).bound) == (margin, bound)
    assert check(a, b).exit_code == 0


def test_a_regression_outranks_it():
    assert check(noisy(), noisy(50, seed=1), Rule(non_inferiority=1)).exit_code == 3


def test_each_gated_metric_must_pass():
    rng = np.random.default_rng(0)
    six = rng.integers(1, 6, (60, 1, 6)).astype(float)
    a = made(np.full((60, 1), 60.0), six)
    b = made(np.full((60, 1), 60.0), rng.permutation(six))
    verdict = check(a, b, Rule(non_inferiority=2))
    assert {str(each.metric): each.outcome for each in verdict.findings}["S_l"] is Outcome.PASSED
    assert verdict.exit_code == 1
    assert check(a, b, Rule(metrics=(S_L,), non_inferiority=2)).exit_code == 0


def test_where_lower_is_better_the_bound_is_above():
    pace = MetricInRange(Metric("pace", "p", range=(0.0, 200.0), higher_is_better=False))

    def with_pace(scores, values):
        responses = {
            key: replace(each, values={**each.values, "pace": float(value)})
            for (key, each), value in zip(scores.responses.items(), values, strict=True)
        }
        return replace(scores, responses=responses, metrics=(pace.metric,))

    rng = np.random.default_rng(0)
    a, b = (with_pace(noisy(), rng.normal(mean, 4, 60)) for mean in (50, 40))
    (found,) = check(a, b, Rule(metrics=(pace,), non_inferiority=1)).findings
    assert found.outcome is Outcome.PASSED
    assert found.margin == 2
    assert found.bound > found.difference.at(0.9)[1]
    assert check(b, a, Rule(metrics=(pace,), drop=50, non_inferiority=1)).exit_code == 1


def test_it_must_hold_with_what_is_missing_at_its_worst():
    a = noisy(prompts=120)
    gone = {("p-000", 0)}
    b = replace(a, responses={key: each for key, each in a.responses.items() if key not in gone})
    assert check(a, b).exit_code == 0
    assert check(a, b, Rule(non_inferiority=1)).exit_code == 1
    assert check(a, b, Rule(non_inferiority=5)).exit_code == 0


def test_it_must_hold_without_suspects():
    a = noisy(prompts=40)
    chosen = sorted(a.lengths)[:36]
    b = noisy(prompts=40, seed=1, width=12)
    responses = {
        key: replace(each, values=a.responses[key].values, suspect=frozenset({"tokens"}))
        if each.id in chosen
        else each
        for key, each in b.responses.items()
    }
    assert check(a, replace(b, responses=responses), Rule(non_inferiority=3)).exit_code == 1


def test_one_prompt_shows_nothing():
    assert check(made([[60]]), made([[60]]), Rule(non_inferiority=10)).exit_code == 1


def test_file_command_line_and_assertion_say_it_alike(tmp_path, monkeypatch, capsys):
    a, b = (write_run(tmp_path / name, wrote_well(seed=seed)) for seed, name in enumerate("ab"))
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["lbw-eval", "check", str(b), "--baseline", str(a), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr().out

    assert call()[0] == 0
    code, out = call("--non-inferiority", "0.5", "--json")
    assert code == 1
    assert all(each["non_inferiority"] == 0.5 for each in json.loads(out)["findings"])
    (tmp_path / "lbw-gate.yaml").write_text("non-inferiority: 0.5\n")
    assert call()[0] == 1
    assert call("--non-inferiority", "40")[0] == 0
    with pytest.raises(AssertionError, match="undecided"):
        assert_no_regression(b, a, non_inferiority=0.5)
    assert_no_regression(b, a, non_inferiority=40)
    assert build_gate(read_gate(tmp_path / "lbw-gate.yaml")).rule.margin(S_L) == 0.5
    with pytest.raises(UsageError, match="non-inferiority"):
        build_gate({"non_inferiority": -1})


def test_margins_by_metric_hold_those_alone(tmp_path, monkeypatch, capsys):
    a, b = (write_run(tmp_path / name, wrote_well(seed=seed)) for seed, name in enumerate("ab"))
    monkeypatch.chdir(tmp_path)

    def margins(*words):
        monkeypatch.setattr(
            sys, "argv", ["lbw-eval", "check", str(b), "--baseline", str(a), "--json", *words]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        shown = json.loads(capsys.readouterr().out)["findings"]
        return ended.value.code or 0, {each["metric"]: each["non_inferiority"] for each in shown}

    assert margins("--non-inferiority", "S_l=40") == (0, {"S_bar": None, "S_l": 40, "S_q": None})
    own = "--non-inferiority", "40", "--non-inferiority", "S_l=0.5"
    assert margins(*own) == (1, {"S_bar": 40, "S_l": 0.5, "S_q": 40})
    (tmp_path / "lbw-gate.yaml").write_text("non-inferiority: {default: 40, S_l: 0.5}\n")
    assert margins() == margins(*own)
    assert margins("--non-inferiority", "S_l=40")[0] == 0
    with pytest.raises(AssertionError, match="undecided"):
        assert_no_regression(b, a, non_inferiority={"S_q": 40})
    assert_no_regression(b, a, non_inferiority={"S_l": 40})


@pytest.mark.parametrize(
    "given",
    [
        {"non_inferiority": {"S_l[0,500)": 2}},
        {"non_inferiority": {"S_q": 2}, "metrics": ["S_l"]},
        {"non_inferiority": {"S_l": -1}},
        {"non_inferiority": {"default": None}},
        {"non_inferiority": {"nothing": 1}},
    ],
)
def test_a_margin_of_what_is_not_gated_or_that_is_none_is_refused(given):
    with pytest.raises(UsageError):
        build_gate(given)


# How much a margin needs


def parts(interaction=36.0, sample=64.0):
    known = Parts(interaction, sample, 0.0)
    return Components(S_L, 120, interaction, sample, None, known, known)


def test_what_a_margin_needs_is_the_fewest_that_show_it():
    found = need(parts(), 2, samples=1, repeats=1, prompts=120)

    def width(samples, prompts):
        error = math.sqrt(parts().least.variance(samples, 1) / prompts)
        bound = expected_half(error, prompts, t_quantile(0.95, prompts - 1))
        return bound + t_quantile(0.8, prompts - 1) * error

    (samples, same), (prompts, too) = found.samples, found.prompts
    assert (samples, prompts) == (same, too)
    assert width(samples, 120) <= 2 < width(samples - 1, 120)
    assert width(1, prompts) <= 2 < width(1, prompts - 1)


def test_no_number_of_samples_lowers_what_lies_between_prompts():
    found = need(parts(interaction=400), 2, samples=1, repeats=1, prompts=120)
    assert found.samples == (None, None)
    assert found.prompts[0] > 120
    assert need(parts(), 0, samples=1, repeats=1, prompts=120).prompts == (None, None)


@pytest.mark.parametrize("margin", [None, 3.0])
def test_a_plan_says_it_where_it_is_asked_for(margin):
    runs = [JudgedRun(noisy(seed=seed), {}) for seed in (0, 1)]
    found = plan(runs, Rule(non_inferiority=margin), samples=1, repeats=1)
    assert [str(each.metric) for each in found.needs] == ([] if margin is None else ["S_l"])
    json.dumps(found.to_json(), allow_nan=False)


def test_power_shows_it(tmp_path, monkeypatch, capsys):
    run = write_run(tmp_path / "a", wrote_well())
    words = ["lbw-eval", "power", str(run), "--non-inferiority", "2"]
    shown = []
    for more in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        shown.append(capsys.readouterr().out)
    needed = json.loads(shown[1])["non_inferiority"]["S_l"]
    assert needed["margin"] == 2
    assert f"{needed['prompts'][1]:,}" in shown[0]
    monkeypatch.setattr(sys, "argv", [*words[:-1], "S_l=3", "--json"])
    with pytest.raises(SystemExit):
        main()
    by_metric = json.loads(capsys.readouterr().out)["non_inferiority"]
    assert {name: each["margin"] for name, each in by_metric.items()} == {"S_l": 3}


def test_a_plan_of_the_needed_prompts_shows_the_margin_in_80_percent():
    """The count that `power` gives, tried by the gate's own rule on runs that do not differ."""
    found = need(parts(), 4, samples=1, repeats=1, prompts=120)
    prompts = found.prompts[0]
    rng = np.random.default_rng(1)
    shown = 0
    for _ in range(150):
        base = rng.normal(50, 4, (prompts, 1))
        a, b = (base + rng.normal(0, math.sqrt(18 + 64), (prompts, 1)) for _ in range(2))
        shown += check(made(a), made(b), Rule(non_inferiority=4, drop=100)).exit_code == 0
    assert 0.7 <= shown / 150 <= 0.9
