"""`lbw-eval leaderboard` as a person runs it."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pexpect
import pytest
from rich.cells import cell_len
from samples import LENGTHS, RUN_INFO, judged, predicted, write_suite
from servers.openai_server import OpenAIServer, judge_reply, writer

from longbench_write import evaluate
from longbench_write.cli.app import main
from longbench_write.leaderboards.layout import Cell, Column, Table
from longbench_write.leaderboards.terminal import terminal
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv

COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()", "leaderboard"]
TYPES = ("Popular Science", "News Report", "Literature and Creative Writing", "Academic and Monograph")


@pytest.fixture
def board(capsys, monkeypatch):
    """Runs the command in this process, in the given folder."""

    def run(*words, cwd=None):
        monkeypatch.setattr(sys, "argv", ["lbw-eval", "leaderboard", *map(str, words)])
        if cwd:
            monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return SimpleNamespace(returncode=ended.value.code or 0, stdout=out, stderr=err)

    return run


def put_run(folder, model, *, ratio=1.0, scores=(4, 4, 4, 4, 4, 4), **changes):
    """A run of eight prompts of all length ranges."""
    predictions = [
        predicted(
            f"p-{n}",
            length=length,
            response_length=int(length * ratio),
            type=TYPES[n % 4],
            language=("en", "zh")[n % 2],
        )
        for n, length in enumerate(LENGTHS)
    ]
    info = replace(RUN_INFO, model=model, prompts={"n": 8, "sha256": "4" * 64}, **changes)
    opinions = [judged(f"p-{n}", scores=scores) for n in range(8)] if info.judge else []
    summary, rows = summarise(info, predictions, opinions, owed=8, seconds=1.0)
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text("")
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    (folder / "scores.csv").write_text(scores_csv(rows), encoding="utf-8")
    return folder


@pytest.fixture
def runs(tmp_path):
    put_run(tmp_path / "results" / "a", "org/a-model-with-a-very-long-name-indeed-7B-Instruct")
    put_run(tmp_path / "results" / "b", "b", ratio=0.5, scores=(2, 2, 2, 2, 2, 2))
    put_run(tmp_path / "results" / "c", "c", judge=None, judge_sha256=None)
    (tmp_path / "results" / "d e").mkdir()
    (tmp_path / "results" / "d e" / "run.yaml").write_text("")
    return tmp_path


@pytest.mark.parametrize("by", ["length", "language", "type", "dimension"])
def test_the_table_fits_and_stands_alone_on_stdout(board, runs, by):
    done = board("--by", by, "--published", cwd=runs)
    assert done.returncode == 0
    assert max(map(cell_len, done.stdout.splitlines())) <= 110
    first, *_ = done.stdout.splitlines()
    assert first == "s · 8 prompts · judge j"
    assert "s · 8 prompts · no judge" in done.stdout
    assert "published · longbench-write" in done.stdout
    assert "lbw-eval score 'results/d e'" in done.stderr
    assert "lbw-eval score" not in done.stdout
    assert "100.0" in done.stdout
    assert "25.0" in done.stdout


def test_published_results_are_shown_without_any_run(board, tmp_path):
    done = board("--published", cwd=tmp_path)
    assert done.returncode == 0
    assert "Claude 3.5 Sonnet" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], r"\bresults\b"),
        (["nowhere", "--published"], r"\bnowhere\b"),
        (["empty"], r"\bempty\b"),
        (["unscored"], r"\blbw-eval score\b"),
        (["empty", "--format", "pdf"], r"\bpdf\b"),
    ],
)
def test_errors_are_one_sentence(board, tmp_path, words, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "unscored").mkdir()
    (tmp_path / "unscored" / "run.yaml").write_text("")
    done = board(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(says, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_many_unscored_runs_are_counted(board, runs):
    for number in range(7):
        (runs / "more" / str(number)).mkdir(parents=True)
        (runs / "more" / str(number) / "run.yaml").write_text("")
    done = board(runs / "results", runs / "more")
    assert done.stderr.count("lbw-eval score") == 5
    assert re.search(r"\b3\b", done.stderr.splitlines()[-1])


def test_sort_says_what_is_ranked_by(board, runs):
    put_run(runs / "results" / "e", "e", ratio=2.0, scores=(5, 5, 5, 5, 5, 5))

    def order(sort):
        ranked = json.loads(board("--format", "json", "--sort", sort, cwd=runs).stdout)["blocks"][0]
        assert ranked["ranked_by"] == sort
        return [run["label"][-1] for run in ranked["runs"]]

    assert order("S_l") == ["t", "e", "b"]
    assert order("S_q") == ["e", "t", "b"]


def test_a_reader_that_goes_away_is_no_fault(runs):
    for form in ("table", "csv"):
        with subprocess.Popen(
            [*COMMAND, str(runs / "results"), "--format", form],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child:
            child.stdout.close()
            errors = child.stderr.read().decode()
        assert "Traceback" not in errors
        assert "BrokenPipe" not in errors


def test_on_a_narrow_terminal_columns_are_left_out_and_named(runs):
    child = pexpect.spawn(
        *(COMMAND[0], [*COMMAND[1:], str(runs / "results")]),
        env=os.environ | {"TERM": "dumb"},
        dimensions=(60, 70),
        encoding="utf-8",
        timeout=60,
    )
    shown = child.read()
    child.close()
    assert child.exitstatus == 0
    assert "Left out here: 2000-4000 S_l S_q, 4000-20000 S_l S_q" in " ".join(shown.split())


def test_nothing_in_a_name_commands_theterminal():
    table = Table(
        "t", [Column("rank"), Column("model", prose=True)], [[Cell("1"), Cell("[bold]x[/bold] :smile:")]]
    )
    assert "[bold]x[/bold] :smile:" in terminal([table])


def test_runs_of_a_real_server_become_a_table_in_every_format(board, tmp_path, write_runs):
    for form in ("table", "md", "csv", "json", "latex", "html"):
        done = board(tmp_path / "out", "--format", form)
        assert done.returncode == 0
        assert done.stdout.count("quick") >= 1
        assert done.stdout.count("slow") >= 1
    frame = pd.read_csv(io.StringIO(board(tmp_path / "out", "--format", "csv").stdout))
    assert list(frame["generated"]) == [8, 8]
    assert sorted(frame["model"]) == ["quick", "slow"]


@pytest.fixture
def write_runs(tmp_path):
    suite = str(write_suite(tmp_path))
    with OpenAIServer(writer(80)) as server, OpenAIServer(judge_reply()) as judges:
        for model in ("quick", "slow"):
            evaluate(
                model=model,
                suite=suite,
                base_url=[server.base_url],
                judge="paper",
                judge_base_url=[judges.base_url],
                out=tmp_path / "out",
            )
