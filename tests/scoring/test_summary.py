"""The files of schema 2: bounds, prompts without a length, unknown keys, and earlier and later schemas."""

from __future__ import annotations

import functools
import json
import operator
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.compare.baseline import baseline_text, read_baseline
from longbench_write.compare.collection import Entry
from longbench_write.compare.loading import load_scores
from longbench_write.compare.ranking import leaderboard
from longbench_write.errors import RunFolderError, UsageError
from longbench_write.exchange.model_card import model_card
from longbench_write.gate.gate import check
from longbench_write.leaderboards import formats
from longbench_write.leaderboards.layout import ranked_tables
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.runs.results import score_run
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.summary import SCHEMA, Summary
from longbench_write.scoring.table import read_rows, scores_csv

OLD = Path(__file__).parents[1] / "fixtures" / "v0_1_0"
EXAMPLE = Path(__file__).parents[2] / "results" / "example"


def summary_of(predictions, judgements=(), **changes):
    info = replace(RUN_INFO, **changes)
    return summarise(info, predictions, judgements, owed=len(predictions), seconds=None)


def test_a_failed_response_bounds_s_l():
    written = [predicted("a"), predicted("b", response_length=100)]
    summary, _ = summary_of([*written, failed("c"), failed("d", kind="timeout")])
    assert summary.S_l == pytest.approx((100 * (1 - (100 / 90 - 1) / 2) + 100) / 2)
    assert summary.S_l_bounds == [pytest.approx(summary.S_l / 2), pytest.approx(summary.S_l / 2 + 50)]
    assert summary.by_length[0]["S_l_bounds"] == summary.S_l_bounds
    assert summary_of(written)[0].S_l_bounds == [summary.S_l, summary.S_l]


def test_a_failed_sample_counts_within_its_prompt():
    summary, _ = summary_of([predicted("a", 0, response_length=100), failed("a", 1), predicted("b")])
    assert summary.S_l_bounds[1] - summary.S_l_bounds[0] == pytest.approx(25)


def test_where_everything_failed_anything_is_possible():
    summary, _ = summary_of([failed("a"), failed("b")])
    assert (summary.S_l, summary.S_l_bounds) == (None, [0.0, 100.0])
    assert summary_of([])[0].S_l_bounds is None


def test_a_prompt_without_a_length_has_quality_alone(tmp_path):
    predictions = [predicted("a"), predicted("b", length=None), failed("c")]
    predictions.append(replace(failed("d"), length=None))
    judgements = [judged("a", scores=(5,) * 6), judged("b", scores=(1,) * 6)]
    summary, rows = summary_of(predictions, judgements)
    assert summary.S_l == rows[0].values["S_l"]
    assert set(rows[1].values) & {"S_l", "S_l_unicode", "S_l_rule", "S_bar"} == set()
    assert (summary.S_q, summary.counts["generated"], summary.counts["judged"]) == (50.0, 2, 2)
    assert [group["n"] for group in summary.by_length] == [1]
    assert summary.S_l_bounds == [summary.S_l / 2, (summary.S_l + 100) / 2]
    (tmp_path / "scores.csv").write_text(scores_csv(rows))
    assert read_rows(tmp_path / "scores.csv") == rows


def test_a_suite_without_lengths_is_compared_and_gated_by_quality(tmp_path):
    predictions = [predicted(name, length=None) for name in "abcd"]
    judgements = [judged(name) for name in "abcd"]
    summary, rows = summary_of(predictions, judgements)
    assert (summary.S_l, summary.S_bar, summary.S_l_bounds, summary.by_length) == (None, None, None, [])
    low, high = summary.ci["S_q"]
    assert 0 < low < 75 < high < 100
    (tmp_path / "summary.json").write_text(summary.to_json())
    (tmp_path / "scores.csv").write_text(scores_csv(rows))
    scores = load_scores(tmp_path / "summary.json")
    verdict = check(scores, scores)
    assert [str(finding.metric) for finding in verdict.findings] == ["S_q"]
    assert verdict.exit_code == 0
    path = tmp_path / "kept.json"
    path.write_text(baseline_text(scores))
    assert read_baseline(path).responses == scores.responses


def test_what_is_not_known_yet_is_null():
    values = summary_of([predicted()])[0].to_dict()
    assert values["schema"] == SCHEMA == 2
    for name in (
        "weighted",
        "judges",
        "panel",
        "calibrated",
        "writer_config",
        "steps",
        "reach",
        "serving",
    ):
        assert values[name] is None
    assert values["ci_method"]
    assert values["ceilings"] == []
    assert values["metrics"] == {}


def test_a_summary_of_schema_1_is_read_and_written_as_schema_2(tmp_path):
    old = json.loads((OLD / "summary.json").read_text())
    assert old["schema"] == 1
    summary = Summary.read(OLD / "summary.json")
    assert (summary.S_l, summary.S_q, summary.ci) == (old["S_l"], old["S_q"], old["ci"])
    assert (summary.S_l_bounds, summary.others) == (None, ())
    run = shutil.copytree(EXAMPLE, tmp_path / "run")
    kept = json.loads((run / "summary.json").read_text())
    score_run(run)
    again = json.loads((run / "summary.json").read_text())
    assert again["schema"] == 2
    for name in ("S_bar", "S_l", "S_q", "S_q_bounds", "dimensions", "range_mean"):
        assert again[name] == kept[name]
    assert again["ci"].keys() >= kept["ci"].keys()
    assert kept["counts"].items() <= again["counts"].items()


