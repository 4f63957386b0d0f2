"""`lbw-eval report` on run folders."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from samples import RUN_INFO, predicted

from longbench_write.cli.report import report
from longbench_write.errors import RunFolderError, UsageError
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "results" / "r"
    folder.mkdir(parents=True)
    info = replace(RUN_INFO, judge=None, judge_sha256=None)
    summary, rows = summarise(info, [predicted("a"), predicted("b")], [], owed=2, seconds=1.0)
    (folder / "summary.json").write_text(summary.to_json())
    (folder / "scores.csv").write_text(scores_csv(rows))
    return folder


def test_the_page_is_written_and_its_size_stated(run, tmp_path, capsys):
    page = tmp_path / "new" / "page.html"
    page.parent.mkdir()
    report([run], page)
    said = capsys.readouterr()
    size = re.fullmatch(rf"{re.escape(str(page))}: (\d+) kB, runs: 1, samples: 2\n", said.out)[1]
    assert said.err == ""
    assert round(page.stat().st_size / 1000) == int(size)
    assert [path.name for path in page.parent.iterdir()] == ["page.html"]


def test_without_places_it_reads_results(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "new").mkdir()
    (tmp_path / "results" / "new" / "run.yaml").write_text("")
    report()
    said = capsys.readouterr()
    assert said.out.startswith("report.html: ")
    assert said.err == "lbw-eval: not scored yet: lbw-eval score results/new\n"


def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"page\.html"):
        report([run], tmp_path / "file" / "page.html")
    (run / "scores.csv").write_text("id\n1\n")
    with pytest.raises(RunFolderError, match="lbw-eval score"):
        report([run], tmp_path / "page.html")
    assert not list(tmp_path.glob("page*"))
    (run / "summary.json").unlink()
    (run / "run.yaml").write_text("")
    with pytest.raises(UsageError, match="lbw-eval score"):
        report([run], tmp_path / "page.html")
