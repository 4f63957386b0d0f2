import csv
import io
import json
import random
from dataclasses import replace

import numpy as np
import pytest
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Prediction
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows, scores_csv


def summary_of(predictions, judgements=(), judge="j", owed=None):
    return summarise(
        replace(RUN_INFO, judge=judge),
        predictions,
        list(judgements),
        owed=len(predictions) if owed is None else owed,
        seconds=None,
    )[0]


def reference_length_score(x, y):
    return 100 * max(0, 1.0 - (y / x - 1) / 3) if y > x else 100 * max(0, 1.0 - (x / y - 1) / 2)


def test_both_scores_are_the_reference_aggregation_to_the_last_bit():
    rng = random.Random(5)
    predictions = [
        predicted(f"p-{n}", length=rng.choice([100, 700, 3000, 20000]), response_length=rng.randint(1, 30000))
        for n in range(120)
    ]
    judgements = [judged(p.id, scores=[rng.randint(1, 5) for _ in DIMENSIONS]) for p in predictions]
    summary = summary_of(predictions, judgements)
    assert summary.S_l == np.mean([reference_length_score(p.length, p.response_length) for p in predictions])
    totals = {}
    for name in DIMENSIONS:
        scores = [float(j.scores[name]) for j in judgements]
        totals[name] = ((sum(scores) / len(scores)) - 1) * 25
    assert summary.dimensions == totals
    assert summary.S_q == sum(totals.values()) / len(totals)
    assert summary.S_bar == (summary.S_l + summary.S_q) / 2


def test_failed_judgements_are_in_no_mean_and_bound_it():
    predictions = [predicted(name) for name in "abcd"]
    judgements = [judged("a", scores=[5] * 6), judged("b", scores=[3] * 6), judged("c", scores=None)]
    summary = summary_of(predictions, judgements)
    assert summary.S_q == 75.0
    assert summary.S_q_bounds == [37.5, 87.5]
    assert summary.judge_failures == {"invalid_reply": 1}
    counts = summary.counts
    assert (counts["judged"], counts["judge_failed"], counts["not_judged"]) == (2, 1, 1)


def test_a_dead_judge_gives_no_score():
    summary = summary_of([predicted("a"), predicted("b")], [judged(name, scores=None) for name in "ab"])
    assert summary.S_q is None
    assert summary.S_bar is None
    assert summary.S_q_bounds == [0.0, 100.0]
    assert summary.ci["S_q"] is None
    assert summary.ci["S_l"] is not None


def test_every_prompt_ends_in_one_state():
    predictions = [predicted("a"), failed("b"), failed("c", kind="timeout", final=False), predicted("d")]
    summary = summary_of(predictions, [judged("a")], owed=6)
    counts = summary.counts
    assert counts["owed"] == counts["generated"] + counts["generation_failed"] + counts["not_generated"] == 6
    assert counts["generated"] == counts["judged"] + counts["judge_failed"] + counts["not_judged"] == 2
    assert summary.failures == {"context_length": 1, "timeout": 1}


def test_an_empty_response_scores_zero_and_is_flagged():
    summary = summary_of([predicted(response="", response_length=0, response_length_unicode=0)])
    assert summary.S_l == 0.0
    assert summary.counts["empty"] == 1


def test_samples_are_averaged_within_the_prompt_first():
    predictions = [predicted("a", n, response_length=100) for n in range(3)]
    predictions.append(predicted("b", 0, response_length=0))
    assert summary_of(predictions).S_l == 50.0


def test_repeats_are_averaged_within_the_response():
    judgements = [
        judged(scores=[5] * 6, repeat=0),
        judged(scores=[2] * 6, repeat=1),
        judged(scores=None, repeat=2),
    ]
    summary = summary_of([predicted()], judgements)
    assert summary.S_q == 62.5
    assert summary.counts["judged"] == 1


def test_the_ranges_come_in_order_and_their_mean_needs_all_four():
    lengths = {"a": 20000, "b": 100, "c": 2500, "d": 600}
    predictions = [predicted(name, length=n, response_length=n) for name, n in lengths.items()]
    summary = summary_of(predictions, [judged(name) for name in lengths])
    assert [row["range"] for row in summary.by_length] == [
        "[0,500)",
        "[500,2000)",
        "[2000,4000)",
        "[4000,20000]",
    ]
    assert summary.range_mean == {"S_bar": 87.5, "S_l": 100.0, "S_q": 75.0}
    assert summary_of(predictions[:3]).range_mean == {"S_bar": None, "S_l": None, "S_q": None}


