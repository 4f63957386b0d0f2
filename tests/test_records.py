import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import PREDICTION, failed, judged, predicted

from longbench_write.errors import RunFolderError
from longbench_write.files.jsonl import Records
from longbench_write.metrics.quality import DIMENSIONS, SIX
from longbench_write.records import Judgement, Prediction, Step

PART = {"words": 3, "scores": dict.fromkeys(DIMENSIONS, 4), "analysis": "Well made."}
IN_CHAPTERS = judged("b", chapters=[PART, PART | {"words": 7}], raw="{...}", analysis="Well made.")
UNREADABLE = judged("c", scores=None, raw="Well...")
STEP = Step("a", 0, "write-1", 0, "5" * 64, "writer", "Rivers.", "", "stop", {"prompt_tokens": 1}, 0.5, 1)
PUT_OFF = replace(STEP, preemptions=2)
RECORDS = [predicted("a"), failed("b"), judged("a"), IN_CHAPTERS, UNREADABLE, STEP, PUT_OFF]

FIRST = (
    *("prompt", "type", "length", "response_length", "response", "id", "language", "sample"),
    *("response_length_unicode", "reasoning", "finish_reason", "max_tokens_effective", "usage", "seconds"),
    *("error", "attempts", "reasoning_words", "length_rule", "length_bounds"),
)
"""The keys of a prediction of 0.1.0."""
FIRST_JUDGED = (
    *("id", "sample", "judge", "repeat", "scores", "analysis", "raw", "error", "usage", "seconds", "tries"),
    *("chapters", "retries"),
)


def read(record, line):
    return type(record).from_json(json.loads(json.dumps(line)))


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_comes_back_from_its_line(record):
    assert read(record, record.to_json()) == record


def test_a_line_has_the_keys_of_0_1_0_in_their_order_and_later_ones_only_where_they_say_something():
    assert tuple(PREDICTION.to_json()) == FIRST
    assert tuple(judged().to_json()) == FIRST_JUDGED
    assert tuple(predicted(model_served="m").to_json()) == (*FIRST, "model_served")
    known = ("calls", "model_served", "steps", "planned_words")
    assert tuple(predicted(calls=2, model_served="m").to_json()) == (*FIRST, *known)
    assert tuple(judged(segment=0).to_json()) == (*FIRST_JUDGED, "segment")


@pytest.mark.parametrize("record", RECORDS)
def test_keys_that_are_not_known_are_kept_and_written_back(record):
    line = record.to_json() | {"from_2030": {"a": [1]}, "unknown": 7}
    again = read(record, line)
    assert again.unknown == {"from_2030": {"a": [1]}, "unknown": 7}
    assert again.to_json() == line
    assert replace(again, sample=3).to_json() == line | {"sample": 3}


@pytest.mark.parametrize("record", [failed(), judged(scores=None)])
def test_a_failures_keys_that_are_not_known_are_kept_and_written_back(record):
    line = record.to_json()
    line["error"] |= {"since": {"a": [1]}, "unknown": 7}
    again = read(record, line)
    assert (again.error.type, again.error.unknown) == (record.error.type, {"since": {"a": [1]}, "unknown": 7})
    assert again.to_json() == line
    assert hash(again.error) == hash(record.error)


def test_a_prompt_without_a_required_length_can_be_recorded():
    assert read(PREDICTION, PREDICTION.to_json() | {"length": None}).length is None


@pytest.mark.parametrize(
    "changes",
    [
        *({"length": 0}, {"length": "100"}, {"length": True}, {"response": None}, {"response_length": -1}),
        *({"attempts": 0}, {"sample": -1}, {"usage": {"prompt_tokens": "1"}}, {"usage": []}),
        *({"usage": {"prompt_tokens": -1}}, {"usage": {"prompt_tokens": 1.0}}, {"usage": {"a": True}}),
        *({"error": {}}, {"error": "timeout"}, {"error": {"type": "a", "message": "b", "final": 1}}),
        *({"calls": -1}, {"requests": [1]}, {"length_bounds": ["1", "2"]}, {"model_served": 5}),
    ],
)
def test_a_response_that_cannot_be_is_no_record(changes):
    with pytest.raises(ValueError, match=r"."):
        Prediction.from_json(PREDICTION.to_json() | changes)


@pytest.mark.parametrize("name", [*FIRST[:17], "error"])
def test_what_is_missing_is_named(name):
    line = PREDICTION.to_json()
    del line[name]
    with pytest.raises(ValueError, match=rf"^{name}\b"):
        Prediction.from_json(line)


@pytest.mark.parametrize("value", [0, 6, 4.0, "4", True, None])
def test_a_score_that_cannot_be_is_no_record(value):
    wrong = dict.fromkeys(DIMENSIONS, 4) | {"Clarity": value}
    for changes in ({"scores": wrong}, {"chapters": [PART | {"scores": wrong}]}):
        with pytest.raises(ValueError, match=r"scores"):
            Judgement.from_json(judged().to_json() | changes)


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"rubric": "of-2030"},
            {"rubric": 1},
            {"segment": -1},
            {"segment": "1"},
            {"scores": {"Clarity": 4}},
        ),
        *({"chapters": {}}, {"chapters": [{}]}, {"chapters": [PART | {"words": -1}]}, {"repeat": -1}),
        *({"scores": {"Clarity": 4}}, {"scores": dict.fromkeys(DIMENSIONS, 4) | {"Style": 4}}),
        *({"response_sha256": 1},),
    ],
)
def test_a_judgement_that_cannot_be_is_no_record(changes):
    with pytest.raises(ValueError, match=rf"{next(iter(changes))}"):
        Judgement.from_json(judged().to_json() | changes)


def test_a_judgement_counts_by_the_rubric_that_it_names():
    assert judged().judged_by is SIX
    assert read(IN_CHAPTERS, judged(rubric=SIX.name).to_json()).judged_by is SIX


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("record", RECORDS)
@given(data=st.data())
def test_any_line_is_a_record_that_comes_back_or_is_refused(record, data):
    line = record.to_json()
    names = st.sampled_from([*line, "calls", "rubric", "schema"]) | st.text(max_size=8)
    line |= data.draw(st.dictionaries(names, ANYTHING, min_size=1, max_size=3))
    try:
        again = type(record).from_json(line)
    except ValueError:
        return
    written = again.to_json()
    assert {name: written.get(name) for name in line} == line
    assert type(record).from_json(written) == again


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("schema", [2, 0, "1"])
def test_a_newer_schema_is_refused_with_both_numbers_and_nothing_is_to_be_removed(tmp_path, record, schema):
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(record.to_json() | {"schema": schema, "id": 5}) + "\n")
    with pytest.raises(RunFolderError) as refused:
        list(Records(path, type(record).from_json, lambda record: record.key))
    assert f"records.jsonl:1 has schema {schema}, this version reads schema 1 " in str(refused.value)
    assert "remove" not in str(refused.value)


def test_a_lone_surrogate_survives():
    assert read(PREDICTION, predicted(response="\ud800").to_json()).response == "\ud800"
