"""Differences between two runs, prompt by prompt."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from gate_samples import World, made, responded

from longbench_write.compare.comparison import compare
from longbench_write.compare.metrics import MetricInRange, parse_metric
from longbench_write.compare.paired import paired
from longbench_write.compare.scores import RunScores
from longbench_write.errors import LbwError, UsageError
from longbench_write.gate.document import comparison_json
from longbench_write.gate.markdown import comparison_markdown
from longbench_write.metrics.quality import CRITERIA, DIMENSIONS, S_Q

SIX = (4, 4, 4, 4, 4, 4)


def fours(prompts, samples=1):
    return np.full((prompts, samples, 6), 4.0)


def found(comparison, name):
    (difference,) = [each for each in comparison.differences if str(each.metric) == name]
    return difference


def without(scores: RunScores, *prompts: str) -> RunScores:
    kept = {key: each for key, each in scores.responses.items() if each.id not in prompts}
    return replace(scores, responses=kept)


def unjudged(scores: RunScores, *prompts: str) -> RunScores:
    return replace(
        scores,
        responses={
            key: responded(*each.key, each.length, each.values["S_l"]) if each.id in prompts else each
            for key, each in scores.responses.items()
        },
    )


def test_a_run_beside_itself_differs_by_exactly_nothing():
    one, _ = World().pair(np.random.default_rng(1), 24, 2)
    for difference in compare(one, one).differences:
        assert difference.value == 0.0
        assert difference.interval == (0.0, 0.0)
        assert difference.p == 1.0
        assert (difference.wins, difference.ties, difference.losses) == (0, difference.n, 0)


def test_every_metric_is_compared():
    one, other = World().pair(np.random.default_rng(1), 24)
    names = [str(each.metric) for each in compare(one, other).differences]
    assert names[:4] == ["S_bar", "S_l", "S_q", "S_bar[0,500)"]
    assert {"S_l[4000,20000]", "S_q[2000,4000)", *DIMENSIONS} < set(names)
    assert len(names) == 3 + 12 + 6


def test_differences_are_b_minus_a_and_prompts_are_counted_by_who_won():
    difference = found(compare(made([[50], [60], [70]]), made([[55], [60], [30]])), "S_l")
    assert difference.value == pytest.approx((5 + 0 - 40) / 3)
    assert (difference.a, difference.b) == (60, pytest.approx(145 / 3))
    assert (difference.wins, difference.ties, difference.losses) == (1, 1, 1)


def test_samples_are_averaged_within_their_prompt_first():
    many = made([[0, 100, 80], [40, 40, 40]])
    one = made([[50], [50]], samples=3)
    difference = found(compare(one, many), "S_l")
    assert difference.n == 2
    assert difference.value == pytest.approx(((60 - 50) + (40 - 50)) / 2)


def test_quality_is_compared_on_the_prompts_judged_in_both():
    a, b = made([[50]] * 4, fours(4)), made([[80]] * 4, fours(4))
    comparison = compare(unjudged(a, "p-000"), unjudged(b, "p-003"))
    assert found(comparison, "S_l").n == 4
    assert found(comparison, "S_q").n == found(comparison, "S_bar").n == 2
    assert found(comparison, "S_bar").value == 15


def test_pairs_beat_figures_alone_where_prompts_differ_much():
    rng = np.random.default_rng(5)
    base = rng.uniform(10, 90, (60, 1))
    a, b = made(base), made(base + rng.normal(-3, 2, (60, 1)))
    difference = found(compare(a, b), "S_l")
    assert difference.interval[1] < 0
    assert difference.error < 0.5


def test_the_same_seed_gives_the_same_figures():
    one, other = World().pair(np.random.default_rng(1), 24)
    first, again, differently = (compare(one, other, seed=seed) for seed in (0, 0, 1))
    assert comparison_json(first) == comparison_json(again) != comparison_json(differently)


def test_on_unequal_prompts_the_intersection_is_compared_and_said():
    one, other = World().pair(np.random.default_rng(1), 24)
    comparison = compare(without(one, "p-001"), without(other, "p-002", "p-003"))
    assert found(comparison, "S_l").n == 21
    (note,) = comparison.notes
    assert re.findall(r"\d+", note) == ["21", "2", "1"]


def test_nothing_in_common_is_refused():
    with pytest.raises(LbwError, match=r"\bmade\b.*\bmade\b"):
        compare(without(made([[5], [5]]), "p-000"), without(made([[5], [5]]), "p-001"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"suite_sha256": "6" * 64}, "6" * 8),
        ({"judge": "k", "judge_sha256": "8" * 64}, "8" * 8),
    ],
)
def test_what_is_not_comparable_is_refused(change, reason):
    a, b = made([[5], [6]], fours(2)), made([[5], [6]], fours(2), **change)
    with pytest.raises(UsageError, match=reason):
        compare(a, b)


def test_other_conventions_are_refused():
    a = made([[5], [6]], fours(2))
    with pytest.raises(UsageError, match="product"):
        compare(a, replace(a, convention="product"))


def test_prompts_of_one_name_and_different_lengths_are_different_suites():
    a = replace(made([[5], [6]]), info=None, convention=None)
    longer = {key: replace(each, length=7) for key, each in a.responses.items()}
    with pytest.raises(UsageError, match=r"p-000 .* 100 .* 7 "):
        compare(a, replace(a, responses=longer))


def test_different_judges_are_compared_with_a_warning_where_that_is_wanted():
    a = made([[5], [6]], fours(2))
    b = made([[5], [6]], fours(2), judge="k", judge_sha256="8" * 64)
    comparison = compare(a, b, allow_different_judges=True)
    assert re.match(r"WARNING: .*\bj\b.*\b7{8}\b.*\bk\b.*\b8{8}\b", comparison.notes[0])


def test_without_a_judge_in_both_s_l_alone_is_compared_and_said():
    comparison = compare(made([[5], [6]], fours(2)), made([[7], [6]]))
    assert {each.metric.metric.name for each in comparison.differences} == {"S_l"}
    (note,) = comparison.notes
    assert re.search(r"\bB\b.*\bS_l\b", note)


def test_differing_settings_are_said():
    hot = made([[5], [6]], settings={"backend": "openai", "temperature": 1.0, "max_tokens": 9, "seed": 42})
    (note,) = compare(made([[5], [6]]), hot).notes
    assert re.search(r"\btemperature 0\.5 → 1\.0\b.*\bmax_tokens 32768 → 9$", note)
    assert "seed" not in note


def test_the_prompts_that_moved_most_are_named():
    comparison = compare(made([[50], [50], [50], [50]]), made([[10], [20], [50], [90]]))
    assert [prompt.id for prompt in comparison.fallen] == ["p-000", "p-001"]
    assert [prompt.id for prompt in comparison.risen] == ["p-003"]
    assert str(comparison.moved_in) == "S_l"


@pytest.mark.parametrize("values", [[[50]], [[50], [50]]], ids=["one prompt", "no variance"])
def test_too_little_to_tell_gives_no_nan(values):
    comparison = compare(made(values), made([[value - 20 for value in row] for row in values]))
    text = comparison_json(comparison) + comparison_markdown(comparison)
    assert "NaN" not in text
    assert "nan" not in text
    difference = json.loads(comparison_json(comparison))["differences"]["S_l"]
    assert difference["difference"] == -20
    assert difference["interval"] == (None if len(values) == 1 else [-20, -20])


def test_a_judge_who_failed_everywhere_leaves_s_l():
    failed = unjudged(made([[5], [6]], fours(2)), "p-000", "p-001")
    comparison = compare(failed, failed)
    assert {each.metric.metric.name for each in comparison.differences} == {"S_l"}


def test_metrics_are_known_by_name():
    assert parse_metric("S_q [2000, 4000)") == MetricInRange(S_Q, "[2000,4000)")
    assert parse_metric("Breadth and Depth") == MetricInRange(CRITERIA[4])
    with pytest.raises(UsageError, match=r"'S_l\[2000,4000\]'.*'S_l\[2000,4000\)'"):
        parse_metric("S_l[2000,4000]")


def test_a_metric_without_prompts_has_no_value():
    scores = made([[5], [6]])
    assert paired(scores, scores, parse_metric("S_l>20000")).value is None
