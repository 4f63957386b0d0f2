"""The package's functions, as a script or a notebook calls them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from samples import write_suite
from servers.openai_server import OpenAIServer, judge_reply, writer

import longbench_write
from longbench_write import (
    LbwError,
    Observer,
    RunConfig,
    UsageError,
    compare_runs,
    evaluate,
    evaluate_async,
    judge_run,
    leaderboard,
    load_run,
    plot,
    report,
    score_run,
)
from longbench_write.metrics.quality import DIMENSIONS


@pytest.fixture
def model():
    with OpenAIServer(writer()) as server:
        yield server


@pytest.fixture
def judges():
    with OpenAIServer(judge_reply()) as server:
        yield server


@pytest.fixture
def given(tmp_path, model):
    """What a person would write: paths, tuples and text where each is natural."""
    return {
        "model": "m",
        "suite": write_suite(tmp_path),
        "base_url": (model.base_url,),
        "out": str(tmp_path / "out"),
        "judge": "none",
    }


@pytest.fixture
def judge(tmp_path):
    folder = tmp_path / "four"
    folder.mkdir()
    card = {"description": "For tests.", "model": "judge-model", "template": "template.txt"}
    (folder / "judge.yaml").write_text(yaml.safe_dump(card))
    (folder / "template.txt").write_text("Asked: $INST$\nWritten: $RESPONSE$\nReply in JSON.")
    return folder


def only_run(tmp_path) -> Path:
    (manifest,) = (tmp_path / "out").glob("*/*/*/run.yaml")
    return manifest.parent


def test_dir_lists_what_is_public_and_each_is_there():
    assert dir(longbench_write) == sorted(longbench_write.__all__)
    assert all(getattr(longbench_write, name) is not None for name in longbench_write.__all__)


def test_functions_stay_functions_once_the_folders_are_imported():
    code = (
        "import longbench_write.cli.leaderboard, longbench_write.leaderboards.board, longbench_write.reports,"
        "longbench_write as p; print(callable(p.leaderboard), callable(p.report), callable(p.plot))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True"] * 3


def test_evaluate_then_judge_then_score(tmp_path, given, judges, judge):
    written = evaluate(**given)
    assert written.S_q is None
    judged = judge_run(only_run(tmp_path), judge=judge, judge_base_url=judges.base_url)
    assert judged.S_q == 75.0
    assert score_run(str(only_run(tmp_path))) == judged


async def test_evaluate_inside_a_running_loop(given, model):
    summary = evaluate(**given)
    assert summary.counts["generated"] == len(model.requests)


async def test_evaluate_async_cancelled_keeps_what_there_is_and_is_resumed(tmp_path, given, model):
    class StopAtTheFirst(Observer):
        def predicted(self, record):
            work.cancel()

    work = asyncio.ensure_future(evaluate_async(**given, concurrency=1, progress=StopAtTheFirst()))
    with pytest.raises(asyncio.CancelledError):
        await work
    kept = len(list(load_run(only_run(tmp_path)).predictions))
    asked = len(model.requests)
    summary = await evaluate_async(**given)
    assert kept >= 1
    assert len(model.requests) - asked == summary.counts["owed"] - kept


async def test_a_refused_configuration_leaves_no_coroutine_behind(given):
    with pytest.raises(UsageError):
        await evaluate_async(**given | {"limit": 0})
    with pytest.raises(UsageError):
        evaluate(RunConfig(model="m"), limit=3)


def test_progress_is_told_and_notes_are_logged(given, caplog):
    seen = []

    class Watch(Observer):
        def predicted(self, record):
            seen.append(record.id)

    with caplog.at_level(logging.INFO, logger="longbench_write"):
        summary = evaluate(**given)
    assert caplog.records
    assert {record.name for record in caplog.records} == {"longbench_write"}
    evaluate(**given, progress=Watch(), fresh=True)
    assert len(seen) == summary.counts["generated"]


def test_a_run_knows_its_scores_as_frames(tmp_path, given):
    summary = evaluate(**given)
    run = load_run(only_run(tmp_path))
    assert run.summary == summary
    frame = run.frame()
    assert list(frame.columns) == (run.path / "scores.csv").read_text().splitlines()[0].split(",")
    assert list(frame["id"]) == [row.id for row in run.scores]
    assert frame["S_l"].mean() == pytest.approx(summary.S_l)
    assert frame["S_q"].isna().all()
    assert frame["length"].sum() == sum(row.length for row in run.scores)
    groups = summary.frame()
    assert groups.loc[("all", ""), "S_l"] == summary.S_l
    assert groups.loc[("all", ""), "S_l_low"] == summary.ci["S_l"][0]
    assert list(groups.loc["length"].index) == [group["range"] for group in summary.by_length]
    assert groups.loc["length"]["n"].sum() == summary.counts["generated"]


def test_a_judged_run_has_the_dimensions_in_its_frame(tmp_path, given, judges, judge):
    evaluate(**given | {"judge": judge, "judge_base_url": [judges.base_url]})
    frame = load_run(only_run(tmp_path)).frame()
    assert (frame[list(DIMENSIONS)] == 4).all(axis=None)


def test_leaderboard_plots_and_report(tmp_path, given):
    evaluate(**given)
    evaluate(**given | {"model": "other"})
    places = str(tmp_path / "out")
    board = leaderboard(places)
    assert isinstance(board, pd.DataFrame)
    assert set(board["model"]) == {"m", "other"}
    assert list(board["best_rank"]) == [1, 1]
    assert board["worst_rank"].dtype == "Int64"
    files = plot([places], out=tmp_path / "plots", formats="svg")
    assert files
    assert all(file.suffix == ".svg" and file.stat().st_size for file in files)
    page = report(places, output=str(tmp_path / "r.html"))
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    with pytest.raises(UsageError, match="jpg"):
        plot(places, out=tmp_path / "plots", formats=["jpg"])


def test_compare_runs_is_b_less_a(tmp_path, given):
    evaluate(**given)
    first = only_run(tmp_path)
    found = compare_runs(first, str(first))
    assert {difference.value for difference in found.differences if difference.n} == {0.0}
    with pytest.raises(LbwError):
        compare_runs(first, tmp_path / "nowhere")
