"""What the page lists, and the texts that belong to it."""

from __future__ import annotations

import json
from dataclasses import replace

from report_runs import entries, put_run, small_run, written
from samples import failed, judged, predicted

from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.reports.samples import Index, names, well_formed


def filled(*places):
    index = Index(entries(*places))
    return index, dict(index.fill())


def test_every_sample_says_how_it_ended(tmp_path):
    run = put_run(
        tmp_path / "r",
        [predicted("a"), predicted("b"), predicted("c"), failed("d")],
        [judged("a"), judged("b", scores=None)],
    )
    index, _ = filled(run)
    assert [(sample["id"], sample["state"]) for sample in index.samples] == [
        ("a", "scored"),
        ("b", "judge_failed"),
        ("c", "not_judged"),
        ("d", "failed"),
    ]
    assert index.samples[3]["error"] == {"type": "context_length", "message": "no room"}
    assert index.samples[3]["S_l"] is None


def test_the_numbers_are_those_of_scores_csv(tmp_path):
    run = put_run(
        tmp_path / "r",
        [written("a", response="one two " * 45, length=100, finish_reason="length", reasoning_words=7)],
        [judged("a", scores=(1, 2, 3, 4, 5, 5))],
    )
    index, _ = filled(run)
    (sample,) = index.samples
    (row,) = entries(run)[0].rows
    assert (sample["required"], sample["written"], sample["written_unicode"]) == (100, 90, 90)
    assert (sample["S_l"], sample["S_q"]) == (row.values["S_l"], row.values["S_q"])
    assert sample["dimensions"] == [1, 2, 3, 4, 5, 5]
    assert sample["flags"] == ["truncated", "repetitive"]
    assert sample["repeated_from"] == row.repetition.start
    assert sample["reasoning_words"] == 7
    assert sample["range"] == "[0,500)"


def test_texts_hold_the_response_and_every_judgement_the_scoring_judges_first(tmp_path):
    run = put_run(
        tmp_path / "r",
        [predicted("a", response="Text.", reasoning="Thought.")],
        [
            judged("a", judge="a-other", analysis="theirs"),
            judged("a", judge="j", repeat=1, analysis="second"),
            judged("a", judge="j", repeat=0, analysis="first"),
        ],
        judge="j",
    )
    _, texts = filled(run)
    assert (texts[0]["response"], texts[0]["reasoning"]) == ("Text.", "Thought.")
    assert [judgement["analysis"] for judgement in texts[0]["judgements"]] == ["first", "second", "theirs"]
    assert texts[0]["judgements"][0]["scores"] == dict.fromkeys(DIMENSIONS, 4)


def test_chapters_count_unrounded(tmp_path):
    chapters = [
        {"words": 300, "scores": dict.fromkeys(DIMENSIONS, 4), "analysis": "One."},
        {"words": 100, "scores": dict.fromkeys(DIMENSIONS, 3), "analysis": "Two."},
    ]
    run = put_run(tmp_path / "r", [predicted("a")], [judged("a", chapters=chapters)])
    _, texts = filled(run)
    assert texts[0]["judgements"][0]["chapters"] == chapters
    assert texts[0]["judgements"][0]["values"] == dict.fromkeys(DIMENSIONS, 3.75)


def test_how_the_length_was_asked_for_is_kept(tmp_path):
    rule = {"length": 100, "length_rule": "range", "length_bounds": [80, 120]}
    run = put_run(tmp_path / "r", [written("a", response="word " * 81, **rule)])
    index, _ = filled(run)
    (sample,) = index.samples
    assert (sample["length_rule"], sample["length_bounds"], sample["S_l_rule"]) == ("range", [80, 120], 100.0)


def test_a_prompt_is_kept_once_for_all_runs(tmp_path):
    for name in ("1", "2"):
        put_run(tmp_path / name, [predicted("a", prompt="One."), predicted("b", prompt="Two.")], model=name)
    index, _ = filled(tmp_path)
    assert index.to_json()["prompts"] == ["One.", "Two."]
    assert [sample["prompt"] for sample in index.samples] == [0, 1, 0, 1]
    assert [sample["run"] for sample in index.samples] == [0, 0, 1, 1]


def test_a_run_of_which_only_results_were_kept_is_listed_without_texts(tmp_path):
    run = small_run(tmp_path / "r")
    for name in ("run.yaml", "predictions.jsonl", "judgements.jsonl"):
        (run / name).unlink()
    index, texts = filled(run)
    assert [(sample["id"], sample["texts"], sample["prompt"]) for sample in index.samples] == [
        ("p-1", False, None)
    ]
    assert texts == {}


def test_responses_that_came_after_the_scores_are_shown_as_such(tmp_path):
    run = small_run(tmp_path / "r")
    with (run / "predictions.jsonl").open("a") as file:
        file.write(json.dumps(predicted("p-2").to_json()) + "\n")
    index, texts = filled(run)
    assert [sample["state"] for sample in index.samples] == ["scored", "not_scored"]
    assert texts[1]["response"] == predicted().response


def test_suites_of_one_name_and_different_files_are_two(tmp_path):
    one, two = small_run(tmp_path / "1"), small_run(tmp_path / "2")
    first, second = entries(one) + entries(two)
    other = replace(second, summary=replace(second.summary, suite_sha256="9" * 64))
    told = Index([first, other]).to_json()
    assert told["suites"] == ["s", "s"]
    assert [run["suite"] for run in told["runs"]] == [0, 1]


def test_no_two_runs_have_one_name(tmp_path):
    for place in ("1/x", "2/x"):
        small_run(tmp_path / place, judge="j")
    small_run(tmp_path / "3/x", suite="t")
    judged_by_other = put_run(
        tmp_path / "4/x", [written("p-1", response="Rivers run.")], [judged("p-1", judge="k")]
    )
    found = entries(tmp_path / "3", tmp_path / "1") + entries(tmp_path / "2") + entries(judged_by_other)
    assert len({entry.label for entry in found}) == 1
    assert names(found) == ["m · t", "m · s · j · run 2", "m · s · j · run 3", "m · s · k"]


def test_what_no_page_can_hold_is_replaced():
    assert well_formed("a\ud800b\0c\U0001f600") == "a\ufffdb\ufffdc\U0001f600"
