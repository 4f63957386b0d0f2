"""A metric that is added from outside is seen wherever the built-in ones are, without its package too."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from added_metrics import PACE, SENTENCES
from gate_samples import resealed
from samples import RUN_INFO, judged, predicted
from typer.testing import CliRunner

from longbench_write.cli.app import app
from longbench_write.compare.baseline import read_baseline
from longbench_write.compare.collection import blocks, collect
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.ranking import leaderboard
from longbench_write.errors import LbwError, UsageError
from longbench_write.exchange.exporting import joined_columns
from longbench_write.gate.config import build_gate
from longbench_write.gate.gate import Outcome, check
from longbench_write.leaderboards.formats import as_csv
from longbench_write.leaderboards.frame import leaderboard_frame
from longbench_write.leaderboards.published import published
from longbench_write.metrics import catalogue
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BUILT_IN, add_metric, all_metrics
from longbench_write.metrics.reserved import RESERVED
from longbench_write.plots import figures
from longbench_write.records import Judgement, Prediction
from longbench_write.runs.results import score_run
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import columns, scores_csv
from longbench_write.testing import assert_no_regression

LENGTHS = (100, 300, 700, 1500, 2500, 3500, 6000, 20000)


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(catalogue, "_added", {})
    add_metric(PACE)
    add_metric(SENTENCES)


def test_a_line_among_the_built_in_ones_is_enough(monkeypatch):
    monkeypatch.setattr(catalogue, "BUILT_IN", (*BUILT_IN, PACE))
    predictions, judgements = written(4, "m")
    summary, _ = summarise(RUN_INFO, predictions, judgements, owed=24, seconds=None, metrics=all_metrics())
    assert set(summary.metrics) == {PACE.name}


def uninstall() -> None:
    """The packages are not there any more."""
    catalogue._added.clear()


def written(sentences: int, model: str) -> tuple[list[Prediction], list[Judgement]]:
    """A run whose responses have about so many sentences, and all the words that were asked for."""
    predictions = [
        predicted(
            f"p-{number:02d}",
            length=length,
            response_length=length,
            response_length_unicode=length,
            length_rule="about",
            response="Rivers run on. " * (sentences * length // 100 + number % 3),
        )
        for number, length in enumerate(LENGTHS * 3)
    ]
    return predictions, [judged(record.id) for record in predictions]


def run_of(folder: Path, sentences: int, model: str = "m") -> Path:
    """A run folder."""
    predictions, judgements = written(sentences, model)
    info = {**vars(RUN_INFO), "model": model, "prompts": {"n": len(predictions), "sha256": "4" * 64}}
    manifest = {
        "model": model,
        "suite": {"name": "s", "version": "1", "sha256": "5" * 64},
        "writer": "direct",
        "prompts": info["prompts"],
        "owed": len(predictions),
        "backend": {"kind": "openai", "base_urls": []},
        "config": {"samples": 1, "temperature": 0.5, "max_tokens": 32768, "seed": 42},
        "judge": "j",
        "judges": {"j": {"config_sha256": "7" * 64, "card": {}}},
        "start": RUN_INFO.start,
        "seconds": 1.0,
    }
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text(json.dumps(manifest))
    for name, records in (("predictions", predictions), ("judgements", judgements)):
        text = "".join(json.dumps(record.to_json()) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text)
    score_run(folder)
    return folder


@pytest.fixture
def runs(installed, tmp_path):
    """A run of short sentences, and one of sentences that are twice as long."""
    return run_of(tmp_path / "runs" / "brisk", 10, "brisk"), run_of(tmp_path / "runs" / "slow", 5, "slow")


def lbw_eval(*arguments, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    found = 2 if isinstance(done.exception, UsageError) else done.exit_code
    assert found == code, done.output
    return done.stdout


def test_the_summary_holds_it_in_every_group_with_all_that_a_reader_needs(runs):
    values = json.loads((runs[0] / "summary.json").read_text())
    assert values["schema"] == 2
    found = values["metrics"]["Pace"]
    assert found["value"] == pytest.approx(9.8, abs=0.3)
    assert found["ci"][0] < found["value"] < found["ci"][1]
    assert (found["symbol"], found["range"]) == ("words/sentence", [0.0, 200.0])
    assert (found["higher_is_better"], found["needs_judge"]) == (False, False)
    assert values["metrics"]["Sentences"]["range"] is None
    groups = [*values["by_length"], *values["by_language"].values(), *values["by_type"].values()]
    assert all(set(group["metrics"]) == {"Pace", "Sentences"} for group in groups)


def test_it_is_the_last_column_of_scores_csv(runs):
    lines = list(csv.DictReader(io.StringIO((runs[0] / "scores.csv").read_text())))
    assert list(lines[0])[-2:] == ["Pace", "Sentences"]
    assert float(lines[0]["Pace"]) == 100 / float(lines[0]["Sentences"]) == 10.0
    (entry,) = collect([runs[0]]).entries
    uninstall()
    assert [row.values["Pace"] for row in entry.rows] == [float(line["Pace"]) for line in lines]


def test_tables_rank_by_it_the_lowest_first_without_its_package(runs):
    uninstall()
    entries = collect(runs).entries
    (ranking,) = leaderboard(entries, sort="Pace")
    assert [ranked.entry.summary.model for ranked in ranking.runs] == ["brisk", "slow"]
    assert [(ranked.best, ranked.worst) for ranked in ranking.runs] == [(1, 1), (2, 2)]
    (by_sentences,) = leaderboard(entries, sort="Sentences")
    assert by_sentences.runs[0].entry.summary.model == "brisk"
    with pytest.raises(UsageError, match="Pace"):
        leaderboard(entries, sort="Pase")


@pytest.mark.parametrize("form", ["table", "md", "latex", "html"])
def test_the_leaderboard_has_its_column(runs, form):
    uninstall()
    text = lbw_eval("leaderboard", runs[0].parent, "--format", form, "--sort", "Pace")
    assert "words/sentence" in text
    if form in ("html", "md"):
        assert "<b>sentences" not in text


def test_the_leaderboards_files_hold_it(runs):
    uninstall()
    (first, _) = csv.DictReader(io.StringIO(lbw_eval("leaderboard", runs[0].parent, "--format", "csv")))
    assert float(first["Pace_low"]) < float(first["Pace"]) < float(first["Pace_high"])
    assert float(first["length/[0,500)/Sentences"]) > 0
    board = json.loads(lbw_eval("leaderboard", runs[0].parent, "--format", "json"))
    assert board["blocks"][0]["runs"][0]["summary"]["metrics"]["Pace"]["unit"] == "words"


def test_it_has_a_figure(runs):
    uninstall()
    (block,) = blocks(collect(runs).entries)
    found = figures(block)
    assert {"metric-Pace", "metric-Sentences"} <= set(found)
    (axes,) = found["metric-Pace"].axes
    assert axes.get_ylim() == (0, 200)


def test_the_report_shows_it(runs, tmp_path):
    uninstall()
    page = tmp_path / "report.html"
    lbw_eval("report", runs[0].parent, "-o", page)
    text = page.read_text()
    index = json.loads(text.split('id="index">')[1].split("</script>")[0])
    assert [metric["name"] for metric in index["metrics"]] == ["Pace", "Sentences"]
    assert index["samples"][0]["metrics"] == {"Pace": 10.0, "Sentences": 10.0}
    assert 'alt="Metric Pace: ' in text
    assert "<b>sentences" not in text


def test_the_gate_closes_where_it_rises(runs):
    uninstall()
    brisk, slow = map(load_scores, runs)
    settings = build_gate({"metrics": ["Pace"]}, brisk.metrics)
    worse, better = check(brisk, slow, settings.rule), check(slow, brisk, settings.rule)
    (finding,) = worse.findings
    assert finding.outcome is Outcome.REGRESSED
    assert finding.allowed == 2.0
    assert (finding.difference.wins, finding.difference.losses) == (0, 24)
    assert finding.fell_in
    assert better.exit_code == 0
    lbw_eval("check", runs[1], "--baseline", runs[0], "--metric", "Pace", code=3)
    lbw_eval("check", runs[1], "--baseline", runs[0], "--metric", "Pace", "--max-drop", "Pace=50")
    lbw_eval("check", runs[0], "--baseline", runs[1], "--metric", "Pace", "--min", "Pace=15")
    lbw_eval("check", runs[1], "--baseline", runs[1], "--metric", "Pace", "--min", "Pace=15", code=3)
    with pytest.raises(AssertionError):
        assert_no_regression(runs[1], runs[0], metrics=["Pace[0,500)"])


def test_without_a_finite_range_it_is_shown_and_limited_but_not_gated(runs):
    lbw_eval("check", runs[1], "--baseline", runs[0], "--metric", "Sentences", code=2)
    lbw_eval("check", runs[1], "--baseline", runs[0], "--metric", "S_l", "--min", "Sentences=1")
    lbw_eval("check", runs[1], "--baseline", runs[0], "--metric", "S_l", "--min", "Sentences=1e6", code=3)
    found = json.loads(lbw_eval("compare", *runs, "--json"))["differences"]
    assert found["Sentences"]["difference"] < 0 < found["Pace"]["difference"]
    assert "Pace[0,500)" in found


@pytest.mark.parametrize("limit", ["Pace=201", "Sentences=nan", "Pace=-1"])
def test_a_limit_beyond_its_range_is_refused(runs, limit):
    lbw_eval("check", runs[1], "--baseline", runs[0], "--min", limit, code=2)


def test_a_baseline_is_checked_without_its_package(runs, tmp_path):
    path = tmp_path / "brisk.json"
    lbw_eval("baseline", runs[0], "-o", path)
    uninstall()
    values = json.loads(path.read_text())
    assert values["schema"] == 2
    assert values["metrics"]["Pace"]["higher_is_better"] is False
    assert read_baseline(path).responses == load_scores(runs[0]).responses
    lbw_eval("check", runs[1], "--baseline", path, "--metric", "Pace", code=3)
    lbw_eval("check", runs[0], "--baseline", path, "--metric", "Pace")


def test_a_bare_summary_is_checked_too(runs, tmp_path):
    path = tmp_path / "brisk.json"
    path.write_bytes((runs[0] / "summary.json").read_bytes())
    slower = run_of(tmp_path / "slower", 1, "slower")
    uninstall()
    lbw_eval("check", slower, "--baseline", path, "--metric", "Pace", code=3)


def test_exports_hold_it(runs):
    uninstall()
    (line, *_) = map(json.loads, lbw_eval("export", runs[0], "--to", "jsonl").splitlines())
    assert (line["Pace"], line["length_rule"], line["S_l_rule"]) == (10.0, "about", 100.0)
    (row, *_) = csv.DictReader(io.StringIO(lbw_eval("export", runs[0], "--to", "csv")))
    assert (row["Pace"], row["model"]) == ("10.0", "brisk")
    card = lbw_eval("export", runs[0], "--to", "model-card")
    assert "type: Pace" in card
    assert "| words/sentence |" in card
    assert "<b>" not in card.split("---\n", 2)[2]


def test_parquet_holds_it(runs, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    lbw_eval("export", runs[0], "--to", "parquet", "-o", tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names[-3:] == ["S_l_rule", "Pace", "Sentences"]
    assert str(table.schema.field("Pace").type) == "double"


def test_a_hostile_unit_in_a_baseline_stays_text(runs, tmp_path):
    hostile = "w\x1b[2J\n::error::x ##[error]y"
    lbw_eval("baseline", runs[0], "-o", tmp_path / "b.json")
    values = json.loads((tmp_path / "b.json").read_text())
    values["metrics"]["Pace"] |= {"unit": hostile, "symbol": hostile}
    (tmp_path / "b.json").write_text(json.dumps(resealed(values)))
    uninstall()
    options = ("--metric", "Pace", "--plot", tmp_path / "d.svg")
    shown = [lbw_eval("check", runs[1], "--baseline", tmp_path / "b.json", *options, code=3)]
    shown.append(lbw_eval("power", tmp_path / "b.json", "--metric", "Pace"))
    for text in shown:
        assert "Pace" in text
        assert not re.search(r"\x1b|^\s*::|##\[", text, re.MULTILINE)
    assert (tmp_path / "d.svg").stat().st_size > 0


def test_a_gate_is_planned_on_it(runs):
    uninstall()
    planned = json.loads(lbw_eval("power", *runs, "--metric", "Pace", "--json"))
    assert planned["variance"]["Pace"]["interaction"] is None
    assert planned["grid"][0]["detectable_drop"]["Pace"][0] > 0
    lbw_eval("power", *runs, "--metric", "Sentences", code=2)


def test_diagnostics_can_be_gated(runs):
    assert lbw_eval("check", runs[0], "--baseline", runs[1], "--metric", "S_l_rule")
    assert parse_metric("S_l_unicode[0,500)").metric.name == "S_l_unicode"


def test_one_that_raises_is_named_with_the_response():
    broken = Metric("Broken", "b", of=lambda response: 1 / 0)
    with pytest.raises(LbwError, match=r"Broken.*p-1.*ZeroDivisionError"):
        summarise(RUN_INFO, [predicted()], [], owed=1, seconds=None, metrics=(*BUILT_IN, broken))


@pytest.mark.parametrize("name", ["Language", "prompt", "seconds", "label"])
def test_one_that_is_called_like_a_column_is_refused_where_it_is_declared(name):
    with pytest.raises(ValueError, match=repr(name)):
        Metric(name, "l", of=lambda response: 1.0)


def test_the_names_that_no_metric_may_have_are_those_of_the_tables(runs):
    rankings = leaderboard(collect(runs).entries)
    summary = rankings[0].runs[0].entry.summary
    tables = {column.name for column in columns()} | set(joined_columns())
    tables |= set(next(csv.reader(io.StringIO(as_csv(rankings, published())))))
    tables |= {*leaderboard_frame(rankings).columns, *summary.frame().columns, *summary.frame().index.names}
    metrics = [metric.name for metric in (*BUILT_IN, PACE, SENTENCES)]
    of_metrics = {f"{name}{end}" for name in metrics for end in ("", "_low", "_high", "_least", "_most")}
    assert {name for name in tables - of_metrics if "/" not in name} - RESERVED == set()


def test_one_with_an_aggregate_of_its_own_has_no_interval():
    most = Metric("Most", "most", of=lambda r: 1.0, aggregate=lambda rows: float(len(rows)))
    summary, rows = summarise(
        RUN_INFO, [predicted("a"), predicted("b")], [], owed=2, seconds=None, metrics=(*BUILT_IN, most)
    )
    assert (summary.metrics["Most"]["value"], summary.metrics["Most"]["ci"]) == (2.0, None)
    assert scores_csv(rows, (*BUILT_IN, most)).splitlines()[0].endswith(",Most")


@pytest.mark.parametrize("change", [{"range": [1]}, {"range": [3, 3]}, {"needs_judge": 1}, {"symbol": None}])
def test_a_declaration_that_is_none_makes_the_summary_unreadable(runs, change):
    path = runs[0] / "summary.json"
    values = json.loads(path.read_text())
    values["metrics"]["Pace"] |= change
    path.write_text(json.dumps(values))
    with pytest.raises(LbwError, match=r"summary\.json"):
        Summary.read(path)
