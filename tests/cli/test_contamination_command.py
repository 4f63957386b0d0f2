"""`lbw-eval contamination`, as it is called, and `compare` of two suites."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from samples import RUN_INFO, judged, predicted

from longbench_write.cli.app import main
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv

TYPES = ("News Report", "Popular Science")


@pytest.fixture
def lbw_eval(monkeypatch, tmp_path, capsys):
    """Call the command in a folder of its own; give exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["lbw-eval", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def run_folder(folder, suite, words, **info):
    """A scored run of eight prompts in four cells, each answered with so many words."""
    folder.mkdir()
    predictions = [
        predicted(f"{suite}-{n}", type=kind, language=language, length=100, response_length=words)
        for n, (kind, language) in enumerate((kind, language) for kind in TYPES for language in ("en", "zh"))
    ]
    said = [judged(each.id) for each in predictions]
    summary, rows = summarise(
        replace(RUN_INFO, suite=suite, suite_sha256=suite[-1] * 64, **info),
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
