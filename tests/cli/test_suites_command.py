"""`lbw-eval suites` and `suites check`, and a run on our own suite with nothing cached and no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from servers.openai_server import OpenAIServer, writer
from typer.testing import CliRunner

from longbench_write.assets import assets
from longbench_write.cli.app import app
from longbench_write.errors import UsageError
from longbench_write.files.resources import data_root
from longbench_write.scoring.summary import Summary
from longbench_write.suites.suite import load_card, suite_names

COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """Nothing is here, and nothing can be fetched."""
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LBW_ASSETS", raising=False)
    monkeypatch.setattr(assets, "fetch", lambda name, progress=None: pytest.fail(f"{name} was fetched"))


def suites(*words):
    return CliRunner().invoke(app, ["suites", *words])


def broken(tmp_path):
    lines = (data_root("benchmark_data") / "lbw-open.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    rows[6]["length"] += 1
    rows[7]["prompt"] = rows[9]["prompt"]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path, rows


def languages(card):
    return "/".join(str(card.languages.get(language, 0)) for language in ("en", "zh"))


def test_the_list(empty_cache):
    shown = suites().stdout
    for name in suite_names():
        card = load_card(name)
        line = next(line for line in shown.splitlines() if line.startswith(f"{name} "))
        spread = "/".join(map(str, card.ranges)), "-".join(map(str, card.lengths))
        assert line.split()[:4] == [name, card.version, str(card.prompts), languages(card)]
        assert line.split()[4:6] == list(spread)
    assert "shipped" in shown


@pytest.mark.parametrize(("name", "mirrors"), [("lbw-open", True), ("lbw-open@1.0", False)])
def test_our_own_suite_passes_with_all_checks_on(name, mirrors):
    done = suites("check", name)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"lbw-open {load_card(name).version}: 120 ")
    assert "overlap" in done.stdout
    assert ("mirrors" in done.stdout) is mirrors
    assert done.stderr == ""


def test_without_the_official_files_overlap_and_mirrors_are_skipped_and_said_so(empty_cache):
    done = suites("check", "lbw-open", "--offline")
    assert done.exit_code == 0
    assert done.stderr.startswith("overlap and mirrors: ")
    assert "overlap" not in done.stdout
    assert "mirrors" not in done.stdout


def test_a_prompt_that_is_no_mirror_is_named(tmp_path):
    lines = (data_root("benchmark_data") / "lbw-open.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    rows[0]["mirrors"], rows[2]["prompt"] = "lbw-2", f"Please, {rows[2]['prompt']}, and mind the commas."
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = suites("check", str(path))
    assert done.exit_code == 1
    assert {line.split(": ")[0] for line in done.stdout.splitlines()} == {"mirrors"}
    assert f"mirrors: {rows[0]['id']}: " in done.stdout
    assert f"mirrors: {rows[2]['id']}: " in done.stdout
    assert suites("check", str(path), "--skip", "mirrors").exit_code == 0


def test_each_fault_is_named(empty_cache, tmp_path):
    path, rows = broken(tmp_path)
    done = suites("check", str(path), "--offline")
    assert done.exit_code == 1
    assert f"length: {rows[6]['id']}: " in done.stdout
    assert f"duplicates: {rows[7]['id']} and {rows[9]['id']}: " in done.stdout
    assert f"language: {rows[7]['id']}: " in done.stdout
    assert "distribution: " in done.stdout
    checks = ("length", "duplicates", "language", "distribution")
    done = suites("check", str(path), "--offline", *(word for name in checks for word in ("--skip", name)))
    assert done.exit_code == 0


def test_official_prompts_are_not_held_against_themselves():
    done = suites("check", "longbench-write-en", "--skip", "distribution", "--skip", "length")
    assert done.stderr.startswith("overlap: ")
    assert "overlap" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lbw-opne"], "'lbw-open'"),
        (["lbw-open", "--skip", "overlaps"], "'overlap'"),
        (["nowhere/mine.jsonl"], "nowhere/mine.jsonl"),
    ],
)
def test_wrong_usage(words, said):
    error = suites("check", *words).exception
    assert isinstance(error, UsageError)
    assert said in str(error)


def test_a_run_needs_no_network_and_no_cache(tmp_path):
    hidden = {name: value for name, value in os.environ.items() if name != "LBW_ASSETS"}
    nowhere = {
        "LBW_CACHE": str(tmp_path / "cache"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    with OpenAIServer(writer(300)) as model:
        words = ["--model", "m", "--suite", "lbw-open", "--backend", "openai", "--base-url", model.base_url]
        done = subprocess.run(
            [*COMMAND, *words, "--judge", "none", "--limit", "12", "--out", str(tmp_path / "out")],
            capture_output=True,
            text=True,
            timeout=120,
            env=hidden | nowhere,
        )
        assert len(model.requests) == 12
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "cache").exists()
    (path,) = (tmp_path / "out").glob("m/lbw-open/*/summary.json")
    summary = Summary.read(path)
    assert (summary.suite, summary.suite_version) == ("lbw-open", load_card("lbw-open").version)
    assert summary.S_l is not None
    assert summary.S_l_rule is not None
    assert summary.S_l_rule >= summary.S_l
    assert all(group["S_l_rule"] is not None for group in summary.by_length)
    lines = [json.loads(line) for line in (path.parent / "predictions.jsonl").read_text().splitlines()]
    assert all(line["length_rule"] for line in lines)
