"""Metric and Rubric: what they refuse, and how they turn responses into numbers."""

import math
import re
from dataclasses import dataclass, field

import pytest

from longbench_write.errors import UsageError
from longbench_write.metrics import catalogue
from longbench_write.metrics.base import Metric, Rubric, complete, measure
from longbench_write.metrics.catalogue import BUILT_IN, add_metric, all_metrics, merged
from longbench_write.metrics.quality import DIMENSIONS, S_BAR, S_Q, SIX, partner, rubric_named


@dataclass
class Written:
    """A response for `measure`."""

    response: str | None = "Rivers run on."
    language: str = "en"
    length: int | None = 100
    length_rule: str | None = None
    length_bounds: list[int] | None = None
    response_length: int = 50
    response_length_unicode: int = 100
    rubric: Rubric = SIX
    scores: dict[str, float] | None = None


@dataclass
class Measured:
    """A row for an aggregate."""

    id: str
    values: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] | None = None


@pytest.fixture
def added(monkeypatch):
    monkeypatch.setattr(catalogue, "_added", {})


@pytest.mark.parametrize("name", ["", "a/b", "S,l", "a[0]", "x=1", " a", "../up", "9", 7, "a\n"])
def test_a_name_that_no_file_can_hold_is_refused(name):
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        Metric(name, "x")


@pytest.mark.parametrize("ends", [(0, math.inf), (math.nan, 1), (1, 1), (2, 1)])
def test_a_range_has_two_finite_ends(ends):
    with pytest.raises(ValueError, match="range"):
        Metric("x", "x", range=ends)


def test_parts_need_a_formula():
    with pytest.raises(ValueError, match="parts"):
        Metric("x", "x", parts=(S_Q,))
    with pytest.raises(ValueError, match="parts"):
        Metric("x", "x", parts=(S_BAR,), combine=float)


def test_every_built_in_metric_of_a_judged_response():
    found = measure(Written(length_rule="at_most", scores=dict.fromkeys(DIMENSIONS, 4)), BUILT_IN)
    assert list(found) == [metric.name for metric in BUILT_IN]
    assert (found["S_l"], found["S_l_unicode"], found["S_l_rule"]) == (50.0, 100.0, 100.0)
    assert {found[name] for name in (*DIMENSIONS, "S_q")} == {75.0}
    assert found["S_bar"] == 62.5


def test_what_cannot_be_measured_is_absent():
    assert list(measure(Written(), BUILT_IN)) == ["S_l", "S_l_unicode"]
    judged = measure(Written(length=None, scores=dict.fromkeys(DIMENSIONS, 4)), BUILT_IN)
    assert set(judged) == {"S_q", *DIMENSIONS}


def test_a_value_that_is_no_number_is_absent():
    assert complete({"x": math.nan, "y": math.inf, "z": 1.0}, [Metric(name, name) for name in "xyz"]) == {
        "z": 1.0
    }


def test_samples_are_averaged_within_their_prompt():
    rows = [Measured("a", {"x": 1.0}), Measured("a", {"x": 3.0}), Measured("b", {"x": 8.0}), Measured("c")]
    assert Metric("x", "x").over(rows) == 5.0
    assert Metric("y", "y").over(rows) is None


def test_the_rule_aware_mean_needs_every_rule():
    rows = [Measured("a", {"S_l_rule": 1.0}), Measured("b", {"S_l_rule": 3.0})]
    rule = next(metric for metric in BUILT_IN if metric.name == "S_l_rule")
    assert rule.over(rows) == 2.0
    assert rule.over([*rows, Measured("c")]) is None


def test_both_scores_are_formed_from_all_lengths_and_the_judged_qualities():
    six = dict.fromkeys(DIMENSIONS, 5.0)
    rows = [
        Measured("a", {"S_l": 40.0, "S_q": 100.0, "S_bar": 70.0}, six),
        Measured("b", {"S_l": 80.0}),
    ]
    assert S_BAR.over(rows) == (60.0 + 100.0) / 2
    assert partner(S_BAR.combined([30.0, 70.0]), 70.0) == 30.0


def test_a_response_judged_by_other_criteria_counts_by_its_quality():
    other = Rubric("case", ("Plot", "Voice"), low=0, high=10)
    assert other.quality({"Plot": 5, "Voice": 10}) == 75.0
    found = measure(Written(rubric=other, scores={"Plot": 5, "Voice": 10}), BUILT_IN)
    assert (found["S_q"], found["S_bar"]) == (75.0, 62.5)
    assert not set(DIMENSIONS) & set(found)
    assert S_Q.over([Measured("a", found, {"Plot": 5, "Voice": 10})]) == 75.0


@pytest.mark.parametrize("change", [{"Clarity": 6}, {"Clarity": 4.0}, {"Clarity": True}, {"Plot": 3}])
def test_a_rubric_accepts_its_criteria_and_scale_alone(change):
    six = dict.fromkeys(DIMENSIONS, 3)
    assert SIX.accepts(six)
    assert not SIX.accepts(six | change)


def test_an_unknown_rubric_is_named():
    assert rubric_named("longbench-write") is SIX
    with pytest.raises(UsageError, match="longbench-write"):
        rubric_named("longbench-writ")


def test_a_metric_is_added_behind_the_built_in_ones(added):
    mine = Metric("Rhyme", "rhyme", of=lambda response: 1.0)
    add_metric(mine)
    assert all_metrics() == (*BUILT_IN, mine)
    with pytest.raises(UsageError, match="S_l"):
        add_metric(Metric("S_l", "S_l", of=lambda response: 1.0))
    with pytest.raises(UsageError, match="Rhythm"):
        add_metric(Metric("Rhythm", "rhythm"))


def test_a_declaration_comes_back():
    mine = Metric("Pace", "pace", range=(0, 40), unit="words", higher_is_better=False)
    back = Metric.declared("Pace", mine.declaration())
    assert back.declaration() == mine.declaration()
    assert merged([back], [mine]) == (back,)
    assert Metric.declared("P", Metric("P", "p", range=None).declaration()).range is None
    with pytest.raises(TypeError):
        Metric.declared("Pace", mine.declaration() | {"higher_is_better": "yes"})
