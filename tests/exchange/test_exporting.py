import csv
import io
import json
import sys
from dataclasses import replace

import pytest
from other_harness_samples import TEXTS, text_suite
from samples import failed, judged, predicted

from longbench_write.errors import RunFolderError, UsageError
from longbench_write.exchange.exporting import (
    Scored,
    joined,
    joined_columns,
    jsonl,
    reference_judged,
    reference_predictions,
    scores_table,
    write_parquet,
)
from longbench_write.exchange.importing import import_run
from longbench_write.metrics.length import count_words
from longbench_write.runs.manifest import imported_manifest
from longbench_write.runs.results import score_run
from longbench_write.runs.store import RunWriter
from longbench_write.scoring.table import read_rows
from longbench_write.suites.suite import load_suite

UPSTREAM = ["prompt", "type", "length", "response_length", "response"]


@pytest.fixture
def suite(tmp_path):
    return text_suite(tmp_path)


def make_run(path, suite, *, model="m", judge="j", samples=1, responses=None):
    """A run with a failed generation, a failed judgement and a response that nobody judged."""
    suite = load_suite(suite)
    texts = responses or [text for _, text in TEXTS]
    with RunWriter(path, writing=True, judge=judge) as run:
        for number, (prompt, text) in enumerate(zip(suite.prompts, texts, strict=True)):
            for sample in range(samples):
                asked = {"prompt": prompt.prompt, "type": prompt.type, "length": prompt.length}
                if number == 3:
                    run.predictions.append(failed(prompt.id, sample))
                    continue
                said = {"response": text + " end" * sample, "response_length": count_words(text) + sample}
                run.predictions.append(predicted(prompt.id, sample, **asked | said))
                if number != 5:
                    marks = None if number == 7 else [1 + (number + sample + i) % 5 for i in range(6)]
                    run.judgements.append(
                        judged(prompt.id, sample, marks, judge=judge, analysis=f"A{number}")
                    )
        manifest = imported_manifest(model, suite, samples=samples, judge=judge, about={}, note="")
        run.write_manifest(manifest)
    score_run(path)
    return Scored.load(path)


@pytest.mark.parametrize("samples", [1, 2])
def test_what_goes_out_as_reference_files_comes_in_with_identical_scores(tmp_path, suite, samples):
    out = make_run(tmp_path / "run", suite, samples=samples)
    folder = tmp_path / "models" / "m"
    folder.mkdir(parents=True)
    (folder / "pred.jsonl").write_text("".join(reference_predictions(out)))
    (folder / "judge.jsonl").write_text("".join(reference_judged(out)))
    back = import_run(
        folder, "reference", out=tmp_path / "out", suite=str(suite), judge_label="j", samples=samples
    )
    for name in ("S_bar", "S_l", "S_q", "S_q_bounds", "dimensions", "range_mean"):
        assert getattr(back.summary, name) == getattr(out.summary, name), name
    for name in ("S_bar", "S_l", "S_q", "dimensions", "range_mean"):
        assert back.summary.ci[name] == out.summary.ci[name], name
    assert back.notes == []
    ours = {(row.id, row.sample): (row.values["S_l"], row.scores, row.values.get("S_q")) for row in out.rows}
    theirs = {
        (row.id, row.sample): (row.values["S_l"], row.scores, row.values.get("S_q"))
        for row in read_rows(back.path / "scores.csv")
    }
    assert ours == theirs


def test_reference_lines_have_the_scripts_fields_in_their_order(tmp_path, suite):
    scored = make_run(tmp_path / "run", suite)
    lines = [json.loads(line) for line in reference_predictions(scored)]
    assert len(lines) == 15
    assert all(list(line) == UPSTREAM for line in lines)
    *samples, totals = [json.loads(line) for line in reference_judged(scored)]
    assert len(samples) == 13
    assert all(list(line) == [*UPSTREAM, "scores"] for line in samples)
    assert next(iter(samples[0]["scores"])) == "Analysis"
    assert totals["total"] == pytest.approx(scored.summary.S_q)
    assert totals["Clarity"] == pytest.approx(scored.summary.dimensions["Clarity"])


