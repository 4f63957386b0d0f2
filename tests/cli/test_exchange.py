"""`lbw-eval import` and `lbw-eval export` as a person runs them."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys

import pytest
import yaml
from other_harness_samples import TEXTS, answer, scores, text_suite, write_lines, write_reference
from servers.openai_server import OpenAIServer, judge_reply
from typer.testing import CliRunner

from longbench_write.cli.app import app
from longbench_write.errors import UsageError
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_Q
from longbench_write.scoring.summary import Summary

ANSWERS = [answer(prompt, response) for prompt, response in TEXTS]
JUDGED = [line | {"scores": scores(5, 4, 3, 4, 5, 4)} for line in ANSWERS]


def lbw_eval(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, Exception):
        raise done.exception
    return done


@pytest.fixture
def files(tmp_path):
    return write_reference(tmp_path / "models" / "m", ANSWERS, JUDGED)


@pytest.fixture
def bring(tmp_path, files):
    suite = text_suite(tmp_path)

    def bring(*words, place=files, harness="reference"):
        out = ("--suite", suite, "--out", tmp_path / "out")
        return lbw_eval("import", place, "--from", harness, *out, *words)

    return bring


def run_of(tmp_path):
    (path,) = (tmp_path / "out").glob("*/*/imported-*")
    return path


def test_an_imported_run_can_be_scored_judged_and_exported(tmp_path, bring, files):
    done = bring()
    run = run_of(tmp_path)
    assert S_L.label in done.stdout
    assert str(run) in done.stderr
    counts = Summary.read(run / "summary.json").counts
    assert (counts["owed"], counts["generated"], counts["generation_failed"]) == (16, 16, 0)
    assert lbw_eval("score", run).stdout == done.stdout
    with OpenAIServer(judge_reply()) as judges:
        again = lbw_eval(
            *("judge", run, "--judge", "paper", "--judge-base-url", judges.base_url, "--progress", "none")
        )
        assert len(judges.requests) == 16
    assert Summary.read(run / "summary.json").judge == "paper"
    assert S_Q.label in again.stdout
    summary = json.loads(lbw_eval("score", run, "--judge", "reference-judge", "--json").stdout)
    assert summary["judge"] == "reference-judge"
    assert summary["settings"] == dict.fromkeys(summary["settings"]) | {"backend": "imported"}
    lbw_eval("export", run, "--to", "reference", "-o", tmp_path / "back")
    for name in ("pred.jsonl", "judge.jsonl"):
        theirs, ours = ((place / name).read_text().splitlines() for place in (files, tmp_path / "back"))
        assert [json.loads(line) for line in ours[:16]] == [json.loads(line) for line in theirs[:16]]
        assert len(ours) == len(theirs)
    board = lbw_eval("leaderboard", tmp_path / "out", "--format", "json").stdout
    assert "imported" in board or "reference-judge" in board


def test_a_warning_goes_to_stderr_and_json_to_stdout(bring, tmp_path):
    order = range(0, 16 * 5, 5)
    mixed = [answer(prompt, TEXTS[(k + 2) % 16][1]) for k, (prompt, _) in zip(order, TEXTS, strict=True)]
    place = write_lines(tmp_path / "outputs" / "a__b" / "pred.jsonl", mixed).parent
    done = bring("--json", place=place, harness="evalscope")
    assert json.loads(done.stdout)["model"] == "a/b"
    assert re.search(r"WARNING: \d+ of 16\b", done.stderr)
    card = lbw_eval("export", run_of(tmp_path), "--to", "model-card").stdout
    assert "WARNING" in card


def test_each_text_format_goes_to_stdout_or_to_a_file(tmp_path, bring):
    bring()
    run = run_of(tmp_path)
    (tmp_path / "deep").mkdir()
    for name in ("reference", "csv", "jsonl", "model-card"):
        shown = lbw_eval("export", run, "--to", name)
        assert shown.stdout
        path = tmp_path / "deep" / name
        kept = lbw_eval("export", run, "--to", name, "-o", path)
        assert kept.stdout == ""
        assert str(path) in kept.stderr
        file = path / "pred.jsonl" if name == "reference" else path
        assert file.read_bytes() == shown.stdout_bytes
    assert len(list(csv.reader(io.StringIO((tmp_path / "deep" / "csv").read_text())))) == 17
    assert len((tmp_path / "deep" / "jsonl").read_text().splitlines()) == 16
    block = (tmp_path / "deep" / "model-card").read_text().split("---\n")[1]
    assert yaml.safe_load(block)["model-index"][0]["name"] == "m"


def test_what_cannot_be_done_is_one_sentence(tmp_path, bring):
    bring()
    run = run_of(tmp_path)
    with pytest.raises(UsageError, match="'parquet'"):
        lbw_eval("export", run, "--to", "parket")
    with pytest.raises(UsageError, match="-o"):
        lbw_eval("export", run, "--to", "parquet")
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"README\.md"):
        lbw_eval("export", run, "--to", "model-card", "-o", tmp_path / "README.md")
    with pytest.raises(UsageError, match=r"x\.csv"):
        lbw_eval("export", run, "--to", "csv", "-o", tmp_path / "README.md" / "x.csv")
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "out"))):
        lbw_eval("export", run, "--to", "csv", "-o", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "models", "out", "texts.jsonl"]
    with pytest.raises(UsageError, match=re.escape(str(tmp_path))):
        lbw_eval("export", tmp_path, "--to", "csv")


def test_empty_responses_are_told_of(tmp_path, bring, files):
    write_reference(files, [answer(TEXTS[0][0], ""), *ANSWERS[1:]])
    (files / "judge.jsonl").unlink()
    bring()
    done = lbw_eval("export", run_of(tmp_path), "--to", "reference")
    assert done.stderr.startswith("1 ")
    assert len(done.stdout.splitlines()) == 16


def test_wrong_files_end_with_2_and_one_line(tmp_path):
    (tmp_path / "pred.jsonl").write_bytes(b'{"prompt": "\xff"}')
    command = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
    words = ["import", str(tmp_path / "pred.jsonl"), "--from", "reference"]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("lbw-eval: ")
    assert done.stderr.count("\n") == 1
