"""`lbw-eval writers`, and a run that asks no model, through the command line."""

import json

import pytest
from samples import write_suite
from servers.openai_server import OpenAIServer, writer
from servers.planning_server import WORDS, WRITTEN, PlanningServer
from typer.testing import CliRunner

from longbench_write.cli.app import app
from longbench_write.writers.cards import shipped_folders


def test_every_writer_is_listed_with_what_it_does():
    listed = CliRunner().invoke(app, ["writers"], env={"COLUMNS": "120"})
    assert listed.exit_code == 0
    for name in ("direct", *shipped_folders()):
        assert f" {name} " in listed.stdout


def test_the_null_writer_needs_no_model_and_no_server(tmp_path):
    suite = write_suite(tmp_path, lengths=(100, 700, 3000, 20000))
    words = [
        "--writer",
        "null",
        "--suite",
        str(suite),
        "--judge",
        "none",
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert (summary["S_l"], summary["writer"], summary["model"]) == (100.0, "null", "null")
    (path,) = (tmp_path / "out").glob("null/*/*/predictions.jsonl")
    assert [json.loads(line)["calls"] for line in path.read_text().splitlines()] == [0] * 4
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0


def test_the_table_says_how_far_plans_and_texts_reach(tmp_path):
    suite = tmp_path / "suite.jsonl"
    line = {"prompt": "Write about dams with $PLAN$ and $STEP$ in it.", "length": 200, "language": "en"}
    suite.write_text(json.dumps(line))
    with PlanningServer() as server:
        words = ["--model", "m", "--base-url", server.base_url, "--suite", str(suite), "--judge", "none"]
        done = CliRunner().invoke(app, [*words, "--writer", "agentwrite", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("plans:")]
    shares = (sum(WORDS) / 200, sum(WRITTEN) / sum(WORDS))
    assert all(f" {share:.0%} " in told for share in shares)


def dry(suite, out, *words):
    given = ["--suite", str(suite), "--out", str(out), "--judge", "none", "--dry-run", "--json", *words]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_dry_run_says_what_a_run_takes_and_asks_nobody(tmp_path):
    with OpenAIServer(writer(5)) as server:
        words = ["--model", "m", "--base-url", server.base_url, "--price", "input=1", "--price", "output=2"]
        direct = dry("lbw-open", tmp_path / "out", *words, "--samples", "2")
        planned = dry("lbw-open", tmp_path / "out", *words, "--writer", "agentwrite")
        assert (server.requests, server.listings) == ([], [])
    assert (direct["prompts"], direct["responses"], direct["longest_chain"]) == (120, 240, 1)
    asked = direct["roles"]["writer"]
    assert asked["requests"] == 240
    assert asked["cost"] == pytest.approx((asked["prompt_tokens"] + 2 * asked["completion_tokens"]) / 1e6)
    assert planned["roles"]["planner"]["requests"] == 120
    assert planned["longest_chain"] > 30
    assert planned["roles"]["writer"]["prompt_tokens"] > 10 * asked["prompt_tokens"]
    assert not (tmp_path / "out").exists()


def test_a_dry_run_of_the_null_writer_takes_nothing(tmp_path):
    assert dry("lbw-open", tmp_path, "--writer", "null")["roles"] == {}


def test_a_planner_of_its_own_is_counted_at_its_own_prices(tmp_path):
    words = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--writer", "agentwrite"]
    words += ["--planner-model", "p", "--planner-base-url", "http://127.0.0.1:9/v1"]
    for price in ("input=1", "output=1", "planner_input=10", "planner_output=10"):
        words += ["--price", price]
    for role, price in (("writer", 1), ("planner", 10)):
        asked = dry("lbw-open", tmp_path, *words)["roles"][role]
        tokens = asked["prompt_tokens"] + asked["completion_tokens"]
        assert asked["cost"] == pytest.approx(price * tokens / 1e6)
