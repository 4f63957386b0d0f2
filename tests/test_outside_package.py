"""Another's package adds one of each, and the real command line uses it; broken ones harm nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml
from plugins import install, install_outside
from samples import write_suite

WORDS = 90


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What stands on the path of the command."""
    path = tmp_path_factory.mktemp("installed")
    install_outside(path)
    return path


def lbw_eval(folder, *words):
    """Run the command line where the packages in a folder are installed."""
    return subprocess.run(
        [sys.executable, "-m", "longbench_write", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "120"},
    )


@pytest.fixture(scope="module")
def place(folder, tmp_path_factory):
    """Where a run lies that was made by what the package adds."""
    path = tmp_path_factory.mktemp("place")
    done = lbw_eval(folder, *run_words(path))
    assert done.returncode == 0, done.stderr
    assert f"echo is asked as words:{WORDS}" in done.stderr
    return path


def run_words(path, word="reef", count=WORDS):
    """The options of a run below a folder, with what the package adds."""
    suite = path / "rivers.jsonl"
    if not suite.exists():
        suite = write_suite(path)
    model = ["--model", f"words:{count}", "--backend", "echo", "--engine-arg", f"word={word}"]
    judge = ["--judge", "outside-judge", "--engine-arg", "depth=3"]
    return [*model, *judge, "--suite", suite, "--out", path / "results", "--progress", "none"]


@pytest.fixture(scope="module")
def run(place):
    """The run's folder."""
    (path,) = (place / "results").glob("*/*/*/run.yaml")
    return path.parent


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_backend_writes(run):
    manifest = yaml.safe_load((run / "run.yaml").read_text(encoding="utf-8"))
    assert manifest["backend"]["kind"] == "echo"
    written = lines(run / "predictions.jsonl")
    assert all(line["response"].split()[:-1] == ["reef"] * (WORDS - 1) for line in written)


def test_what_the_backend_adds_to_the_identity_names_the_folder(run, place, folder):
    assert lbw_eval(folder, *run_words(place)).returncode == 0
    assert len(list(run.parent.iterdir())) == 1
    assert lbw_eval(folder, *run_words(place, "kelp"), "--limit", 1).returncode == 0
    assert len(list(run.parent.iterdir())) == 2


def test_the_judge_judges(run):
    judged = lines(run / "judgements.jsonl")
    assert {line["judge"] for line in judged} == {"outside-judge"}
    assert {tuple(line["scores"].values()) for line in judged} == {(4,) * 6}
    assert json.loads((run / "summary.json").read_text())["S_q"] == 75


def test_the_writer_writes_in_steps(folder, tmp_path):
    command = [*run_words(tmp_path), "--writer", "parts"]
    done = lbw_eval(folder, *command)
    assert done.returncode == 0, done.stderr
    (manifest,) = (tmp_path / "results").glob("*/*/*/run.yaml")
    assert yaml.safe_load(manifest.read_text(encoding="utf-8"))["writer"] == "parts"
    written = lines(manifest.parent / "predictions.jsonl")
    steps = lines(manifest.parent / "steps.jsonl")
    parts = [part.split() for line in written for part in line["response"].split("\n\n")]
    assert len(parts) == 2 * len(written)
    assert all(part[:-1] == ["reef"] * (WORDS - 1) for part in parts)
    assert {(line["calls"], line["planned_words"]) for line in written} == {(3, 200)}
    assert len(steps) == 3 * len(written)
    assert lbw_eval(folder, *command).returncode == 0
    assert len(lines(manifest.parent / "steps.jsonl")) == len(steps)


def test_the_table_format_is_written(folder, place):
    done = lbw_eval(folder, "leaderboard", place / "results", "--format", "lines")
    assert done.returncode == 0, done.stderr
    assert {line.split()[:2] == ["outside", f"words:{WORDS}"] for line in done.stdout.splitlines()} == {True}


