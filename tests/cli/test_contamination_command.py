"""`lbw-eval contamination`, as it is called, and `compare` of two suites."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from samples import RUN_INFO, judged, predicted

from longbench_write.runs.manifest import prompts_of
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv
from longbench_write.suites.suite import load_suite

TYPES = ("News Report", "Popular Science")


def run_folder(folder, suite, words, **info):
    """A scored run of four prompts in four cells, each answered with so many words."""
    return write(
        folder,
        [
            predicted(f"{suite}-{n}", type=kind, language=language, length=100, response_length=words)
            for n, (kind, language) in enumerate(
                (kind, language) for kind in TYPES for language in ("en", "zh")
            )
        ],
        suite=suite,
        **{"suite_sha256": suite[-1] * 64} | info,
    )


def whole_run(folder, name, share):
    """A scored run on a shipped or an official suite that writes this share of what each prompt asks for."""
    suite = load_suite(name)
    predictions = [
        predicted(
            prompt.id,
            type=prompt.type,
            language=prompt.language,
            length=prompt.length,
            response_length=round(share * prompt.length),
        )
        for prompt in suite.prompts
    ]
    info = {"suite": suite.name, "suite_version": suite.version, "suite_sha256": suite.sha256}
    return write(folder, predictions, **info)


def write(folder, predictions, **info):
    folder.mkdir()
    said = [judged(each.id) for each in predictions]
    summary, rows = summarise(
        replace(RUN_INFO, **({"prompts": prompts_of({each.id for each in predictions})} | info)),
        predictions,
        said,
        owed=len(predictions),
        seconds=None,
    )
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    (folder / "scores.csv").write_text(scores_csv(rows), encoding="utf-8")
    return folder


@pytest.fixture
def public(tmp_path):
    return run_folder(tmp_path / "a", "longbench-write", 100)


@pytest.fixture
def unseen(tmp_path):
    return run_folder(tmp_path / "b", "lbw-open", 50)


def test_the_gap_is_shown_in_either_order(lbw_eval, public, unseen):
    code, shown, err = lbw_eval("contamination", public, unseen)
    assert (code, err) == (0, "")
    assert "S_l [0,500)" in shown
    assert "+50.0 to +50.0" in shown
    assert "longbench-write 1" in shown
    assert lbw_eval("contamination", unseen, public) == (0, shown, "")


def test_the_gap_as_markdown_and_as_json(lbw_eval, public, unseen):
    assert "| S_bar | 87.5 | 62.5 | +25.0 |" in lbw_eval("contamination", unseen, public, "--format", "md")[1]
    text = lbw_eval("contamination", public, unseen, "--json")[1]
    assert lbw_eval("contamination", public, unseen, "--format", "json") == (0, text, "")
    values = json.loads(text)
    assert values["public"]["suite"] == "longbench-write"
    assert [gap["value"] for gap in values["gaps"]] == [25, 25, 50, 50, 0, 0]


def test_what_different_judges_said_is_left_out(lbw_eval, public, tmp_path):
    settings = RUN_INFO.settings | {"temperature": 1.0}
    unseen = run_folder(tmp_path / "b", "lbw-open", 50, judge_sha256="8" * 64, settings=settings)
    values = json.loads(lbw_eval("contamination", public, unseen, "--json")[1])
    assert {gap["measure"] for gap in values["gaps"]} == {"S_l"}
    assert any("lbw-eval judge" in note for note in values["notes"])
    assert any("temperature 0.5 and 1.0" in note for note in values["notes"])


def test_runs_without_a_gap_are_refused_by_name(lbw_eval, public, tmp_path):
    other = run_folder(tmp_path / "c", "lbw-open", 50, model="another")
    for a, b in ((public, other), (public, public)):
        code, out, err = lbw_eval("contamination", a, b)
        assert (code, out) == (2, "")
        assert str(b) in err
    assert "another" in lbw_eval("contamination", public, other)[2]


def test_what_is_no_run_folder_is_refused(lbw_eval, public, tmp_path):
    (tmp_path / "empty").mkdir()
    for place in (public / "scores.csv", tmp_path / "empty", tmp_path / "nowhere"):
        code, out, err = lbw_eval("contamination", public, place)
        assert (code, out) == (2, "")
        assert str(place) in err


def test_compare_of_two_suites_is_refused_and_names_contamination(lbw_eval, public, unseen, tmp_path):
    for pair in ((public, unseen), (unseen, public)):
        code, out, err = lbw_eval("compare", *pair, "--plot", "d.png")
        assert (code, out) == (2, "")
        assert "lbw-eval contamination" in err
    assert not (tmp_path / "d.png").exists()


@pytest.mark.parametrize(("name", "pairs"), [("longbench-write", 120), ("longbench-write-en", 60)])
def test_prompts_and_their_mirrors_are_paired(lbw_eval, tmp_path, name, pairs):
    public, unseen = whole_run(tmp_path / "a", name, 1), whole_run(tmp_path / "b", "lbw-open", 0.5)
    values = json.loads(lbw_eval("contamination", unseen, public, "--json")[1])
    first = next(gap for gap in values["gaps"] if gap["measure"] == "S_l")
    assert {"measure", "range", "public", "unseen", "value", "interval"} <= first.keys()
    assert (first["range"], first["pairs"], first["cells"], first["left_out"]) == (
        None,
        pairs,
        None,
        120 - pairs,
    )
    assert first["value"] == pytest.approx(50, abs=0.5)
    by_range = [gap for gap in values["gaps"] if gap["measure"] == "S_l" and gap["range"]]
    assert sum(gap["pairs"] for gap in by_range) == pairs
    assert all(gap["interval"][0] <= gap["value"] <= gap["interval"][1] for gap in by_range)
    assert f"{pairs} pairs" in lbw_eval("contamination", public, unseen)[1]


def test_the_first_version_is_compared_by_cells_with_a_warning(lbw_eval, tmp_path):
    public, unseen = (
        whole_run(tmp_path / "a", "longbench-write", 1),
        whole_run(tmp_path / "b", "lbw-open@1.0", 1),
    )
    values = json.loads(lbw_eval("contamination", public, unseen, "--json")[1])
    assert all(gap["pairs"] is None and gap["cells"] for gap in values["gaps"])
    assert any("1.0" in note and "mirrors" in note for note in values["notes"])
    assert values["unseen"]["suite_version"] == "1.0"


@pytest.mark.parametrize(("old", "new"), [("lbw-open@1.0", "lbw-open"), ("lbw-open", "lbw-open@1.0")])
def test_two_versions_are_refused_by_name_with_the_way_out(lbw_eval, tmp_path, old, new):
    reference, run = whole_run(tmp_path / "a", old, 1), whole_run(tmp_path / "b", new, 1)
    assert lbw_eval("baseline", reference, "-o", "kept.json")[0] == 0
    version = load_suite(old).version
    for words in (("compare", reference, run), ("check", run, "--baseline", "kept.json")):
        code, out, err = lbw_eval(*words)
        assert (code, out) == (2, "")
        assert f"--suite lbw-open@{version}" in err
        assert "lbw-open 1.0" in err
        assert "lbw-open 2.0" in err
