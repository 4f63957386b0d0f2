"""The gate's rule, case by case."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from gate_samples import World, made

from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.rule import Rule
from longbench_write.errors import UsageError
from longbench_write.gate.config import build_gate, read_gate
from longbench_write.gate.gate import Outcome, check

S_L = parse_metric("S_l")


def finding(verdict, name="S_l"):
    (found,) = [each for each in verdict.findings if str(each.metric) == name]
    return found


def drawn(mean, *, prompts=40, seed=0, width=2.0):
    return made(np.random.default_rng(seed).normal(mean, width, (prompts, 1)))


def drops(*changes, **options):
    """A baseline of 60 everywhere and a run that differs by these."""
    return check(made([[60]] * len(changes)), made([[60 + change] for change in changes]), **options)


def test_the_same_run_passes_with_an_exact_zero():
    one, _ = World().pair(np.random.default_rng(1), 24)
    verdict = check(one, one)
    assert verdict.exit_code == 0
    assert [str(each.metric) for each in verdict.findings] == ["S_bar", "S_l", "S_q"]
    for each in verdict.findings:
        assert each.interval == (0.0, 0.0)
        assert each.detectable is None
    assert f"{finding(verdict).mean:.1f} " in finding(verdict).message


def test_a_clear_drop_is_a_regression():
    verdict = check(drawn(70), drawn(60, seed=1))
    assert verdict.exit_code == 3
    assert finding(verdict).outcome is Outcome.REGRESSED
    change = finding(verdict).difference
    assert change.value == pytest.approx(-9.9, abs=0.05)
    numbers = ("S_l", "9.9 points", "69.9", "60.0", "−10.7", f"{change.interval[1]:.1f}".replace("-", "−"))
    assert re.search(".*".join(map(re.escape, numbers)), finding(verdict).message)


def test_a_rise_is_none():
    assert check(drawn(60), drawn(70, seed=1)).exit_code == 0


def test_a_drop_within_the_variance_is_none():
    assert drops(-30, 20, 15, -25, 4, -6).exit_code == 0


def test_a_sure_drop_below_the_allowed_one_is_none():
    sure = [-0.9, -0.8, -0.95, -0.85] * 5
    assert drops(*sure).exit_code == 0
    assert drops(*sure, rule=Rule(drop=0.5)).exit_code == 3
    assert drops(*sure, rule=Rule(max_drop={S_L: 0.8})).exit_code == 3


def test_the_allowed_drop_itself_is_a_regression():
    assert drops(*[-1.0] * 10).exit_code == 3


def test_holm_holds_a_metric_to_more_the_more_are_gated():
    changes = [-4, 1, -3, 0, -5, 0, -2, 1, -4, 0, -3, 1]
    assert drops(*changes).exit_code == 3
    several = Rule(
        metrics=(S_L, *(parse_metric(f"S_l{label}") for label in ("[0,500)", "[500,2000)", "[2000,4000)")))
    )
    verdict = drops(*changes, rule=several)
    assert verdict.exit_code == 0
    assert {each.level for each in verdict.findings} == {1 - 0.05 / 4}


def test_what_falls_is_set_aside_so_that_the_next_is_held_to_less():
    verdict = check(drawn(70), drawn(60, seed=1), Rule(metrics=(S_L, parse_metric("S_l>20000"))))
    assert finding(verdict).level == 1 - 0.05 / 2
    assert finding(verdict, "S_l>20000").level == 1 - 0.05


def test_the_ranges_that_fell_are_named_furthest_first():
    falls = {0: 0, 1: 0, 2: -20, 3: -20, 4: -40, 5: -40, 6: 0, 7: 0}
    rng = np.random.default_rng(3)
    changes = [falls[number % 8] + float(rng.normal(0, 2)) for number in range(48)]
    found = finding(drops(*changes))
    assert [change.metric.range for change in found.fell_in] == ["[2000,4000)", "[500,2000)"]
    assert re.findall(r"\[\d+,\d+\)", found.message) == ["[2000,4000)", "[500,2000)"]
    assert all(f"{change.drop:.1f}" in found.message for change in found.fell_in)


def test_where_no_range_is_sure_the_furthest_is_named():
    found = finding(drops(*[-10, -12, -9, -11, -8, -10, -9, -12]))
    assert found.outcome is Outcome.REGRESSED
    assert found.fell_in


@pytest.mark.parametrize(("floor", "code"), [(59.9, 0), (60.0, 0), (60.1, 3)])
def test_a_floor_is_absolute(floor, code):
    verdict = drops(0, 0, 0, rule=Rule(floors={S_L: floor}))
    assert verdict.exit_code == code


def test_a_floor_may_stand_on_what_is_not_gated():
    six = np.full((4, 1, 6), 3.0)
    scores = made([[60]] * 4, six)
    verdict = check(scores, scores, Rule(metrics=(S_L,), floors={parse_metric("Clarity"): 51}))
    assert verdict.exit_code == 3
    clarity = finding(verdict, "Clarity")
    assert (clarity.outcome, clarity.mean, clarity.floor, clarity.level) == ("regressed", 50, 51, None)
    assert re.match(r"Clarity\b.*\b50\.0\b.*\b51\b", clarity.message)


def lacking(scores, count):
    gone = sorted(scores.responses)[:count]
    return replace(scores, responses={key: each for key, each in scores.responses.items() if key not in gone})


def test_responses_that_failed_cannot_hide_a_regression():
    verdict = check(drawn(60, prompts=20), lacking(drawn(60, prompts=20), 2))
    assert verdict.exit_code == 1
    assert (finding(verdict).outcome, finding(verdict).missing) == (Outcome.UNDECIDED, (2, 20))
    assert re.search(r"\b2\b.*\b20\b.*\b5%", finding(verdict).message)


def test_a_few_that_failed_may_be_allowed_and_are_said():
    verdict = check(drawn(60, prompts=20), lacking(drawn(60, prompts=20), 1))
    assert verdict.exit_code == 0
    assert finding(verdict).missing == (1, 20)
    assert re.findall(r"\d+", verdict.notes[-1]) == ["19", "1"]
    better = drawn(64, width=20, seed=1)
    assert check(drawn(60, width=20), lacking(better, 4)).exit_code == 1
    assert check(drawn(60, width=20), lacking(better, 4), Rule(max_missing=0.25)).exit_code == 0


def test_missing_samples_count_as_missing_too():
    full = made([[60, 61, 62]] * 10)
    assert check(full, lacking(full, 1)).exit_code == 0
    assert check(full, lacking(full, 4)).exit_code == 1


def test_a_regression_of_what_is_there_outranks_what_is_missing():
    assert check(drawn(70), lacking(drawn(50), 10)).exit_code == 3


def test_a_judge_who_fails_cannot_hide_a_regression():
    six = np.full((20, 1, 6), 4.0)
    judged, lost = made([[60]] * 20, six), made([[60]] * 20)
    verdict = check(judged, replace(lost, info=judged.info))
    assert verdict.exit_code == 1
    assert finding(verdict).outcome is Outcome.PASSED
    assert finding(verdict, "S_q").outcome is Outcome.UNDECIDED


def test_a_baseline_without_a_judge_gates_s_l_alone():
    verdict = check(made([[60]] * 4), made([[60]] * 4, np.full((4, 1, 6), 4.0)))
    assert verdict.exit_code == 0
    assert [str(each.metric) for each in verdict.findings] == ["S_l"]


def test_one_prompt_cannot_tell():
    verdict = drops(-30)
    assert verdict.exit_code == 1
    assert finding(verdict).interval is None


def test_what_the_baseline_lacks_cannot_be_told():
    verdict = drops(0, 0, 0, rule=Rule(metrics=(parse_metric("S_q"),)))
    assert verdict.exit_code == 1


def test_the_detectable_drop_shrinks_with_prompts():
    few, many = (
        check(drawn(60, prompts=n, width=9), drawn(60, prompts=n, width=9, seed=1)) for n in (12, 96)
    )
    assert finding(few).detectable > 2 * finding(many).detectable > 2
    wide = check(drawn(60), drawn(60, seed=1), Rule(drop=30.0))
    assert finding(wide).detectable > 30


def test_the_yaml_and_the_rule_it_makes(tmp_path):
    path = tmp_path / "lbw-gate.yaml"
    path.write_text(
        'baseline: baselines/m.json\nmetrics: [S_l, "S_q[2000,4000)"]\nmax-drop: {default: 1.5, S_l: 2}\n'
        "min: {S_l: 70}\nmax-missing: 10\nallow-different-judges: true\n"
    )
    settings = build_gate(read_gate(path))
    quality = parse_metric("S_q[2000,4000)")
    assert settings.baseline == tmp_path / "baselines" / "m.json"
    assert settings.allow_different_judges
    assert settings.rule == Rule((S_L, quality), {S_L: 2.0}, 1.5, {S_L: 70.0}, 0.1)
    assert settings.rule.allowed(quality) == 1.5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("max-dorp: 2", "'max-dorp'.*'max-drop'"),
        ("metrics: [Clarty]", "'Clarty'.*'Clarity'"),
        ("min: {S_k: 4}", "'S_k'"),
        ("min: 4", r"\bmin\b.*\b4$"),
        ("max-drop: -1", "max-drop .*-1$"),
        ("max-drop: .nan", "max-drop .*nan$"),
        ("max-drop: yes", "max-drop .*True$"),
        ("max-drop:", "max-drop .*None$"),
        ("max-drop: {Clarity: 2}", "--max-drop .*Clarity.*--metric"),
        ("{metrics: [S_q], max-drop: {S_l: 2}}", "--max-drop .*S_l.*--metric"),
        ("metrics: S_l", r"\bmetrics\b"),
        ("metrics: []", r"\bmetrics\b"),
        ("allow-different-judges: 1", "allow-different-judges"),
        ("- 1", r"/lbw-gate\.yaml\b"),
        ("a: [", r"/lbw-gate\.yaml\b"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(tmp_path, text, reason):
    path = tmp_path / "lbw-gate.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=reason):
        build_gate(read_gate(path))
