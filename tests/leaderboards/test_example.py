"""The committed example is a run that the current code reads, scores the same, and that names no machine."""

import json
import re
import shutil
from pathlib import Path

from longbench_write.compare.collection import collect
from longbench_write.compare.ranking import leaderboard
from longbench_write.leaderboards.layout import ranked_tables
from longbench_write.runs.results import score_run
from longbench_write.suites.suite import load_suite

EXAMPLE = Path(__file__).parents[2] / "results" / "example"


def test_the_example_is_read_and_shown():
    (entry,) = collect([EXAMPLE]).entries
    assert entry.summary.suite == "lbw-example"
    assert entry.summary.counts["owed"] == entry.summary.counts["generated"] == len(entry.rows) == 12
    (table,) = ranked_tables(leaderboard([entry]), "length")
    assert any("says nothing" in note or entry.summary.judge_note in note for note in table.notes)


def test_the_example_is_about_the_prompts_beside_it():
    suite = load_suite(EXAMPLE / "lbw-example.jsonl")
    (entry,) = collect([EXAMPLE]).entries
    assert entry.summary.suite_sha256 == suite.sha256
    lines = (EXAMPLE / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["prompt"] for line in lines] == [prompt.prompt for prompt in suite.prompts]


def test_the_example_scores_the_same_today(tmp_path):
    kept = collect([EXAMPLE]).entries[0].summary
    again = score_run(shutil.copytree(EXAMPLE, tmp_path / "run"))
    assert (again.S_bar, again.S_l, again.S_q, again.ci) == (kept.S_bar, kept.S_l, kept.S_q, kept.ci)
    assert kept.counts.items() <= again.counts.items()


def test_the_example_is_small_and_names_no_machine():
    files = [path for path in EXAMPLE.iterdir() if path.suffix in (".json", ".jsonl", ".yaml", ".csv")]
    assert len(files) == 6
    assert sum(path.stat().st_size for path in files) < 200_000
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|work|tmp|Users|opt|var)/", text), path
