import hashlib
import json
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_harness_samples import answer, scores, totals, write_lines

from longbench_write.errors import UsageError
from longbench_write.exchange.evalscope import read_evalscope
from longbench_write.exchange.reference import read_reference
from longbench_write.exchange.sources import find, read_answers

LINE = answer("Describe a river.", "It winds and widens.", 100)
JUDGED = LINE | {"scores": scores(5, 4, 3, 4, 5, 4)}


def test_answers_are_read_and_totals_are_told_from_them(tmp_path):
    path = write_lines(tmp_path / "judge.jsonl", [JUDGED, totals([JUDGED])])
    content = read_answers(path)
    (found,) = content.answers
    assert (found.prompt, found.length, found.response) == ("Describe a river.", 100, "It winds and widens.")
    assert (found.response_length, found.scores) == (4, JUDGED["scores"])
    assert found.where == f"{path}:1"
    assert content.totals["Relevance"] == 100
    assert content.totals["S_q"] == pytest.approx((100 + 75 + 50 + 75 + 100 + 75) / 6)
    assert content.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_totals_that_were_appended_twice_or_before_other_lines_are_no_answers(tmp_path):
    lines = [JUDGED, totals([JUDGED]), JUDGED | {"prompt": "Describe a lake."}, totals([JUDGED])]
    assert len(read_answers(write_lines(tmp_path / "judge.jsonl", lines)).answers) == 2


def test_what_lines_need_not_have(tmp_path):
    path = tmp_path / "pred.jsonl"
    lean = {"prompt": "Describe a river.", "length": 100, "response": ""}
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(lean).encode() + b"\r\n\r\n  \n" + json.dumps(LINE).encode()
    )
    found = read_answers(path).answers
    assert [(a.response, a.response_length, a.where[-1]) for a in found] == [
        ("", None, "1"),
        (LINE["response"], 4, "4"),
    ]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b'{"prompt": "\xff"}\n', r"\b12\b"),
        (b'{"prompt": "Wri', ""),
        (b"{]\n", ""),
        (b"[" * 100_000 + b"\n", ""),
        (b"9" * 5000 + b"\n", ""),
        (b"[1, 2]\n", ""),
        (b"null\n", ""),
        (b'"text"\n', ""),
        (b"{}\n", r"\bprompt\b"),
    ],
    ids=lambda value: value[:9],
)
def test_a_line_that_is_no_answer_is_named(tmp_path, line, named):
    path = tmp_path / "pred.jsonl"
    path.write_bytes(json.dumps(LINE).encode() + b"\n" + line)
    with pytest.raises(UsageError, match=rf"^{re.escape(str(path))}:2: .*{named}"):
        read_answers(path)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": None},
        {"prompt": ["a"]},
        {"response": ["a", "list"]},
        {"response": None},
        {"length": 0},
        {"length": True},
        {"length": 100.0},
        {"length": float("nan")},
        {"length": 10**12},
        {"length": "100"},
        {"response_length": -1},
        {"response_length": float("nan")},
        {"response_length": [4]},
        {"scores": [5, 4, 3, 4, 5, 4]},
        {"scores": "5"},
    ],
    ids=str,
)
def test_a_field_of_another_type_is_named(tmp_path, change):
    (name,) = change
    with pytest.raises(UsageError, match=rf"pred\.jsonl:1: {name}\b"):
        read_answers(write_lines(tmp_path / "pred.jsonl", [LINE | change]))


def test_a_line_without_end_is_not_read_into_memory(tmp_path):
    path = write_lines(tmp_path / "pred.jsonl", [LINE])
    os.truncate(path, 1 << 40)  # a hole: it takes no place on the disk
    with pytest.raises(UsageError, match=r"pred\.jsonl:2: .*\b64\b"):
        read_answers(path)


def refusal(path):
    """The sentence with which a file is refused; None if it is read."""
    try:
        read_answers(path)
    except UsageError as error:
        return str(error)
    return None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("untrusted") / "pred.jsonl"
    path.write_bytes(content)
    sentence = refusal(path)
    assert sentence is None or (sentence.startswith(f"{path}:") and "\n" not in sentence)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys((*LINE, "scores", "total", "Relevance", "Clarity"), JSON)
)


