"""Prompt lists: the official ones as the paper counts them, files of one's own, choosing."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from longbench_write.assets import assets
from longbench_write.errors import AssetError, UsageError
from longbench_write.exchange.sources import read_answers
from longbench_write.files.resources import data_root
from longbench_write.metrics.length import LENGTH_RULES
from longbench_write.suites import suite
from longbench_write.suites.cards import card_of_file, earlier_versions
from longbench_write.suites.suite import (
    LENGTH_RANGES,
    Prompt,
    Suite,
    length_range,
    load_card,
    load_suite,
    select,
    suite_names,
)

OFFICIAL = ["longbench-write", "longbench-write-en", "longwrite-ruler"]
OPEN = ["lbw-open", "lbw-open@1.0"]


def write(folder: Path, *lines: object) -> Path:
    path = folder / "mine.jsonl"
    rows = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path.write_bytes(b"\n".join(rows) + b"\n")
    return path


def row(**more: object) -> dict[str, object]:
    return {"prompt": "Describe a lighthouse.", "type": "News", "length": 300} | more


def test_names():
    assert set(suite_names()) >= set(OFFICIAL)


@pytest.mark.parametrize("name", OFFICIAL)
def test_card_tells_the_truth(name):
    card, suite = load_card(name), load_suite(name)
    assert card.name == suite.name == name
    assert card.sha256 == suite.sha256 == assets.ASSETS[card.asset].sha256
    assert card.version == suite.version
    assert len(suite.prompts) == card.prompts
    assert Counter(prompt.language for prompt in suite.prompts) == card.languages
    lengths = [prompt.length for prompt in suite.prompts]
    assert [min(lengths), max(lengths)] == card.lengths
    ranges = Counter(map(length_range, lengths))
    assert [ranges[label] for label in LENGTH_RANGES] == card.ranges
    assert [prompt.id for prompt in suite.prompts] == [
        f"{card.short_name}-{n + 1}" for n in range(card.prompts)
    ]
    assert card.citation == "arXiv 2408.07055"
    assert card.licence == "Apache-2.0"


@pytest.mark.parametrize("name", OPEN)
def test_lbw_open_is_shipped(name):
    card, suite = load_card(name), load_suite(name)
    assert (suite.name, suite.version, suite.sha256) == ("lbw-open", card.version, card.sha256)
    assert card.licence == "CC-BY-4.0"
    assert card.asset is None
    assert "written" in card.written.lower()
    assert [prompt.id for prompt in suite.prompts] == [f"open-{n + 1}" for n in range(card.prompts)]
    assert Counter(prompt.language for prompt in suite.prompts) == card.languages
    assert len({prompt.topic for prompt in suite.prompts} - {""}) == card.prompts
    assert {prompt.length_rule for prompt in suite.prompts} == set(LENGTH_RULES)


@pytest.mark.parametrize("name", OPEN)
def test_lbw_open_has_the_distribution_of_longbench_write(name):
    ours, official = (
        Counter((prompt.type, prompt.language, prompt.length) for prompt in load_suite(each).prompts)
        for each in (name, "longbench-write")
    )
    assert ours == official


def test_a_suite_in_a_version():
    first, second = load_suite("lbw-open@1.0"), load_suite("lbw-open@2.0")
    assert second == load_suite("lbw-open")
    assert (first.name, first.version) == ("lbw-open", "1.0")
    assert not {prompt.prompt for prompt in first.prompts} & {prompt.prompt for prompt in second.prompts}
    official = load_card("longbench-write")
    assert load_suite(official.full_name) == load_suite(official.name)
    assert [card.full_name for card in earlier_versions("lbw-open")] == ["lbw-open@1.0"]
    assert earlier_versions("longbench-write") == []
    assert card_of_file(first.sha256) == load_card("lbw-open@1.0")
    assert card_of_file("0" * 64) is None


@pytest.mark.parametrize("name", ["lbw-open@3.0", "lbw-open@", "longbench-write@1.0", "lbw-opne@1.0"])
def test_a_version_that_there_is_not_is_refused(name):
    with pytest.raises(UsageError) as refused:
        load_suite(name)
    assert name in str(refused.value)
    if name.startswith("lbw-open@"):
        assert "lbw-open@1.0" in str(refused.value)


def test_a_file_may_have_a_name_like_a_versions(tmp_path, monkeypatch):
    write(tmp_path, row()).rename(tmp_path / "lbw-open@mine.jsonl")
    monkeypatch.chdir(tmp_path)
    assert load_suite("lbw-open@mine.jsonl").name == "lbw-open@mine"


def test_each_prompt_of_lbw_open_mirrors_an_official_one():
    ours, official = load_suite("lbw-open").prompts, load_suite("longbench-write").prompts
    assert [prompt.mirrors for prompt in ours] == [prompt.id for prompt in official]
    assert not any(prompt.mirrors for prompt in load_suite("lbw-open@1.0").prompts)


@pytest.mark.parametrize("limit", [1, 8, 30, 60])
def test_a_limit_chooses_mirrors_of_each_other(limit):
    ours, official = (select(load_suite(name), limit=limit) for name in ("lbw-open", "longbench-write"))
    assert [prompt.mirrors for prompt in ours] == [prompt.id for prompt in official]


def test_a_shipped_suite_that_was_changed_is_refused(tmp_path, monkeypatch):
    source = data_root("benchmark_data")
    for name in ("lbw-open.yaml", "lbw-open.jsonl"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    monkeypatch.setattr(suite, "data_root", lambda name: tmp_path)
    assert load_suite("lbw-open").sha256 == load_card("lbw-open").sha256
    with (tmp_path / "lbw-open.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(AssetError, match=load_card("lbw-open").sha256):
        load_suite("lbw-open")
    (tmp_path / "lbw-open.jsonl").unlink()
    with pytest.raises(AssetError, match=r"lbw-open\.jsonl.*No such file"):
        load_suite("lbw-open")


def test_official_prompts_have_the_rules_of_the_table():
    prompts = load_suite("longbench-write").prompts
    assert Counter(prompt.length_rule for prompt in prompts) == {
        "about": 90,
        "at_least": 27,
        "range": 2,
        "at_most": 1,
    }
    assert all(
        prompt.length_bounds is not None
        and prompt.length_bounds[0] <= prompt.length <= prompt.length_bounds[1]
        for prompt in prompts
        if prompt.length_rule == "range"
    )


def test_an_official_suite_may_have_no_length_rules(monkeypatch):
    card = replace(load_card("longbench-write"), short_name="other")
    monkeypatch.setattr(suite, "load_card", lambda name: card)
    prompts = load_suite("longbench-write").prompts
    assert {prompt.length_rule for prompt in prompts} == {None}
    assert prompts[0].id == "other-1"


def test_longbench_write():
    prompts = load_suite("longbench-write").prompts
    assert Counter(prompt.type for prompt in prompts) == {
        "Literature and Creative Writing": 31,
        "Academic and Monograph": 22,
        "Popular Science": 18,
        "Functional Writing": 17,
        "News Report": 13,
        "Community Forum": 10,
        "Education and Training": 9,
    }
    ranges = Counter(length_range(prompt.length) for prompt in prompts)
    assert [ranges[label] for label in LENGTH_RANGES] == [26, 36, 31, 27, 0]
    assert round(sum(prompt.length for prompt in prompts) / len(prompts)) == 2772
    assert Counter(prompt.language for prompt in prompts) == {"en": 60, "zh": 60}
    assert [prompt.length for prompt in prompts].count(20_000) == 1


def test_english_is_what_the_english_file_has():
    prompts = load_suite("longbench-write").prompts
    english = load_suite("longbench-write-en").prompts
    assert {p.prompt for p in prompts if p.language == "en"} == {p.prompt for p in english}
    assert {p.language for p in english} == {"en"}


def test_characters_alone_would_be_wrong():
    by_characters = load_suite(assets.fetch("longbench-write")).prompts
    assert Counter(prompt.language for prompt in by_characters) == {"en": 59, "zh": 61}


def test_longwrite_ruler():
    prompts = load_suite("longwrite-ruler").prompts
    topics = {
        "Community Forum",
        "Literature and Creative Writing",
        "Popular Science",
        "Academic and Monograph",
    }
    grid = {
        (t, la, n) for t in topics for la in ("en", "zh") for n in (1000, 2000, 5000, 10000, 20000, 30000)
    }
    assert {(prompt.type, prompt.language, prompt.length) for prompt in prompts} == grid
    assert {length_range(30_000), length_range(20_000)} == {">20000", "[4000,20000]"}


@pytest.mark.parametrize(
    ("length", "label"),
    [
        (1, 0),
        (499, 0),
        (500, 1),
        (1999, 1),
        (2000, 2),
        (3999, 2),
        (4000, 3),
        (20_000, 3),
        (20_001, 4),
        (10**9, 4),
    ],
)
def test_length_range_edges(length, label):
    assert length_range(length) == LENGTH_RANGES[label]


def test_unknown_suite_gives_the_nearest():
    with pytest.raises(UsageError, match="'longbench-write-en'"):
        load_suite("longbench-wirte-en")
    with pytest.raises(UsageError, match="'lbw-open'"):
        load_suite("lbw-opne")


@pytest.mark.parametrize("name", ["nowhere/mine.jsonl", "mine.jsonl", Path("mine")])
def test_missing_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=re.escape(str(name))):
        load_suite(name)


def test_own_file(tmp_path):
    path = write(
        tmp_path,
        b"\xef\xbb\xbf" + json.dumps(row(extra={"a": [1]})).encode() + b"\r",
        b"  ",
        {"prompt": "写一篇关于灯塔的文章 with some English", "length": 10**9},
        row(id="mine", language="fr", prompt="a\u2028b\x85c"),
        b"",
        row(prompt="Explain 道 and 德 to me in plain English, please, for my class."),
        row(length_rule="range", length_bounds=[250, 350], topic="lamps"),
        row(length_rule="at_most", length_bounds=None),
    )
    suite = load_suite(str(path))
    assert suite.name == "mine"
    assert suite.version == suite.sha256[:8]
    assert [(p.id, p.language, p.type) for p in suite.prompts] == [
        ("mine-1", "en", "News"),
        ("mine-3", "zh", "Other"),
        ("mine", "fr", "News"),
        ("mine-6", "en", "News"),
        ("mine-7", "en", "News"),
        ("mine-8", "en", "News"),
    ]
    rules = [(p.length_rule, p.length_bounds, p.topic) for p in suite.prompts]
    assert rules == [*[(None, None, "")] * 4, ("range", (250, 350), "lamps"), ("at_most", None, "")]
    assert load_suite(path) == suite
    path.write_bytes(path.read_bytes() + b"\n")
    assert load_suite(path).sha256 != suite.sha256


BAD_LINES = {
    "not JSON": (b"{'prompt': 1}", "not JSON"),
    "torn": (b'{"prompt": "a", "len', "not JSON"),
    "two objects": (b"{} {}", "not JSON"),
    "deep": (b"[" * 100_000, "not JSON"),
    "huge number": (b'{"prompt": "a", "length": ' + b"9" * 5000 + b"}", "not JSON"),
    "not UTF-8": (b'{"prompt": "\xff", "length": 3}', "not UTF-8"),
    "NaN": (b'{"prompt": "a", "length": NaN}', "not JSON (NaN"),
    "infinite extra": (b'{"prompt": "a", "length": 3, "x": -Infinity}', "not JSON (-Infinity"),
    "list": (b"[]", "not an object"),
    "null": (b"null", "not an object"),
    "no prompt": ({"type": "News", "length": 3}, "it lacks 'prompt'; its keys are 'type', 'length';"),
    "empty prompt": (row(prompt=" \n"), "prompt must"),
    "number as prompt": (row(prompt=5), "prompt must"),
    "half a character": (b'{"prompt": "\\ud800", "length": 3}', "prompt has half"),
    "rule of no length": (row(length=None, length_rule="about"), "length_rule is"),
    "no length": ({"prompt": "a", "type": "News"}, "it lacks 'length'"),
    "zero": (row(length=0), "length must"),
    "negative": (row(length=-5), "length must"),
    "float": (row(length=500.0), "length must"),
    "true": (row(length=True), "length must"),
    "text length": (row(length="500"), "length must"),
    "beyond all": (row(length=10**9 + 1), "length must"),
    "type": (row(type=None), "type must"),
    "id": (row(id=""), "id must"),
    "language": (row(language=3), "language must"),
    "rule": (row(length_rule="atleast"), "length_rule must be one of about"),
    "list as rule": (row(length_rule=["about"]), "length_rule must"),
    "no bounds": (row(length_rule="range"), "length_bounds must be two"),
    "text bounds": (row(length_rule="range", length_bounds=["1", "2"]), "each of length_bounds must"),
    "three bounds": (row(length_rule="range", length_bounds=[1, 2, 3]), "length_bounds must be two"),
    "falling bounds": (row(length_rule="range", length_bounds=[350, 250]), "length_bounds must rise"),
    "bounds elsewhere": (row(length_rule="range", length_bounds=[400, 500]), "length_bounds must rise"),
    "topic": (row(topic=7), "topic must"),
    "mirrors": (row(mirrors=7), "mirrors must"),
    "stated": (row(length_stated="no"), "length_stated must"),
    "answer language": (row(answer_language=7), "answer_language must"),
    "empty answer language": (row(answer_language=""), "answer_language must"),
    "a key twice": (
        b'{"prompt": "a", "length": 300, "length": 30}',
        "an object with the key 'length' 2 times",
    ),
    "same id": (row(id="mine-1"), "the id 'mine-1' stands on line 1 too"),
}


@pytest.mark.parametrize(("line", "fault"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_bad_line_is_refused_by_file_and_line(tmp_path, line, fault):
    path = write(tmp_path, row(), b"", line, row())
    with pytest.raises(UsageError) as caught:
        load_suite(path)
    assert str(caught.value).startswith(f"{path}:3: {fault}")
    assert caught.value.exit_code == 2


CASES = Path(__file__).parent.parent / "cases"
"""Files that were met in the field."""
LENGTHS = {
    '"2,000"': ["2000"],
    '"10"': ["10"],
    '"about 1 500 words"': ["1500"],
    '"500字"': ["500"],
    "2000.0": ["2000"],
    '"1000-1500 words"': ["1250", "[1000, 1500]"],
    '"800至1,000"': ["900", "[800, 1000]"],
    '"1.5k"': [],
    '"two"': [],
    "1e999": [],
    "{}": [],
}


@pytest.mark.parametrize("said", LENGTHS)
def test_a_length_that_is_no_integer_is_refused_with_how_to_write_it(tmp_path, said):
    path = write(tmp_path, row(), b'{"prompt": "Write.", "length": ' + said.encode() + b"}")
    with pytest.raises(UsageError) as caught:
        load_suite(path)
    where, _, advice = str(caught.value).rpartition("; ")
    assert where.startswith(f"{path}:2: length ")
    assert re.findall(r"\[.*?\]|[0-9]+", advice) == LENGTHS[said]


def test_lengths_as_text_and_ranges_as_met_in_the_field(tmp_path):
    for number, line in enumerate((CASES / "49-suite-lengths.jsonl").read_bytes().splitlines(), start=1):
        path = write(tmp_path, *[row()] * number, line)
        with pytest.raises(UsageError, match=re.escape(f"{path}:{number + 1}: length ")):
            load_suite(path)


def test_a_line_of_another_benchmark_is_told_its_keys_and_those_that_are_wanted():
    with pytest.raises(UsageError) as caught:
        load_suite(CASES / "48-hellobench.jsonl")
    for key in ("id", "category", "instruction", "checklists", "num_checklist", "prompt", "length"):
        assert f"'{key}'" in str(caught.value)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", ["", "\n \n"])
def test_one_json_array_is_told_from_lines(tmp_path, indent, before):
    path = tmp_path / "an array.json"
    path.write_text(before + json.dumps(json.loads((CASES / "50-array.jsonl").read_text()), indent=indent))
    for read in (load_suite, read_answers):
        with pytest.raises(UsageError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}:{1 + before.count(chr(10))}: ")
        assert f"jq -c '.[]' '{path}'" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n \n\n"])
def test_file_without_prompts(tmp_path, content):
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(str(path))):
        load_suite(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_prompts_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        load_suite(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@given(
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(("prompt", "length", "type", "id"), JSON)),
        max_size=4,
    )
)
@example([{"prompt": "a", "length": 3}, {"prompt": "b", "length": 2, "type": "News", "id": "n"}])
@example([{"prompt": "a", "length": 3, "id": "n"}, {"prompt": "b", "length": 2, "id": "n"}])
def test_all_objects_become_prompts_or_the_file_is_refused(tmp_path_factory, rows):
    path = write(tmp_path_factory.getbasetemp(), *rows)
    good = all(
        isinstance(row.get("prompt"), str)
        and row["prompt"].strip()
        and "length" in row
        and (row["length"] is None or (type(row["length"]) is int and row["length"] > 0))
        and all(isinstance(row.get(key, "x"), str) and row.get(key, "x").strip() for key in ("type", "id"))
        for row in rows
    )
    if good and rows and len({row.get("id", i) for i, row in enumerate(rows)}) == len(rows):
        assert [prompt.prompt for prompt in load_suite(path).prompts] == [row["prompt"] for row in rows]
    else:
        with pytest.raises(UsageError, match=re.escape(str(path))):
            load_suite(path)


def test_a_prompt_of_ones_own_may_ask_for_no_length_and_a_benchmarks_may_not(tmp_path, monkeypatch):
    path = write(tmp_path, row(), row(length=None, length_bounds=None))
    assert [prompt.length for prompt in load_suite(path).prompts] == [300, None]
    card = replace(load_card("lbw-open"), file=path.name, sha256=load_suite(path).sha256)
    monkeypatch.setattr(suite, "load_card", lambda name: card)
    monkeypatch.setattr(suite, "suite_names", lambda: ["lbw-open"])
    monkeypatch.setattr(suite, "data_root", lambda name: tmp_path)
    with pytest.raises(UsageError, match=re.escape(f"{path}:2: ")):
        load_suite("lbw-open")


def test_prompts_without_a_length_are_a_group_of_a_limit_and_in_no_length_range():
    mixed = made([100, 600, None, None, None])
    assert {prompt.length for prompt in select(mixed, limit=3)} == {100, 600, None}
    assert [prompt.length for prompt in select(mixed, length_range="0-600")] == [100, 600]
    with pytest.raises(UsageError):
        select(made([None, None]), length_range="0-600")


def made(lengths: list[int | None]) -> Suite:
    prompts = tuple(
        Prompt(f"p-{i}", "text", "News", length, "en") for i, length in enumerate(lengths, start=1)
    )
    return Suite("made", "1", "0" * 64, prompts)


def ids(prompts: tuple[Prompt, ...]) -> list[str]:
    return [prompt.id for prompt in prompts]


def test_limit_is_even_over_the_ranges_and_within_each():
    suite = made([100] * 8 + [600] * 8 + [2500] * 8 + [5000] * 8)
    assert ids(select(suite, limit=4)) == ["p-5", "p-13", "p-21", "p-29"]
    assert ids(select(suite, limit=8)) == ["p-3", "p-5", "p-11", "p-13", "p-19", "p-21", "p-27", "p-29"]
    assert ids(select(suite, limit=2)) == ["p-13", "p-21"]


def test_limit_over_uneven_ranges():
    suite = made([100, *[600] * 20, 5000, 5000])
    counts = Counter(length_range(prompt.length) for prompt in select(suite, limit=9))
    assert counts == {"[0,500)": 1, "[500,2000)": 6, "[4000,20000]": 2}


def test_limit_of_eight_on_the_official_suite():
    chosen = select(load_suite("longbench-write"), limit=8)
    assert Counter(length_range(prompt.length) for prompt in chosen) == dict.fromkeys(LENGTH_RANGES[:4], 2)


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=60), st.integers(1, 80))
def test_limit_keeps_count_order_and_balance(lengths, limit):
    suite = made(lengths)
    chosen = select(suite, limit=limit)
    assert len(chosen) == min(limit, len(lengths))
    assert list(chosen) == [prompt for prompt in suite.prompts if prompt in chosen]
    have = Counter(map(length_range, lengths))
    got = Counter(length_range(prompt.length) for prompt in chosen)
    unfilled = [got[label] for label in have if got[label] < have[label]]
    assert all(got[label] <= min(unfilled, default=0) + 1 for label in have if unfilled)


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=60), st.integers(1, 80), st.integers(1, 80))
def test_limits_are_nested(lengths, one, other):
    suite = made(lengths)
    smaller, larger = (set(ids(select(suite, limit=limit))) for limit in sorted((one, other)))
    assert smaller <= larger


@given(st.integers(1, 300), st.integers(1, 300))
def test_within_a_range_a_limit_is_about_evenly_spaced(count, limit):
    chosen = [int(name[2:]) for name in ids(select(made([100] * count), limit=limit))]
    gaps = [after - before for before, after in itertools.pairwise([0, *chosen, count + 1])]
    assert max(gaps) <= 2 * count / min(limit, count) + 2


@pytest.mark.parametrize("limit", [0, -3])
def test_limit_that_leaves_nothing(limit):
    with pytest.raises(UsageError, match=rf"\blimit\b.*{limit}\b"):
        select(made([100]), limit=limit)


def test_ids():
    suite = made([100, 200, 300])
    assert ids(select(suite, ids=["p-3", "p-1", "p-3"])) == ["p-1", "p-3"]
    with pytest.raises(UsageError, match=r"'p-33'.*'p-3'"):
        select(suite, ids=["p-1", "p-33"])


@pytest.mark.parametrize(
    ("wanted", "lengths"),
    [
        ("2000-4000", [2000, 3999]),
        ("4000-20000", [4000, 20_000]),
        ("0-2000", [100]),
        (" 20000 - 20000 ", [20_000]),
        ("0-999999", [100, 2000, 3999, 4000, 20_000]),
    ],
)
def test_range(wanted, lengths):
    suite = made([100, 2000, 3999, 4000, 20_000])
    assert [prompt.length for prompt in select(suite, length_range=wanted)] == lengths


@pytest.mark.parametrize("wanted", ["", "2000", "4000-2000", "-5-10", "a-b", "1e3-2e3", "2000-", "１-２"])
def test_range_that_is_none(wanted):
    with pytest.raises(UsageError, match=re.escape(repr(wanted))):
        select(made([100]), length_range=wanted)


def test_range_that_leaves_nothing():
    with pytest.raises(UsageError, match=r"\bmade\b"):
        select(made([100, 5000]), length_range="200-300")


def test_choices_combine():
    suite = made([100, 200, 600, 700, 5000])
    assert ids(select(suite, ids=["p-1", "p-3", "p-4"], length_range="500-2000", limit=1)) == ["p-4"]
