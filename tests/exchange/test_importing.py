import json
import re

import pytest
import yaml
from other_harness_samples import TEXTS, answer, scores, text_suite, totals, write_lines, write_reference

from longbench_write.compare.collection import blocks, collect
from longbench_write.errors import UsageError
from longbench_write.exchange.importing import import_run
from longbench_write.metrics.length import length_score
from longbench_write.runs.results import score_run
from longbench_write.runs.store import load_run
from longbench_write.suites.suite import load_suite

ANSWERS = [answer(prompt, response) for prompt, response in TEXTS]
JUDGED = [line | {"scores": scores(5, 4, 3, 4, 5, 4)} for line in ANSWERS[:4]]


@pytest.fixture
def bring(tmp_path):
    """Imports files made of these lines, as the reference scripts' unless another harness is named."""
    suite = text_suite(tmp_path)

    def bring(answers=ANSWERS, judged=None, harness="reference", name="m", end=None, **options):
        folder = write_reference(tmp_path / "models" / name, answers, judged, end=end)
        return import_run(folder, harness, out=tmp_path / "out", **{"suite": str(suite)} | options)

    return bring


def test_predictions_become_a_run_that_can_be_scored_anew(bring):
    done = bring()
    summary = done.summary
    assert done.notes == []
    assert (summary.model, summary.suite, summary.judge) == ("m", "texts", None)
    expected = [length_score(100, line["response_length"]) for line in ANSWERS]
    assert summary.S_l == pytest.approx(sum(expected) / len(expected), abs=1e-12)
    assert summary.S_q is summary.seconds is None
    assert score_run(done.path) == summary


def test_judgements_come_with_their_responses_and_the_rest_is_not_judged(bring):
    done = bring(ANSWERS[:10], [JUDGED[2], JUDGED[0], JUDGED[3]])
    counts = done.summary.counts
    assert (counts["owed"], counts["generated"], counts["not_generated"]) == (16, 10, 6)
    assert (counts["judged"], counts["judge_failed"], counts["not_judged"]) == (3, 0, 7)
    assert done.summary.judge == "reference-judge"
    assert done.summary.S_q == pytest.approx((100 + 75 + 50 + 75 + 100 + 75) / 6)
    run = load_run(done.path)
    assert [j.id for j in run.judgements] == ["texts-1", "texts-3", "texts-4"]
    assert {j.analysis for j in run.judgements} == {"Clear."}
    assert [p.id for p in run.predictions] == [f"texts-{number}" for number in range(1, 11)]
    assert done.summary.judge_note


@pytest.mark.parametrize("wrong", ["4/5", 9, 4.5, None, {"score": 4}, float("nan")], ids=str)
def test_scores_that_are_no_scores_are_failed_judgements(bring, wrong):
    bad = JUDGED[1] | {"scores": JUDGED[1]["scores"] | {"Clarity": wrong}}
    done = bring(ANSWERS, [JUDGED[0], bad], end=totals(JUDGED))
    assert (done.summary.counts["judged"], done.summary.counts["judge_failed"]) == (1, 1)
    assert done.summary.judge_failures == {"invalid_reply": 1}
    assert any(re.match(r"1\b.*\b1 to 5\b", note) for note in done.notes)


def test_the_writer_may_be_named_and_is_another_run(bring):
    direct, planned = bring(), bring(writer="agentwrite")
    assert (direct.summary.writer, planned.summary.writer) == ("direct", "agentwrite")
    assert direct.path != planned.path
    assert load_run(planned.path).manifest["writer"] == "agentwrite"


def test_a_judge_may_be_named(bring):
    done = bring(ANSWERS, JUDGED, judge_label="gpt-4o-2024-05-13")
    assert done.summary.judge == "gpt-4o-2024-05-13"
    with pytest.raises(UsageError, match="--judge-label"):
        bring(name="n", judge_label="gpt-4o-2024-05-13")


def test_what_nobody_recorded_is_null(bring):
    done = bring(ANSWERS, JUDGED)
    manifest = yaml.safe_load((done.path / "run.yaml").read_text())
    assert manifest["backend"] == {"kind": "imported", "base_urls": []}
    assert manifest["config"] == {"samples": 1, "temperature": None, "max_tokens": None, "seed": None}
    assert manifest["seconds"] is manifest["end"] is None
    assert manifest["note"] == ""
    about = manifest["import"]
    assert about["from"] == "reference"
    assert [len(digest) for digest in about["files"].values()] == [64, 64]
    assert about["pairing"] == {"checked": 16, "suspicious": []}
    assert about["reported"]["S_q"] == pytest.approx(done.summary.S_q)
    assert manifest["versions"]["longbench-write"]
    line = json.loads((done.path / "predictions.jsonl").read_text().splitlines()[0])
    unknown = ("finish_reason", "max_tokens_effective", "usage", "seconds", "error")
    assert {line[name] for name in unknown} == {None}


def test_the_same_files_again_change_nothing_and_others_make_another_run(bring):
    first = bring(ANSWERS, JUDGED)
    before = {path.name: path.read_bytes() for path in first.path.iterdir()}
    again = bring(ANSWERS, JUDGED)
    assert again.path == first.path
    assert again.summary == first.summary
    assert str(first.path) in again.notes[-1]
    assert {path.name: path.read_bytes() for path in first.path.iterdir()} == before
    assert bring(ANSWERS[1:], JUDGED[1:]).path != first.path