@given(FIELDS)
def test_any_object_is_read_or_refused(tmp_path_factory, row):
    path = tmp_path_factory.mktemp("untrusted") / "pred.jsonl"
    path.write_text(json.dumps(LINE | row) + "\n")
    if sentence := refusal(path):
        assert sentence.startswith(f"{path}:1: ")
    else:
        (found,) = read_answers(path).answers
        assert isinstance(found.prompt + found.response, str)
        assert found.length is None or found.length > 0


def test_a_place_that_is_not_there_or_has_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "nowhere"))):
        find(tmp_path / "nowhere", "pred.jsonl")
    with pytest.raises(UsageError, match=r"pred\.jsonl"):
        find(tmp_path, "pred.jsonl")
    for model in "ab":
        write_lines(tmp_path / model / "pred.jsonl", [LINE])
    with pytest.raises(UsageError, match=f"{re.escape(str(tmp_path))}/a, {re.escape(str(tmp_path))}/b"):
        find(tmp_path, "pred.jsonl")


def test_the_reference_scripts_folder(tmp_path):
    folder = tmp_path / "models" / "LongWriter-glm4-9b"
    write_lines(folder / "pred.jsonl", [LINE])
    write_lines(folder / "judge.jsonl", [JUDGED, totals([JUDGED])])
    for place in (folder, tmp_path / "models"):
        source = read_reference(place)
        assert source.model == "LongWriter-glm4-9b"
        assert (len(source.answers), len(source.judged)) == (1, 1)
        assert source.files.keys() == {"pred.jsonl", "judge.jsonl"}
        assert source.reported["S_q"] == pytest.approx(79.1666, abs=1e-3)
    assert read_reference(folder / "pred.jsonl").judged == []
    alone = read_reference(folder / "judge.jsonl")
    assert alone.answers == alone.judged
    renamed = write_lines(tmp_path / "glm.jsonl", [LINE])
    assert read_reference(renamed).model is None


def test_a_judge_file_in_which_nobody_was_judged_is_empty(tmp_path):
    write_lines(tmp_path / "m" / "pred.jsonl", [LINE])
    write_lines(tmp_path / "m" / "judge.jsonl", [])
    assert read_reference(tmp_path / "m").judged == []


def test_evalscopes_folder(tmp_path):
    folder = tmp_path / "outputs" / "ZhipuAI__LongWriter-glm4-9b"
    write_lines(folder / "pred.jsonl", [LINE])
    write_lines(folder / "eval_length.jsonl", [{"score_l": 1.5, "scores": [1.5]}])
    write_lines(folder / "eval_quality.jsonl", [totals([JUDGED])])
    source = read_evalscope(tmp_path / "outputs")
    assert source.model == "ZhipuAI/LongWriter-glm4-9b"
    assert (len(source.answers), source.judged) == (1, [])
    assert source.reported["S_l"] == 1.5
    assert source.reported["S_q"] == pytest.approx(79.1666, abs=1e-3)
    (note,) = source.notes
    assert re.search(r"\b79\.2\b.*\b3\b", note)
    assert set(source.files) == {"pred.jsonl", "eval_length.jsonl", "eval_quality.jsonl"}
    alone = read_evalscope(folder / "pred.jsonl")
    assert (alone.reported, alone.notes) == ({}, [])


def test_figures_that_are_none_are_not_reported(tmp_path):
    write_lines(tmp_path / "m" / "pred.jsonl", [LINE])
    write_lines(tmp_path / "m" / "eval_length.jsonl", [{"score_l": float("nan"), "scores": []}])
    write_lines(
        tmp_path / "m" / "eval_quality.jsonl", [totals([JUDGED]) | {"total": "high", "Clarity": True}]
    )
    reported = read_evalscope(tmp_path / "m").reported
    assert set(reported) == {"Relevance", "Accuracy", "Coherence", "Breadth and Depth", "Reading Experience"}
