"""What version 0.1.0 left (tests/fixtures/v0_1_0) is read, and resumed where it was."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from servers.answers import varied_judge, varied_writer
from servers.openai_server import OpenAIServer

from longbench_write import evaluate, load_run
from longbench_write.cli.app import main
from longbench_write.config import build_config, read_config
from longbench_write.metrics.length import length_score
from longbench_write.runs.identity import find_place, run_identity
from longbench_write.runs.plan import Roles, writer_role
from longbench_write.runs.results import score_run
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows
from longbench_write.suites.suite import load_suite, select

FIXTURES = Path(__file__).parent.parent / "fixtures" / "v0_1_0"
RUNS = json.loads((FIXTURES / "runs.json").read_text(encoding="utf-8"))
IDENTITIES = json.loads((FIXTURES / "identities.json").read_text(encoding="utf-8"))
FINISHED = ("ids", "lbw-open", "all")


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A copy of the fixtures, which is the working folder."""
    shutil.copytree(FIXTURES, tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    return tmp_path / "old"


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(name, model, judges, **more):
    options = today(RUNS[name]["options"])
    servers = {"base_url": [model.base_url]}
    if options["judge"] != "none":
        servers["judge_base_url"] = [judges.base_url]
    return evaluate(**{"model": "m", "out": Path("runs") / name} | servers | options | more)


def today(options):
    """The options of 0.1.0, whose lbw-open is the first."""
    return options | {"suite": "lbw-open@1.0"} if options.get("suite") == "lbw-open" else options


def good(records):
    return {(line["id"], line["sample"]): line for line in records if not line["error"]}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_resumed_by_its_command_in_its_folder_with_its_seeds(old, name):
    folder = Path(RUNS[name]["folder"])
    before = [lines(folder / kind) for kind in ("predictions.jsonl", "judgements.jsonl")]
    judged = RUNS[name]["options"]["judge"] != "none"
    with OpenAIServer(varied_writer()) as model, OpenAIServer(varied_judge()) as judges:
        summary = run(name, model, judges)
        asked = Counter((request.prompt, request.body["seed"]) for request in model.requests)
        judgements = len(judges.requests)
        run(name, model, judges)
        assert (len(model.requests), len(judges.requests)) == (asked.total(), judgements)
    assert list(Path("runs", name).glob("*/*/*/run.yaml")) == [folder / "run.yaml"]
    owed = Counter(tuple(pair) for pair in RUNS[name]["asked"])
    final = {
        (line["id"], line["sample"]) for line in before[0] if line["error"] is None or line["error"]["final"]
    }
    assert asked <= owed
    assert asked.total() == owed.total() - len(final) == 0 or name not in FINISHED
    assert asked.total() == owed.total() - len(final)
    after = [lines(folder / kind) for kind in ("predictions.jsonl", "judgements.jsonl")]
    for old_lines, new_lines in zip(before, after, strict=True):
        assert good(old_lines).items() <= good(new_lines).items()
    counts = summary.counts
    assert counts["owed"] == owed.total() == counts["generated"] + counts["generation_failed"]
    kept = [line for line in before[1] if line["error"] is None or line["error"]["final"]]
    assert judgements == (counts["generated"] - len(kept) if judged else 0)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_read(old, name):
    run = load_run(RUNS[name]["folder"])
    assert [record.key for record in run.predictions]
    assert run.manifest["owed"] == len(RUNS[name]["asked"])
    assert score_run(RUNS[name]["folder"]).counts["owed"] == len(RUNS[name]["asked"])


def test_a_command_on_another_version_of_its_suite_says_how_the_old_run_resumes(old, caplog):
    caplog.set_level("INFO", "longbench_write")
    name = "lbw-open"
    with OpenAIServer(varied_writer()) as model, OpenAIServer(varied_judge()) as judges:
        summary = run(name, model, judges, suite="lbw-open")
        assert len(model.requests) == 3
    assert summary.suite_version == load_suite("lbw-open").version
    assert "lbw-open@1.0" in caplog.text
    assert RUNS[name]["folder"] in caplog.text
    assert len(list(Path("runs", name).glob("*/*/*/run.yaml"))) == 2


def test_judging_and_failures_of_a_half_done_run(old):
    with OpenAIServer(varied_writer()) as model, OpenAIServer(varied_judge()) as judges:
        summary = run("half", model, judges)
        assert summary.failures == {"context_length": 1}
        assert summary.judge_failures == {"invalid_reply": 1}
        again = run("half", model, judges, retry_failed=True)
        assert (again.failures, again.judge_failures) == ({}, {})
        assert again.counts["judged"] == 8
        assert len(model.requests) == 3
        assert len(judges.requests) == 6


def test_a_configuration_file(old):
    with OpenAIServer(varied_writer()) as model:
        values = read_config(Path("config.yaml")) | {"base_url": [model.base_url]}
        assert evaluate(build_config(values)).counts["generated"] == 16
        assert len(model.requests) == 6


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["lbw-eval", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize(
    "words",
    [
        ("check", "ALL", "--baseline", "baseline.json"),
        ("check", "ALL", "--baseline", "summary.json"),
        ("compare", "scores.csv", "ALL"),
        ("compare", "baseline.json", "summary.json"),
        ("compare", "IDS", "ALL"),
        ("baseline", "ALL", "-o", "again.json"),
        ("power", "ALL"),
        ("score", "HALF"),
        ("leaderboard", "runs/ids", "runs/lbw-open", "runs/all"),
        ("report", "runs/all", "-o", "report.html"),
        ("export", "ALL", "--to", "csv", "-o", "all.csv"),
    ],
)
def test_commands_read_what_is_there(old, monkeypatch, words):
    places = {name.upper(): RUNS[name]["folder"] for name in RUNS}
    assert not command(monkeypatch, *(places.get(word, word) for word in words))


def test_results_that_were_written_are_read(old):
    folder = Path(RUNS["all"]["folder"])
    summary, again = Summary.read(Path("summary.json")), Summary.read(folder / "summary.json")
    assert summary == again
    assert summary.S_q is not None
    rows = read_rows(Path("scores.csv"))
    assert rows == read_rows(folder / "scores.csv")
    assert [row.values["S_l"] for row in rows] == [
        pytest.approx(length_score(row.length, row.response_length)) for row in rows
    ]


@pytest.mark.parametrize("entry", IDENTITIES["identities"], ids=lambda entry: str(entry["options"]))
def test_a_configuration_has_the_folder_that_it_had(old, entry):
    for name, file in IDENTITIES["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(file["content"], encoding="utf-8")
        os.utime(name, ns=(file["mtime_ns"], file["mtime_ns"]))
    config = build_config({"suite": "rivers.jsonl", "judge": "none", "out": "runs"} | today(entry["options"]))
    suite = load_suite(config.suite)
    writer = writer_role(config, print)
    made = Path(entry["folder"])
    made.mkdir(parents=True, exist_ok=True)
    (made / "run.yaml").touch()
    prompts = select(suite, limit=config.limit, ids=config.ids, length_range=config.length_range)
    identity = run_identity(config, suite, Roles(writer=writer), print)
    place = find_place(config, suite, prompts, writer.spec.kind, identity, print)
    assert (place.path, place.identity) == (made, None)
    assert [prompt.id for prompt in place.prompts] == entry["prompts"]
    tagged = run_identity(replace(config, tag="t"), suite, Roles(writer=writer), print)
    assert find_place(replace(config, tag="t"), suite, prompts, writer.spec.kind, tagged, print).path != made


def scores_of(folder):
    return pd.read_csv(folder / "scores.csv", dtype=str)


def test_a_finished_run_stays_as_it_is(old):
    """Resuming a run with nothing owed gives the results that are there."""
    for name in FINISHED:
        folder = Path(RUNS[name]["folder"])
        before, scores = (folder / "predictions.jsonl").read_bytes(), scores_of(folder)
        with OpenAIServer(varied_writer()) as model, OpenAIServer(varied_judge()) as judges:
            run(name, model, judges)
            assert model.requests == judges.requests == []
        assert (folder / "predictions.jsonl").read_bytes() == before
        again = scores_of(folder)
        assert again.columns.difference(scores.columns).tolist() == ["cut_by", "declined_length", "suspect"]
        # What is flagged as a loop is seen more sharply now than by 0.1.0.
        same = scores.columns.difference(["repetitive", "repeated_from"])
        assert again[same].equals(scores[same])
        assert yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))["model"] == "m"