def test_without_judgements_there_are_no_totals(tmp_path, suite):
    scored = make_run(tmp_path / "run", suite)
    nobody = Scored(scored.run, replace(scored.summary, judge=None))
    assert list(reference_judged(nobody)) == []


def test_the_joined_table_has_each_prediction_once_with_all_columns(tmp_path, suite):
    scored = make_run(tmp_path / "run", suite)
    rows = [json.loads(line) for line in jsonl(scored)]
    assert [list(row) for row in rows] == [list(joined_columns())] * 16
    by_id = {row["id"]: row for row in rows}
    good = by_id["texts-1"]
    assert (good["prompt"], good["response"]) == TEXTS[0]
    assert (good["model"], good["judge"], good["analysis"], good["empty"]) == ("m", "j", "A0", False)
    assert (good["Relevance"], good["completion_tokens"]) == (1, 120)
    row = next(row for row in scored.rows if row.id == "texts-1")
    assert (good["S_l"], good["S_q"]) == (row.values["S_l"], row.values["S_q"])
    lost = by_id["texts-4"]
    assert (lost["response"], lost["S_l"], lost["truncated"]) == (None, None, None)
    assert lost["error"] == "context_length: no room"
    assert (by_id["texts-6"]["S_q"], by_id["texts-6"]["judge_error"]) == (None, None)
    assert by_id["texts-8"]["judge_error"] == "invalid_reply: no JSON object"
    assert by_id["texts-8"]["judge_failed"]


def test_values_have_the_types_of_their_columns(tmp_path, suite):
    for row in joined(make_run(tmp_path / "run", suite)):
        for name, value in row.items():
            kinds = (float, int) if joined_columns()[name] is float else (joined_columns()[name],)
            assert value is None or type(value) in kinds, name


def test_the_csv_holds_the_scores_and_no_formulas(tmp_path, suite):
    scored = make_run(tmp_path / "run", suite, model='=1+1,"x"')
    lines = list(csv.DictReader(io.StringIO("".join(scores_table(scored)))))
    assert len(lines) == 15
    assert list(lines[0])[:6] == ["model", "writer", "suite", "judge", "id", "sample"]
    assert {line["model"] for line in lines} == {"'" + '=1+1,"x"'}
    assert [float(line["S_l"]) for line in lines] == [row.values["S_l"] for row in scored.rows]


def test_half_a_surrogate_pair_is_escaped(tmp_path, suite):
    texts = ["ok \ud800", *(text for _, text in TEXTS[1:])]
    scored = make_run(tmp_path / "run", suite, responses=texts)
    first = next(reference_predictions(scored))
    assert first.encode()
    assert json.loads(first)["response"] == "ok \ud800"


def test_parquet_keeps_types_whatever_the_run_holds(tmp_path, suite):
    parquet = pytest.importorskip("pyarrow.parquet")
    texts = ["ok \ud800", *(text for _, text in TEXTS[1:])]
    scored = make_run(tmp_path / "run", suite, responses=texts)
    file = io.BytesIO()
    write_parquet(scored, file)
    table = parquet.read_table(file)
    assert table.column_names == list(joined_columns())
    assert {str(table.schema.field(name).type) for name in ("S_q", "repeated_from", "seconds")} == {"double"}
    rows = table.to_pylist()
    assert [row["S_l"] for row in rows if row["S_l"] is not None] == [
        row.values["S_l"] for row in scored.rows
    ]
    assert rows[0]["response"] == "ok \\ud800"
    assert rows[1]["response"] == TEXTS[1][1]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, suite, monkeypatch):
    scored = make_run(tmp_path / "run", suite)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r'pip install "longbench-write\[parquet\]"'):
        write_parquet(scored, io.BytesIO())


def test_a_run_without_results_or_with_others_is_refused(tmp_path, suite):
    scored = make_run(tmp_path / "run", suite)
    table = tmp_path / "run" / "scores.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    with pytest.raises(RunFolderError, match="lbw-eval score"):
        list(jsonl(Scored.load(scored.run.path)))
    (tmp_path / "run" / "summary.json").unlink()
    with pytest.raises(UsageError, match="lbw-eval score"):
        Scored.load(tmp_path / "run")