def test_the_export_is_written(folder, run, tmp_path):
    shown = lbw_eval(folder, "export", run, "--to", "names")
    assert shown.stdout.splitlines() == [line["id"] for line in lines(run / "predictions.jsonl")]
    assert lbw_eval(folder, "export", run, "--to", "names", "-o", tmp_path / "names").returncode == 0
    assert (tmp_path / "names").read_text() == shown.stdout


@pytest.mark.parametrize("words", [("leaderboard", "--format", "line"), ("export", "--to", "name")])
def test_formats_that_are_not_there_get_the_nearest_name(folder, run, words):
    done = lbw_eval(folder, words[0], run, *words[1:])
    assert done.returncode == 2
    assert f"did you mean '{words[-1]}s'" in done.stderr


def test_the_metric_is_measured_and_read_without_the_package(run, folder, tmp_path):
    found = json.loads((run / "summary.json").read_text())["metrics"]["Pace"]
    assert (found["value"], found["higher_is_better"]) == (WORDS, False)
    assert (run / "scores.csv").read_text().splitlines()[0].endswith(",Pace")
    kept = tmp_path / "kept.json"
    assert lbw_eval(folder, "baseline", run, "-o", kept).returncode == 0
    for where in (folder, tmp_path):
        done = lbw_eval(where, "check", run, "--baseline", kept, "--metric", "Pace", "--json")
        assert done.returncode == 0, done.stderr
        assert [each["metric"] for each in json.loads(done.stdout)["findings"]] == ["Pace"]
        assert "words/sentence" in lbw_eval(where, "leaderboard", run).stdout
        assert '"Pace": 90.0' in lbw_eval(where, "export", run, "--to", "jsonl").stdout


def test_a_limit_on_cost_needs_prices_of_a_backend_that_does_not_say_it_is_free(folder, place):
    words = run_words(place)
    done = lbw_eval(folder, *words, "--fresh", "--max-cost", 1)
    assert done.returncode == 2
    assert "--price input=X" in done.stderr


def test_an_option_that_the_backend_does_not_understand_is_refused(folder, place):
    done = lbw_eval(folder, *run_words(place), "--dtype", "half")
    assert done.returncode == 2
    assert "--dtype" in done.stderr


def test_listings_show_what_was_added(folder):
    assert "package: lbw-outside" in lbw_eval(folder, "judges").stdout
    added = json.loads(lbw_eval(folder, "doctor", "--json").stdout)["added"]
    assert {(each["kind"], each["name"], each["package"], each["problem"]) for each in added} >= {
        ("backend", "echo", "lbw-outside", ""),
        ("judge", "outside-judge", "lbw-outside", ""),
        ("writer", "parts", "lbw-outside", ""),
        ("metric", "Pace", "lbw-outside", ""),
        ("table format", "lines", "lbw-outside", ""),
        ("export", "names", "lbw-outside", ""),
    }


@pytest.fixture(scope="module")
def longer(folder, tmp_path_factory):
    """A run of sentences that are twice as long."""
    path = tmp_path_factory.mktemp("longer")
    assert lbw_eval(folder, *run_words(path, count=2 * WORDS)).returncode == 0
    (found,) = (path / "results").glob("*/*/*/run.yaml")
    return found.parent


def test_the_metric_is_in_plots_and_report(folder, run, tmp_path):
    drawn = lbw_eval(folder, "plot", run, "--out", tmp_path / "plots")
    assert drawn.returncode == 0, drawn.stderr
    assert any("metric-Pace" in path.name for path in (tmp_path / "plots").rglob("*"))
    assert lbw_eval(folder, "report", run, "-o", tmp_path / "report.html").returncode == 0
    index = (tmp_path / "report.html").read_text().split('id="index">')[1].split("</script>")[0]
    assert [metric["name"] for metric in json.loads(index)["metrics"]] == ["Pace"]


