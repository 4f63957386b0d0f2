"""Which runs are of one suite, and of one judge."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from gate_samples import Wrote, write_run, wrote_well

from longbench_write.compare.baseline import baseline_text
from longbench_write.compare.comparable import terms
from longbench_write.compare.loading import load_scores
from longbench_write.compare.same_prompts import unchanged_alone
from longbench_write.errors import UsageError
from longbench_write.gate.checking import check_run

OTHER_FILE = {"suite_sha256": "6" * 64, "suite_version": "2"}


@pytest.fixture
def before(tmp_path):
    return write_run(tmp_path / "a", wrote_well())


@pytest.fixture(params=["run", "baseline"])
def reference(request, before, tmp_path):
    """A run, or the baseline that was made from it."""
    if request.param == "run":
        return before
    path = tmp_path / "main.json"
    path.write_text(baseline_text(load_scores(before)))
    return path


def with_prompts(run, change):
    """The run with the prompts of its records changed."""
    path = run / "predictions.jsonl"
    records = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return run


def reworded(*names, **changes):
    changes = changes or {"prompt": "Write about lakes."}
    return lambda record: record | changes if record["id"] in names else record


def test_another_file_of_the_same_prompts_is_no_other_suite(tmp_path, reference):
    new = write_run(tmp_path / "b", wrote_well(seed=1), **OTHER_FILE)
    verdict = check_run(new, {"baseline": reference})
    assert (verdict.exit_code, verdict.notes) == (0, [])


def test_prompts_that_changed_are_named_and_the_others_compared_where_that_is_asked_for(tmp_path, reference):
    wrote = wrote_well()
    wrote |= {name: Wrote(wrote[name].length, 1, wrote[name].scores) for name in ("p-003", "p-007")}
    new = with_prompts(write_run(tmp_path / "b", wrote, **OTHER_FILE), reworded("p-003", "p-007"))
    with pytest.raises(UsageError, match=r"--common.*of 24 prompts .*\b2\b .*p-003"):
        check_run(new, {"baseline": reference})
    verdict = check_run(new, {"baseline": reference, "common": True})
    assert verdict.exit_code == 0
    assert [finding.difference.n for finding in verdict.findings] == [22, 22, 22]
    assert [finding.missing for finding in verdict.findings] == [(0, 22)] * 3
    assert [finding.difference.value for finding in verdict.findings] == [0, 0, 0]
    assert "22 unchanged" in verdict.notes[0]
    assert not [note for note in verdict.notes[1:] if "asked alike" in note]


@pytest.mark.parametrize(
    "change", [{"prompt": "Write about lakes."}, {"length_rule": "at_least"}, {"answer_language": "de"}]
)
def test_all_that_scores_depend_on_makes_a_prompt(tmp_path, before, change):
    new = with_prompts(write_run(tmp_path / "b", wrote_well(), **OTHER_FILE), reworded("p-000", **change))
    with pytest.raises(UsageError, match=r"p-000"):
        check_run(new, {"baseline": before})


def test_more_prompts_make_another_suite(tmp_path, before):
    more = {"n": 30, "sha256": "9" * 64}
    new = write_run(tmp_path / "b", wrote_well(30), **OTHER_FILE, prompts=more)
    with pytest.raises(UsageError, match=r"--common.*6 more are in B alone"):
        check_run(new, {"baseline": before})
    assert check_run(new, {"baseline": before, "common": True}).findings[0].difference.n == 24


def test_nothing_is_left_out_where_the_suites_are_one(before):
    scores = load_scores(before)
    assert unchanged_alone(scores, scores) == (scores, scores, "")


def test_what_does_not_say_what_its_prompts_were_is_refused(tmp_path, before):
    new = write_run(tmp_path / "b", wrote_well(), **OTHER_FILE)
    (new / "summary.json").rename(tmp_path / "bare.json")
    for common in (False, True):
        with pytest.raises(UsageError):
            check_run(tmp_path / "bare.json", {"baseline": before, "common": common})
    other = with_prompts(write_run(tmp_path / "c", wrote_well(), **OTHER_FILE), lambda r: r | {"prompt": "x"})
    with pytest.raises(UsageError, match="unchanged"):
        check_run(other, {"baseline": before, "common": True})


@pytest.mark.parametrize(
    ("hashes", "labels", "one"),
    [
        ((None, None), ("j", "j"), True),
        ((None, None), ("j", "k"), False),
        ((None, "7" * 64), ("j", "j"), False),
        (("7" * 64, "7" * 64), ("j", "k"), True),
        (("7" * 64, "8" * 64), ("j", "j"), False),
    ],
)
def test_judges_are_one_by_their_hash_and_without_one_by_their_label(before, hashes, labels, one):
    scores = load_scores(before)
    a, b = (
        replace(scores, info=replace(scores.info, judge=label, judge_sha256=sha256))
        for label, sha256 in zip(labels, hashes, strict=True)
    )
    if one:
        assert terms(a, b).judged
        return
    with pytest.raises(UsageError, match="--allow-different-judges"):
        terms(a, b)
    assert any("WARNING" in note for note in terms(a, b, allow_different_judges=True).notes)