def test_unknown_keys_are_written_back(tmp_path):
    run = shutil.copytree(EXAMPLE, tmp_path / "run")
    path = run / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"reviewed_by": ["an editor"]}))
    assert Summary.read(path).unknown == {"reviewed_by": ["an editor"]}
    score_run(run)
    assert json.loads(path.read_text())["reviewed_by"] == ["an editor"]


def places(value, place=()):
    """The places of all that a JSON value holds."""
    for key, held in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*place, key)
        if isinstance(held, dict | list):
            yield from places(held, (*place, key))


@pytest.mark.parametrize(
    "change",
    ["gone", "text", *(pytest.param(value, marks=pytest.mark.slow) for value in (None, [], {}, 1.5))],
    ids=str,
)
def test_a_damaged_summary_is_refused_or_shown(tmp_path, change):
    """Each value in turn is replaced or left out; whatever is read can be ranked, shown and exported."""
    summary, _ = summary_of([predicted("a"), predicted("b")], [judged("a"), judged("b")])
    whole = json.loads(summary.to_json())
    path = tmp_path / "summary.json"
    refused = 0
    for *outer, last in places(whole):
        values = json.loads(json.dumps(whole))
        holder = functools.reduce(operator.getitem, outer, values)
        if change == "gone":
            del holder[last]
        else:
            holder[last] = change
        path.write_text(json.dumps(values))
        try:
            summary = Summary.read(path)
        except RunFolderError:
            refused += 1
            continue
        rankings = leaderboard([Entry(tmp_path, summary, "m")])
        formats.markdown(ranked_tables(rankings, "length"))
        assert formats.as_csv(rankings)
        assert formats.as_json(rankings)
        assert "".join(model_card(summary))
        assert len(summary.frame())
    assert refused > 20


@pytest.mark.parametrize("where", [(), ("by_language", "en"), ("by_length", 0)])
def test_a_figure_that_is_null_alone_is_refused_and_those_that_are_together_are_dashes(tmp_path, where):
    path = tmp_path / "summary.json"

    def read(**changes):
        summary, _ = summary_of([predicted("a"), predicted("b")], [judged("a"), judged("b")])
        values = json.loads(summary.to_json())
        functools.reduce(operator.getitem, where, values).update(changes)
        path.write_text(json.dumps(values))
        return Summary.read(path)

    known = functools.reduce(operator.getitem, where, json.loads(read().to_json()))
    with pytest.raises(RunFolderError, match=r"dimensions\.Clarity"):
        read(dimensions=known["dimensions"] | {"Clarity": None})
    for name in ("S_bar", "S_l", "S_q"):
        with pytest.raises(RunFolderError, match="S_bar"):
            read(**{name: None})
    unknown = read(dimensions=dict.fromkeys(DIMENSIONS), S_q=None, S_bar=None)
    shown = formats.markdown(ranked_tables(leaderboard([Entry(tmp_path, unknown, "m")]), "dimension"))
    assert (r"| \- " in shown) == (where == ())


def test_a_torn_summary_is_made_anew(tmp_path):
    run = shutil.copytree(EXAMPLE, tmp_path / "run")
    (run / "summary.json").write_text('{"schema": 2, "S_')
    assert score_run(run) == Summary.read(run / "summary.json")


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, "2", True, None])
def test_a_schema_that_is_not_known_is_refused_with_both_numbers(tmp_path, schema):
    run = shutil.copytree(EXAMPLE, tmp_path / "run")
    path = run / "summary.json"
    text = json.dumps(json.loads(path.read_text()) | {"schema": schema})
    path.write_text(text)
    told = f"schema {schema}, .*schema {SCHEMA} "
    with pytest.raises(RunFolderError, match=told) as refused:
        Summary.read(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(RunFolderError, match="schema"):
        score_run(run)
    assert path.read_text() == text


def test_a_baseline_of_schema_1_gives_the_verdicts_that_it_gave():
    kept = read_baseline(OLD / "baseline.json")
    assert json.loads((OLD / "baseline.json").read_text())["schema"] == 1
    run = load_scores(next((OLD / "runs" / "all").glob("*/*/*")))
    for key, response in kept.responses.items():
        assert set(response.values) <= set(run.responses[key].values)
        assert response.values == {name: run.responses[key].values[name] for name in response.values}
    assert check(kept, run).exit_code == check(run, run).exit_code


def test_a_baseline_of_a_later_schema_is_refused_with_both_numbers(tmp_path):
    values = json.loads((OLD / "baseline.json").read_text()) | {"schema": 3}
    path = tmp_path / "later.json"
    path.write_text(json.dumps(values))
    with pytest.raises(UsageError, match=r"schema 3, .*schema 2 "):
        read_baseline(path)
