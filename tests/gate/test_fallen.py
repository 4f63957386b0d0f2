"""The responses that fell furthest."""

from __future__ import annotations

import json
from urllib.parse import parse_qs
from xml.etree import ElementTree

import numpy as np
import pytest
from gate_samples import Wrote, made, write_run, wrote_well
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.compare.collection import collect
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.pooling import pooled
from longbench_write.compare.rule import Rule
from longbench_write.gate.document import verdict_json
from longbench_write.gate.fallen import fallen_responses
from longbench_write.gate.gate import check
from longbench_write.gate.junit import junit_xml
from longbench_write.gate.markdown import verdict_markdown
from longbench_write.metrics.length import S_L
from longbench_write.reports.samples import Index

scores = st.lists(
    st.tuples(*[st.floats(0, 100).map(lambda value: round(value, 3))] * 2), min_size=2, max_size=20
)


@given(scores, st.integers(0, 30))
def test_they_are_the_falls_in_order(pairs, count):
    before, after = ([[pair[side]] for pair in pairs] for side in (0, 1))
    found = fallen_responses(check(made(before), made(after)), count)
    falls = sorted((a - b for a, b in pairs if a - b > 1e-7), reverse=True)
    assert [each.a - each.b for each in found] == pytest.approx(falls[:count])
    assert all(each.a == pairs[int(each.id[2:])][0] for each in found)


def test_a_sample_is_held_against_the_mean_of_the_baselines():
    (worst, *rest) = fallen_responses(check(made([[80, 60]] * 4), made([[70, 10]] * 4)), 10)
    assert (worst.sample, worst.a, worst.b) == (1, 70, 10)
    assert [each.sample for each in rest] == [1, 1, 1]


def test_they_are_looked_for_where_the_run_regressed():
    """S_l fell in all prompts by a little, quality in one by far."""
    five, one = [[[5] * 6]], [[[1] * 6]]
    before = made([[90]] * 8, np.array(five * 8))
    after = made([[80]] * 8, np.array(one + five * 7))
    found = check(before, after, Rule(metrics=(MetricInRange(S_L),)))
    assert {str(each.metric) for each in fallen_responses(found, 10)} == {"S_l"}
    unchanged = check(before, made([[90]] * 8, np.array(one + five * 7)))
    (only,) = fallen_responses(unchanged, 10)
    assert (only.id, str(only.metric), only.a, only.b) == ("p-000", "S_q", 100, 0)


@pytest.fixture
def runs(tmp_path):
    """A good run, and one in which a prompt's text is far too short; its name is markup."""
    good, bad = wrote_well(8), wrote_well(8)
    for wrote in (good, bad):
        wrote["a|b `c`&id=<x>"] = Wrote(1000, 1000)
    bad["a|b `c`&id=<x>"] = Wrote(1000, 20)
    return write_run(tmp_path / "good", good), write_run(tmp_path / "bad & so on", bad)


def test_each_output_names_them_with_their_place_in_the_report(runs):
    verdict = check(*map(load_scores, runs))
    worst = fallen_responses(verdict, 10)
    (line,) = json.loads(verdict_json(verdict, worst))["worst"]
    assert line.keys() == {"id", "sample", "metric", "a", "b", "anchor"}
    index = Index(collect([runs[1]]).entries)
    for _ in index.fill():
        pass
    address = {name: value[0] for name, value in parse_qs(line["anchor"][1:]).items()}
    assert address["run"] in {run["folder"] for run in index.to_json()["runs"]}
    places = {(sample["id"], str(sample["sample"])) for sample in index.samples}
    assert (address["id"], address["sample"]) in places
    assert address["id"] == line["id"] == "a|b `c`&id=<x>"
    assert f"`report.html{line['anchor']}`" in verdict_markdown(verdict, worst)
    texts = [case.text for case in ElementTree.fromstring(junit_xml(verdict, worst)).iter("system-out")]
    assert any(line["anchor"] in text for text in texts)


def test_a_summary_alone_has_none(runs):
    good, bad = runs
    (bad / "scores.csv").unlink()
    assert fallen_responses(check(load_scores(good), load_scores(bad / "summary.json")), 10) == []


def test_a_response_of_a_pooled_run_is_found_in_its_own_report(tmp_path):
    good, bad = wrote_well(8), wrote_well(8)
    bad["p-003"] = Wrote(bad["p-003"].length, 20)
    first, second = (write_run(tmp_path / name, wrote) for name, wrote in (("one", good), ("two", bad)))
    verdict = check(load_scores(first), pooled([load_scores(first), load_scores(second)]))
    (worst, *_) = fallen_responses(verdict, 10)
    assert (worst.id, worst.sample) == ("p-003", 1)
    assert parse_qs(worst.anchor[1:]) == {"run": ["two"], "id": ["p-003"], "sample": ["0"]}