def test_an_import_that_was_cut_off_is_finished(bring):
    done = bring(ANSWERS, JUDGED)
    (done.path / "run.yaml").unlink()
    lines = (done.path / "predictions.jsonl").read_bytes().splitlines(keepends=True)
    (done.path / "predictions.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:40])
    assert bring(ANSWERS, JUDGED).summary.counts == done.summary.counts


def test_mispaired_responses_are_warned_of_and_the_warning_stays(bring):
    mixed = [answer(prompt, TEXTS[(place * 5 + 2) % 16][1]) for place, (prompt, _) in enumerate(TEXTS)]
    done = bring(mixed, harness="evalscope")
    assert done.notes[0].startswith("WARNING: ")
    manifest = yaml.safe_load((done.path / "run.yaml").read_text())
    suspicious = manifest["import"]["pairing"]["suspicious"]
    assert len(suspicious) >= 12
    assert f"{len(suspicious)} of 16 responses" in manifest["note"]
    assert bring(mixed, harness="evalscope").notes[0] == manifest["note"]
    assert bring(mixed).notes[0].startswith("WARNING: ")


def test_unknown_prompts_are_named(bring):
    with pytest.raises(UsageError, match=r"pred\.jsonl:2: .*'Describe a yurt\.'"):
        bring([ANSWERS[0], answer("Describe a yurt.", "It is round.")])
    with pytest.raises(UsageError, match=r"pred\.jsonl:1: .*200.*100"):
        bring([answer(*TEXTS[0], 200)])


def test_files_of_the_english_half_suggest_its_suite(bring):
    english = load_suite("longbench-write-en")
    answers = [answer(prompt.prompt, "Rivers run.", prompt.length) for prompt in english.prompts]
    done = bring(answers, suite="longbench-write")
    assert done.summary.counts["not_generated"] == 60
    (note,) = [each for each in done.notes if "--suite" in each]
    assert "--suite longbench-write-en" in note
    assert done.summary.note == ""
    assert not any("--suite" in note for note in bring(answers, name="n", suite="longbench-write-en").notes)
    with pytest.raises(UsageError, match=r"--suite longbench-write-en$"):
        bring(answers, suite="lbw-open")


def test_a_second_answer_is_named_unless_more_samples_are_said(bring):
    twice = [*ANSWERS, answer(TEXTS[3][0], "Bring a cake.")]
    with pytest.raises(UsageError, match=r"pred\.jsonl:17 .*pred\.jsonl:4"):
        bring(twice)
    done = bring(twice, samples=2)
    assert (done.summary.counts["owed"], done.summary.counts["generated"]) == (32, 17)
    assert [p.sample for p in load_run(done.path).predictions if p.id == "texts-4"] == [0, 1]


def test_one_text_at_two_lengths_is_two_prompts(bring, tmp_path):
    prompt, text = TEXTS[0]
    lines = [{"prompt": prompt, "type": "t", "length": length} for length in (100, 200)]
    suite = write_lines(tmp_path / "two.jsonl", lines)
    done = bring([answer(prompt, text, 200), answer(prompt, "Short.", 100)], suite=str(suite))
    assert [p.response for p in load_run(done.path).predictions] == ["Short.", text]


def test_a_judgement_of_another_response_is_refused(bring):
    with pytest.raises(UsageError, match=r"judge\.jsonl:1"):
        bring(ANSWERS, [JUDGED[0] | {"response": "Something else."}])


def test_a_response_that_was_judged_twice_has_two_repeats(bring):
    done = bring(ANSWERS, [JUDGED[0], JUDGED[0] | {"scores": scores(1, 2, 1, 2, 1, 2)}])
    assert sorted(j.repeat for j in load_run(done.path).judgements) == [0, 1]
    assert done.summary.dimensions["Relevance"] == 50
    assert [note[0] for note in done.notes] == ["1"]


def test_reasoning_is_no_part_of_the_response_and_wrong_counts_are_told(bring):
    prompt, text = TEXTS[0]
    done = bring([answer(prompt, f"<think>Let me see.</think>{text}"), ANSWERS[1] | {"response_length": 7}])
    first = next(iter(load_run(done.path).predictions))
    assert (first.response, first.reasoning, first.reasoning_words) == (text, "Let me see.", 3)
    assert [note[0] for note in done.notes] == ["1", "1"]


def test_figures_that_differ_from_the_reported_ones_are_told(bring, tmp_path):
    write_lines(tmp_path / "models" / "m" / "eval_length.jsonl", [{"score_l": 12.5, "scores": []}])
    assert bring(harness="evalscope").notes[-1].startswith("S_l ")


def test_wrong_words_are_one_sentence(bring, tmp_path):
    with pytest.raises(UsageError, match="'evalscope'"):
        bring(harness="evalscop")
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "models" / "m"))):
        bring([])
    path = write_lines(tmp_path / "some.jsonl", ANSWERS)
    with pytest.raises(UsageError, match="--model"):
        import_run(path, "reference", out=tmp_path, suite=str(tmp_path / "texts.jsonl"))


def test_imported_runs_stand_in_the_collection(bring, tmp_path):
    bring(ANSWERS, JUDGED)
    bring(ANSWERS, JUDGED[:3])
    found = collect([tmp_path / "out"])
    assert len(blocks(found.entries)) == 1
    assert len({entry.label for entry in found.entries}) == 2
    assert all("None" not in entry.label for entry in found.entries)


def test_an_import_that_was_cut_off_before_its_scores_is_scored(bring):
    done = bring(ANSWERS, JUDGED)
    (done.path / "summary.json").unlink()
    assert bring(ANSWERS, JUDGED).summary == done.summary