@pytest.mark.parametrize("installed", [True, False])
def test_the_gate_closes_on_the_metric_also_without_its_package(folder, run, longer, tmp_path, installed):
    path = folder if installed else tmp_path
    gate = ("--metric", "Pace", "--json")
    rose = lbw_eval(path, "check", longer, "--baseline", run, *gate)
    assert rose.returncode == 3, rose.stderr
    assert lbw_eval(path, "check", run, "--baseline", longer, *gate).returncode == 0
    board = json.loads(
        lbw_eval(path, "leaderboard", run, longer, "--format", "json", "--sort", "Pace").stdout
    )
    (block,) = board["blocks"]
    assert block["ranked_by"] == "Pace"
    assert [each["summary"]["model"] for each in block["runs"]] == [f"words:{WORDS}", f"words:{2 * WORDS}"]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """What stands on the path: packages that cannot be used, and the one that can."""
    path = tmp_path_factory.mktemp("broken")
    install_outside(path)
    for package, backends in (("first", {"twice": "json:dumps", "vllm": "json:dumps"}),
                              ("second", {"twice": "json:loads", "raises": "lbw_raises:Backend",
                                          "text": "json:dumps"})):  # fmt: skip
        install(path, package, {"longbench_write.backends": backends}, {})
    judges = {"no-folder": "lbw_raises:PATH", "no-card": "lbw_no_card:PATH", "bad-card": "lbw_bad_card:PATH"}
    install(
        path,
        "third",
        {"longbench_write.judges": judges},
        {
            "lbw_raises.py": "raise RuntimeError('\\x1b[31mno licence')",
            "lbw_no_card.py": "PATH = 'no-card'",
            "lbw_bad_card.py": f"PATH = {str(path / 'bad-card')!r}",
            "bad-card/judge.yaml": "description: d\nmodel: m\nbackend: nowhere\n",
        },
    )
    install(path, "fourth", {"longbench_write.metrics": {"Rhyme": "json:dumps"}}, {})
    return path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--backend", "twice"], ["first and second"]),
        (["--backend", "raises"], ["package second", "RuntimeError"]),
        (["--backend", "text"], ["package second", "ModelBackend"]),
        (["--backend", "ecco"], ["did you mean 'echo'"]),
        (["--judge", "no-folder"], ["package third", "RuntimeError"]),
        (["--judge", "no-card"], ["package third", "judge.yaml"]),
        (["--judge", "bad-card"], ["bad-card", "unknown backend 'nowhere'"]),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_where_it_is_asked_for(broken, tmp_path, words, told):
    command = run_words(tmp_path)
    for option, value in zip(words[::2], words[1::2], strict=True):
        command[command.index(option) + 1] = value
    done = lbw_eval(broken, *command)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    for text in told:
        assert text in done.stderr
    assert not (tmp_path / "results").exists()


def test_the_rest_works_beside_broken_ones(broken, tmp_path):
    done = lbw_eval(broken, *run_words(tmp_path))
    assert done.returncode == 0, done.stderr
    (summary,) = (tmp_path / "results").glob("*/*/*/summary.json")
    assert set(json.loads(summary.read_text())["metrics"]) == {"Pace"}
    asked = lbw_eval(broken, "check", summary, "--baseline", summary, "--metric", "Rhyme")
    assert asked.returncode == 2
    assert "package fourth" in asked.stderr


def test_listings_name_the_broken_ones_and_show_the_rest(broken):
    shown = lbw_eval(broken, "judges")
    assert shown.returncode == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    for name in ("paper", "outside-judge", "no-folder", "no-card", "bad-card"):
        assert name in shown.stdout
    assert "RuntimeError" in shown.stdout
    added = json.loads(lbw_eval(broken, "doctor", "--json").stdout)["added"]
    found = {(each["kind"], each["name"]): each for each in added}
    assert found["backend", "echo"]["problem"] == ""
    assert found["backend", "twice"]["package"] == "first and second"
    assert "built in" in found["backend", "vllm"]["problem"]
    assert "RuntimeError" in found["backend", "raises"]["problem"]
