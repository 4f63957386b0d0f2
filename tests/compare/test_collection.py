import re
from dataclasses import replace
from pathlib import Path

import pytest
from samples import RUN_INFO, judged, predicted

from longbench_write.compare.collection import blocks, collect
from longbench_write.errors import RunFolderError, UsageError
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv


def put_run(folder: Path, **changes) -> Path:
    summary, rows = summarise(
        replace(RUN_INFO, **changes), [predicted("a"), predicted("b")], [judged("a")], owed=2, seconds=1.0
    )
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text("")
    (folder / "summary.json").write_text(summary.to_json())
    (folder / "scores.csv").write_text(scores_csv(rows))
    return folder


def test_runs_are_found_anywhere_below_a_place_and_once(tmp_path):
    one = put_run(tmp_path / "m" / "s" / "r-1")
    put_run(tmp_path / "deep" / "er" / "and" / "deeper", model="n")
    unscored = tmp_path / "m" / "s" / "r-2"
    unscored.mkdir()
    (unscored / "run.yaml").write_text("")
    found = collect([tmp_path, one, tmp_path / "m"])
    assert [entry.label for entry in found.entries] == ["n", "m"]
    assert found.unscored == [unscored]
    assert [row.id for row in found.entries[1].rows] == ["a", "b"]


def test_a_place_without_a_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match=re.escape(str(tmp_path))):
        collect([tmp_path])
    with pytest.raises(UsageError, match="not-there"):
        collect([tmp_path / "not-there"])


def test_a_run_that_cannot_be_read_is_named_and_blocks_no_other(tmp_path):
    good = put_run(tmp_path / "a")
    bad = put_run(tmp_path / "b", model="n")
    (bad / "summary.json").write_text("{")
    found = collect([tmp_path])
    assert [entry.path for entry in found.entries] == [good]
    assert "summary.json" in str(found.unreadable[bad])
    found.check_any()
    with pytest.raises(RunFolderError, match=r"summary\.json"):
        collect([bad]).check_any()


def test_a_run_lacks_what_the_caller_needs(tmp_path):
    good, bad = put_run(tmp_path / "a"), put_run(tmp_path / "b", model="n")
    (bad / "scores.csv").write_text("id\nx\n")
    assert len(collect([tmp_path]).entries) == 2
    found = collect([tmp_path], lambda entry: entry.rows)
    assert ([entry.path for entry in found.entries], list(found.unreadable)) == ([good], [bad])


def test_missing_scores_are_named_with_the_command_that_makes_them(tmp_path):
    run = put_run(tmp_path / "r")
    (run / "scores.csv").unlink()
    (entry,) = collect([tmp_path]).entries
    with pytest.raises(RunFolderError, match="lbw-eval score"):
        _ = entry.rows


def test_labels_say_what_differs(tmp_path):
    hot = RUN_INFO.settings | {"temperature": 1.0}
    put_run(tmp_path / "1")
    put_run(tmp_path / "2", writer="agentwrite")
    put_run(tmp_path / "3", settings=hot)
    put_run(tmp_path / "4", settings=hot)
    labels = [entry.label for entry in collect([tmp_path]).entries]
    assert len(set(labels)) == 4
    assert labels[1] == "m + agentwrite"
    assert "temperature 0.5" in labels[0]
    assert labels[2].endswith("[3]")
    assert labels[3].endswith("[4]")


def test_labels_name_only_the_settings_that_differ(tmp_path):
    put_run(tmp_path / "1")
    put_run(tmp_path / "2", settings=RUN_INFO.settings | {"temperature": 1.0})
    put_run(tmp_path / "3", model="n", writer="agentwrite")
    labels = [entry.label for entry in collect([tmp_path]).entries]
    assert labels == ["m (temperature 0.5)", "m (temperature 1.0)", "n + agentwrite"]


def test_folders_of_one_name_are_told_apart_and_one_folder_is_one_run(tmp_path, monkeypatch):
    for parent in ("a", "b"):
        put_run(tmp_path / parent / "r")
    monkeypatch.chdir(tmp_path)
    found = collect([Path("a"), tmp_path / "a", tmp_path])
    assert [entry.label for entry in found.entries] == ["m [a/r]", "m [b/r]"]


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "other"},
        {"suite_sha256": "6" * 64},
        {"prompts": {"n": 2, "sha256": "3" * 64}},
        {"judge": "k"},
        {"judge": None, "judge_sha256": None},
        {"judge_sha256": "8" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_comparable_stands_in_blocks_of_its_own_with_titles_that_differ(tmp_path, change):
    put_run(tmp_path / "1")
    put_run(tmp_path / "2", model="n")
    put_run(tmp_path / "3", model="o", **change)
    found = blocks(collect([tmp_path]).entries)
    assert [[entry.label for entry in block.entries] for block in found] == [["m", "n"], ["o"]]
    assert found[0].title != found[1].title
