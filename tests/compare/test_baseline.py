"""The baseline file, and the other places that scores are read from."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict

import pytest
from gate_samples import Wrote, resealed, write_run, wrote_well
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import RUN_INFO

from longbench_write.compare.baseline import baseline_text, is_baseline, read_baseline
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.rule import Rule
from longbench_write.errors import LbwError, RunFolderError, UsageError
from longbench_write.gate.document import verdict_json
from longbench_write.gate.gate import check


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "runs" / "m" / "s" / "r", wrote_well())


@pytest.fixture
def worse(tmp_path):
    return write_run(tmp_path / "worse", wrote_well(share=0.6, seed=1))


def same_but_source(verdict):
    values = json.loads(verdict_json(verdict))
    del values["baseline"]["source"]
    return values


def test_a_baseline_gives_the_verdicts_of_its_run(tmp_path, run, worse):
    path = tmp_path / "m.json"
    path.write_text(baseline_text(load_scores(run)))
    assert is_baseline(path)
    kept, original = load_scores(path), load_scores(run)
    assert kept.responses == original.responses
    assert kept.info == original.info
    new = load_scores(worse)
    assert same_but_source(check(kept, new)) == same_but_source(check(original, new))
    assert check(kept, new).exit_code == 3


def test_a_baseline_is_deterministic_a_line_a_prompt_and_holds_no_text(run):
    text = baseline_text(load_scores(run))
    assert text == baseline_text(load_scores(run))
    assert "Rivers" not in text
    lines = [line for line in text.splitlines() if line.startswith('    "p-')]
    assert lines == sorted(lines)
    assert len(lines) == 24
    assert text.endswith("}\n")
    assert json.loads(text)["heading"]["suite_sha256"] == "5" * 64


def test_a_changed_prompt_changes_one_line(tmp_path):
    wrote = wrote_well()
    before = baseline_text(load_scores(write_run(tmp_path / "a", wrote)))
    wrote["p-003"] = Wrote(wrote["p-003"].length, 5, None)
    after = baseline_text(load_scores(write_run(tmp_path / "b", wrote)))
    changed = set(after.splitlines()) - set(before.splitlines())
    assert len([line for line in changed if line.startswith('    "p-')]) == 1


def test_a_failed_generation_is_absent_and_an_unjudged_response_null(tmp_path):
    wrote = {"p-1": Wrote(100, None), "p-2": Wrote(100, 90, None), "p-3": Wrote(100, 90)}
    values = json.loads(baseline_text(load_scores(write_run(tmp_path / "r", wrote))))
    assert list(values["scores"]) == ["p-2", "p-3"]
    assert values["scores"]["p-2"]["samples"]["0"]["dimensions"] is None


def test_a_folder_with_one_run_under_it_stands_for_the_run(tmp_path, run):
    assert load_scores(tmp_path / "runs").source == run
    write_run(tmp_path / "runs" / "m" / "s" / "r-2", wrote_well())
    with pytest.raises(UsageError, match=rf"{re.escape(str(tmp_path / 'runs'))}\b.*\b2\b"):
        load_scores(tmp_path / "runs")


def test_files_of_a_run_folder_stand_for_the_run(run):
    assert load_scores(run / "summary.json").source == load_scores(run / "scores.csv").source == run


def test_a_run_without_results_is_told_how_to_get_them(run):
    (run / "summary.json").unlink()
    with pytest.raises(RunFolderError, match="lbw-eval score"):
        load_scores(run)


def test_a_bare_scores_csv_is_paired_and_what_it_cannot_say_is_said(tmp_path, run, worse):
    path = tmp_path / "main.csv"
    path.write_bytes((run / "scores.csv").read_bytes())
    verdict = check(load_scores(path), load_scores(worse))
    assert verdict.exit_code == 3
    assert verdict.findings[0].difference.p is not None
    assert any(str(path) in note for note in verdict.notes)


def test_a_bare_summary_is_compared_without_pairs_and_more_cautiously(tmp_path, run, worse):
    path = tmp_path / "main.json"
    path.write_bytes((run / "summary.json").read_bytes())
    bare, full = (check(load_scores(place), load_scores(worse)) for place in (path, run))
    assert bare.exit_code == 3
    assert any(str(path) in note for note in bare.notes)
    assert not any(str(path) in note for note in full.notes)
    for one, other in zip(bare.findings, full.findings, strict=True):
        assert one.difference.p is None
        assert one.difference.value == pytest.approx(other.difference.value)
    assert "[4000,20000]" in bare.findings[0].message


def test_a_bare_summary_counts_the_prompts_behind_each_metric(tmp_path, worse):
    wrote = wrote_well()
    unjudged = dict.fromkeys(sorted(wrote)[:18])
    wrote |= {name: Wrote(wrote[name].length, wrote[name].words, None) for name in unjudged}
    path = tmp_path / "half.json"
    path.write_bytes((write_run(tmp_path / "half", wrote) / "summary.json").read_bytes())
    found = {str(each.metric): each.n for each in check(load_scores(path), load_scores(worse)).differences}
    assert (found["S_l"], found["S_q"], found["S_bar"], found["Clarity"]) == (24, 6, 6, 6)


def test_a_bare_summary_is_held_against_the_prompts_it_is_about(tmp_path, run):
    path = tmp_path / "main.json"
    path.write_bytes((run / "summary.json").read_bytes())
    other = write_run(tmp_path / "few", wrote_well(8), prompts={"n": 8, "sha256": "3" * 64})
    with pytest.raises(LbwError, match=r"\b24\b.*\b8\b"):
        check(load_scores(path), load_scores(other))


def test_a_bare_summary_may_be_the_run_too(tmp_path, run, worse):
    path = tmp_path / "new.json"
    path.write_bytes((worse / "summary.json").read_bytes())
    verdict = check(load_scores(run), load_scores(path), Rule(floors={parse_metric("S_l"): 10}))
    assert verdict.exit_code == 3
    assert [finding.mean for finding in verdict.findings] == [
        finding.difference.b for finding in verdict.findings
    ]


def test_failures_of_the_run_are_missing_beside_a_bare_summary_too(tmp_path, run):
    path = tmp_path / "main.json"
    path.write_bytes((run / "summary.json").read_bytes())
    wrote = wrote_well()
    wrote |= {name: Wrote(wrote[name].length, None) for name in ("p-000", "p-001")}
    assert check(load_scores(path), load_scores(write_run(tmp_path / "r2", wrote))).exit_code == 1


def test_a_place_that_is_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "nowhere"))):
        load_scores(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"kind": 3}', '{"schema": 9, "kind": "longbench-write baseline"}']
)
def test_a_file_that_is_none_is_refused_in_one_sentence(tmp_path, text):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        load_scores(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("old", "new"), [('"S_l": 0.0', '"S_l": NaN'), ("[4.0, 4.0,", "[4.0,")])
def test_what_is_no_score_is_refused(tmp_path, old, new):
    wrote = {"p-1": Wrote(100, 0), "p-2": Wrote(100, 90)}
    text = baseline_text(load_scores(write_run(tmp_path / "r", wrote)))
    assert old in text
    path = tmp_path / "m.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError):
        load_scores(path)


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["0", "length", "samples", "S_l", "dimensions", "flags", "words"]), inner
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(scores=TREES)
def test_any_damage_is_a_sentence(tmp_path_factory, scores):
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    values = {
        "schema": 1,
        "kind": "longbench-write baseline",
        "heading": asdict(RUN_INFO),
        "convention": "mean",
        "counts": None,
    }
    path.write_text(json.dumps(values | {"scores": {"p": scores}}))
    try:
        read = read_baseline(path)
    except UsageError:
        return
    assert all(math.isfinite(value) for each in read.responses.values() for value in each.values.values())
    if read.responses:
        assert check(read, read).findings


@pytest.mark.parametrize(
    "place", [("heading",), ("heading", "prompts"), ("heading", "prompts", "n"), ("counts",)]
)
@pytest.mark.parametrize("value", [None, {}, [], "1", 1.5, True])
def test_damage_around_the_scores_is_a_sentence(tmp_path, run, place, value):
    values = json.loads(baseline_text(load_scores(run)))
    *outer, last = place
    target = values
    for name in outer:
        target = target[name]
    target[last] = value
    path = tmp_path / "m.json"
    path.write_text(json.dumps(resealed(values)))
    if (place, value) == (("counts",), None):
        assert read_baseline(path).counts is None
    else:
        with pytest.raises(UsageError, match=re.escape(str(path))):
            read_baseline(path)


@pytest.mark.parametrize(
    ("old", "new"), [('"words": 90', '"words": 1e999'), ("[4.0,", "[9.0,"), ("[4.0,", "[1e999,")]
)
def test_numbers_that_no_run_has_are_refused(tmp_path, old, new):
    text = baseline_text(
        load_scores(write_run(tmp_path / "r", {"p-1": Wrote(100, 90), "p-2": Wrote(100, 90)}))
    )
    assert old in text
    path = tmp_path / "m.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError):
        load_scores(path)


@pytest.mark.parametrize("kind", [-1, None, "x", [], {}, 10**400])
def test_a_file_of_another_kind_is_named_with_its_key(tmp_path, kind):
    path = tmp_path / "main.json"
    path.write_text(json.dumps({"schema": 1, "kind": kind}))
    with pytest.raises(UsageError, match=r"main\.json.* kind "):
        is_baseline(path)