def test_a_group_has_the_keys_of_a_range():
    summary = summary_of([predicted("a"), predicted("b", language="zh", type="News Report")])
    keys = set(summary.by_length[0]) - {"range"}
    assert set(summary.by_language) == {"en", "zh"}
    assert all(set(group) == keys for group in [*summary.by_language.values(), *summary.by_type.values()])


def test_without_a_judge_there_is_no_quality():
    summary = summary_of([predicted("a"), predicted("b")], judge=None)
    assert (summary.S_q, summary.S_bar, summary.S_q_bounds) == (None, None, None)
    assert summary.counts["not_judged"] == 2


def test_nothing_at_all_is_null_not_zero():
    summary = summary_of([], owed=3)
    assert summary.S_l is None
    assert summary.counts["not_generated"] == 3
    assert json.loads(summary.to_json())["S_l"] is None


def test_tokens_are_summed_where_they_are_known():
    summary = summary_of([predicted("a"), predicted("b", usage=None)])
    assert summary.usage["model"] == {"completion_tokens": 120, "prompt_tokens": 5}


def test_the_summary_comes_back_from_its_file(tmp_path):
    summary = summary_of([predicted("a", type="中文")], [judged("a")])
    path = tmp_path / "summary.json"
    path.write_text(summary.to_json(), encoding="utf-8")
    assert Summary.read(path) == summary
    assert list(json.loads(path.read_text(encoding="utf-8")))[:3] == ["schema", "convention", "model"]


def test_the_order_of_arrival_does_not_matter_to_the_interval():
    predictions = [predicted(f"p-{n}", response_length=n) for n in range(40)]
    assert summary_of(predictions).ci == summary_of(list(predictions)).ci
    low, high = summary_of(predictions).ci["S_l"]
    assert low < summary_of(predictions).S_l < high


@pytest.mark.parametrize("scores", [(5, 4, 3, 2, 1, 5), None])
def test_a_line_of_scores_csv(scores, tmp_path):
    _, rows = summarise(
        RUN_INFO,
        [predicted(finish_reason="length")],
        [judged(scores=scores)],
        owed=1,
        seconds=None,
    )
    (tmp_path / "scores.csv").write_text(scores_csv(rows))
    assert read_rows(tmp_path / "scores.csv") == rows
    (line,) = csv.DictReader(io.StringIO(scores_csv(rows)))
    assert [line[name] for name in DIMENSIONS] == ([f"{n}.0" for n in scores] if scores else [""] * 6)
    assert float(line["S_q"]) == pytest.approx(58.3333333) if scores else line["S_q"] == ""
    assert (line["truncated"], line["empty"], line["repetitive"]) == ("1", "0", "1")


def test_a_scores_csv_of_before_a_flag_is_read_without_it(tmp_path):
    _, rows = summarise(RUN_INFO, [predicted("a"), predicted("b")], [], owed=2, seconds=None)
    lines = list(csv.DictReader(io.StringIO(scores_csv(rows))))
    for line in lines:
        del line["declined_length"]
    with (tmp_path / "scores.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    assert read_rows(tmp_path / "scores.csv") == rows


def test_the_rule_aware_score_stands_beside_s_l(tmp_path):
    predictions = [
        predicted("a", length=100, response_length=400, length_rule="at_least"),
        predicted("b", length=100, response_length=50, length_rule="at_most"),
        predicted("c", length=100, response_length=90, length_rule="range", length_bounds=[80, 120]),
        predicted("d", length=100, response_length=250, length_rule="about"),
    ]
    summary, rows = summarise(RUN_INFO, predictions, [], owed=4, seconds=None)
    assert summary.S_l == pytest.approx((0 + 50 + 100 * (1 - (100 / 90 - 1) / 2) + 50) / 4)
    assert summary.S_l_rule == summary.by_length[0]["S_l_rule"] == (100 + 100 + 100 + 50) / 4
    (tmp_path / "scores.csv").write_text(scores_csv(rows))
    assert read_rows(tmp_path / "scores.csv") == rows
    assert [Prediction.from_json(json.loads(json.dumps(p.to_json()))) for p in predictions] == predictions


def test_there_is_no_rule_aware_score_unless_every_rule_is_known():
    predictions = [predicted("a", length_rule="about"), predicted("b", type="News Report")]
    summary = summary_of(predictions)
    assert summary.S_l_rule is None
    assert summary.by_type["News Report"]["S_l_rule"] is None
    assert summary.by_type["Popular Science"]["S_l_rule"] is not None
    assert summary_of([]).S_l_rule is None
