"""The checks of a prompt list: lengths as people state them, and a good suite made bad in every way."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.files.resources import data_root
from longbench_write.metrics.length import LENGTH_RULES, count_words
from longbench_write.suites.checks.checks import (
    CHECKS,
    check_distribution,
    check_duplicates,
    check_language,
    check_length,
    check_overlap,
    check_suite,
    check_types,
    read_cells,
)
from longbench_write.suites.checks.mirrors import check_mirrors, without_length
from longbench_write.suites.checks.overlap import NEAR, long_runs, near_duplicates, shared_share
from longbench_write.suites.checks.stated import matching, stated_lengths
from longbench_write.suites.suite import Prompt, Suite, length_range, load_suite

STATED = [
    ("Write about 500 words on bees.", "about", 500, 500),
    ("a 1,200-word essay", "about", 1200, 1200),
    ("an essay of five hundred words", "about", 500, 500),
    ("two thousand five hundred words, please", "about", 2500, 2500),
    ("a thousand words or so", "about", 1000, 1000),
    ("roughly 2k words", "about", 2000, 2000),
    ("1.5k words", "about", 1500, 1500),
    ("no less than 800 words", "at_least", 800, 800),
    ("not fewer than 800 words", "at_least", 800, 800),
    ("It needs at least 1,500 words.", "at_least", 1500, 1500),
    ("a minimum of 300 words", "at_least", 300, 300),
    ("over 900 words", "at_least", 900, 900),
    ("600 words or more", "at_least", 600, 600),
    ("600+ words", "at_least", 600, 600),
    ("no more than 250 words", "at_most", 250, 250),
    ("it must not exceed 300 words", "at_most", 300, 300),
    ("not over 300 words", "at_most", 300, 300),
    ("Don't exceed 300 words", "at_most", 300, 300),
    ("in under 100 words", "at_most", 100, 100),
    ("within 400 words", "at_most", 400, 400),
    ("up to 400 words", "at_most", 400, 400),
    ("400 words max", "at_most", 400, 400),
    ("150 words maximum, and not one more", "at_most", 150, 150),
    ("the box takes 800 words and not one more", "at_most", 800, 800),
    ("less than 90 words", "at_most", 90, 90),
    ("between 450 and 550 words", "range", 450, 550),
    ("2,500 to 3,500 words", "range", 2500, 3500),
    ("600–800 words", "range", 600, 800),
    ("800字左右", "about", 800, 800),
    ("约800字", "about", 800, 800),
    ("写五千字", "about", 5000, 5000),
    ("一万字上下", "about", 10_000, 10_000),
    ("一万两千字", "about", 12_000, 12_000),
    ("一万二千五百字", "about", 12_500, 12_500),
    ("一万二字", "about", 12_000, 12_000),
    ("两千零五十字", "about", 2050, 2050),
    ("一二〇〇字", "about", 1200, 1200),
    ("十五万字", "about", 150_000, 150_000),
    ("1.5万字", "about", 15_000, 15_000),
    ("3千字", "about", 3000, 3000),
    ("2000个字", "about", 2000, 2000),
    ("字数在2000左右", "about", 2000, 2000),
    ("字数：1500", "about", 1500, 1500),
    ("不少于3000字", "at_least", 3000, 3000),
    ("字数不低于两千字", "at_least", 2000, 2000),
    ("至少800字", "at_least", 800, 800),
    ("一万字以上", "at_least", 10_000, 10_000),
    ("超过3000字", "at_least", 3000, 3000),
    ("总字数1.5万字以上", "at_least", 15_000, 15_000),
    ("不超过500字", "at_most", 500, 500),
    ("不得超过500字", "at_most", 500, 500),
    ("字数别超过八百字", "at_most", 800, 800),
    ("控制在200字以内", "at_most", 200, 200),
    ("300字之内", "at_most", 300, 300),
    ("最多600字", "at_most", 600, 600),
    ("少于600字", "at_most", 600, 600),
    ("800到1000字", "range", 800, 1000),
    ("八百至一千字", "range", 800, 1000),
    ("2000—2400字", "range", 2000, 2400),
    ("1300字到1500字之间", "range", 1300, 1500),
    ("3-5千字", "range", 3000, 5000),
    ("1万到1.5万字", "range", 10_000, 15_000),
    ("字数800-1000", "range", 800, 1000),
]


@pytest.mark.parametrize(("text", "rule", "low", "high"), STATED)
@pytest.mark.parametrize("around", ["{}", "For 3 readers, {}. Thanks, 2 of us!", "我们3个人。{}，谢谢2位！"])
def test_stated_length(text, rule, low, high, around):
    found = stated_lengths(around.format(text))
    assert [(stated.rule, stated.low, stated.high) for stated in found] == [(rule, low, high)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "In 1912 we had 500 sheep.",
        "他用了三千元",
        "wordless 500",
        "a word with you",
        "words",
        "文字",
        "zero words",
    ],
)
def test_no_stated_length(text):
    assert stated_lengths(text) == []


@given(
    st.text(
        st.sampled_from(
            "0123456789,.，+-—kK 万千百十零两三字数个不超过以上内 words to and five hundred thousand a"
        ),
        max_size=40,
    )
)
def test_any_text_is_read(text):
    for stated in stated_lengths(text):
        assert stated.rule in LENGTH_RULES
        assert 0 < stated.low <= stated.high
        assert (stated.low < stated.high) == (stated.rule == "range")


def chinese(number: int) -> str:
    """A number from 1 to 99,999 in the usual characters."""
    if number >= 10_000:
        head, rest = divmod(number, 10_000)
        return chinese(head) + "万" + ("" if not rest else ("零" if rest < 1000 else "") + chinese(rest))
    text, gap = "", False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            text += ("零" if gap and text else "") + "零一二三四五六七八九"[digit] + sign
        gap = not digit
    return text


@given(st.integers(1, 99_999))
def test_chinese_numerals(number):
    (stated,) = stated_lengths(f"请写{chinese(number)}字")
    assert stated.low == number


def test_the_rules_of_the_official_prompts_are_what_the_matcher_finds():
    lines = (data_root("benchmark_data") / "length_rules.csv").read_text().splitlines()
    listed = {line.split(",", 1)[0]: line.split(",", 1)[1] for line in lines[1:]}
    found = {}
    for name in ("longbench-write", "longbench-write-en", "longwrite-ruler"):
        for prompt in load_suite(name).prompts:
            stated = matching(prompt.prompt, prompt.length)
            if stated is None:
                found[prompt.id] = "about,,,no"
            else:
                bounds = f"{stated.low},{stated.high}" if stated.rule == "range" else ","
                found[prompt.id] = f"{stated.rule},{bounds},yes"
    assert found == listed


def test_the_table_of_cells_is_that_of_longbench_write():
    prompts = load_suite("longbench-write").prompts
    assert check_distribution(prompts) == []
    assert read_cells().total() == 120


@pytest.fixture(scope="module")
def good() -> Suite:
    return load_suite("lbw-open")


@pytest.fixture(scope="module")
def official() -> tuple[Prompt, ...]:
    return tuple(p for name in ("longbench-write", "longwrite-ruler") for p in load_suite(name).prompts)


def changed(suite: Suite, place: int, **changes: object) -> tuple[Prompt, ...]:
    prompts = list(suite.prompts)
    prompts[place] = replace(prompts[place], **changes)
    return tuple(prompts)


def the(suite: Suite, **wanted: object) -> int:
    """The place of the first prompt with these fields."""
    return next(
        i
        for i, p in enumerate(suite.prompts)
        if all(getattr(p, name) == value for name, value in wanted.items())
    )


def test_lbw_open_passes_every_check(good, official):
    assert check_suite(good, official=official) == []


def test_lbw_open_is_nowhere_near_a_template_with_words_exchanged(good):
    """Apart from its length, which the prompt that it mirrors prescribes."""
    texts = [without_length(prompt.prompt) for prompt in good.prompts]
    assert max(shared_share(*pair) for pair in itertools.combinations(texts, 2)) < 0.11


def test_no_prompt_has_anything_but_the_form_of_the_one_that_it_mirrors(good, official):
    known = {prompt.id: prompt for prompt in official}
    shares = [shared_share(*map(without_length, (p.prompt, known[p.mirrors].prompt))) for p in good.prompts]
    assert max(shares) < 0.15


def test_the_first_version_passes_too(official):
    assert check_suite(load_suite("lbw-open@1.0"), official=official) == []


def test_checks_can_be_left_out(good):
    bad = replace(good, prompts=changed(good, 0, type="Poetry", length=77))
    assert {fault.check for fault in check_suite(bad)} == {"length", "distribution", "types"}
    assert check_suite(bad, skip=["length", "distribution", "types"]) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_another_length_than_stated(good, language):
    place = the(good, language=language, length_rule="about", length=400)
    (fault,) = check_length(changed(good, place, length=500))
    assert fault.ids == (good.prompts[place].id,)
    assert "its length is 500 (about)" in fault.text
    assert {"en": "400 words", "zh": "400字"}[language] in str(fault)


@pytest.mark.parametrize("rule", LENGTH_RULES)
def test_another_rule_than_stated(good, rule):
    place = the(good, length_rule=rule)
    for other in set(LENGTH_RULES) - {rule}:
        (fault,) = check_length(changed(good, place, length_rule=other))
        assert f"({rule})" in fault.text
        assert f"({other}" in fault.text
    assert check_length(changed(good, place, length_rule=None, length_bounds=None)) == []


def test_other_bounds_than_stated(good):
    place = the(good, length_rule="range")
    low, high = good.prompts[place].length_bounds
    (fault,) = check_length(changed(good, place, length_bounds=(low, high + 1)))
    assert f"(range {low}-{high + 1})" in fault.text


def test_a_length_that_is_null_is_named(good):
    bad = changed(good, 3, length=None, length_rule=None, length_bounds=None)
    (fault,) = check_length(bad)
    assert fault.ids == (bad[3].id,)
    assert {fault.check for fault in check_suite(replace(good, prompts=bad))} == {"length", "distribution"}


def test_no_length_stated(good):
    (fault,) = check_length(changed(good, 3, prompt="Write about rivers."))
    assert "states no length" in fault.text


def test_a_length_that_is_not_to_be_stated(good):
    place = the(good, length_stated=False)
    assert check_length(good.prompts) == []
    (fault,) = check_length(changed(good, place, prompt="Write 300 words about rivers."))
    assert "length_stated is false" in fault.text
    (fault,) = check_length(changed(good, place, length_stated=True))
    assert "states no length" in fault.text
    other = changed(good, place, prompt=f"Quote 7 words. {good.prompts[place].prompt}")
    assert check_length(other) == []


def test_another_distribution(good):
    place = the(good, type="Popular Science", language="zh", length=300)
    faults = sorted(fault.text for fault in check_distribution(changed(good, place, type="News Report")))
    assert faults == [
        "News Report, zh, [0,500): 1 prompts, longbench-write has 0",
        "Popular Science, zh, [0,500): 3 prompts, longbench-write has 4",
    ]
    faults = sorted(fault.text for fault in check_distribution(changed(good, place, length=310)))
    assert faults == [
        "required length 300: 2 prompts, longbench-write has 3",
        "required length 310: 1 prompts, longbench-write has 0",
    ]
    (fault,) = check_distribution(good.prompts[:7])
    assert fault.text == "7 prompts, longbench-write has 120"


def test_another_type(good):
    (fault,) = check_types(changed(good, 5, type="News"))
    assert fault.ids == (good.prompts[5].id,)
    assert "'News' is none of" in fault.text


def test_another_language(good):
    place = the(good, language="en")
    (fault,) = check_language(changed(good, place, language="zh"))
    assert str(fault) == f"language: {good.prompts[place].id}: recorded as zh, written in en"
    assert check_language(changed(good, place, language="fr")) == []


@pytest.mark.parametrize(
    ("language", "text", "faults"),
    [
        ("en", "用英文写一写河流", 0),
        ("en", "请写成英语短文，写一写河流", 0),
        ("en", "写一写河流", 1),
        ("zh", "Write about rivers in Chinese.", 0),
        ("zh", "Write about rivers.", 1),
    ],
)
def test_a_prompt_may_ask_for_an_answer_in_another_language(language, text, faults):
    assert len(check_language([Prompt("p-1", text, "News", 300, language)])) == faults


def test_duplicates(good):
    for language in ("en", "zh"):
        first = the(good, language=language)
        last = len(good.prompts) - 1 - [p.language for p in reversed(good.prompts)].index(language)
        text = good.prompts[first].prompt
        (fault,) = check_duplicates(changed(good, last, prompt=text))
        assert fault.ids == (good.prompts[first].id, good.prompts[last].id)
        assert "100%" in fault.text
        half = text[: len(text) // 2] + good.prompts[last].prompt
        (fault,) = check_duplicates(changed(good, last, prompt=half))
        assert fault.ids == (good.prompts[first].id, good.prompts[last].id)


def test_a_template_with_words_exchanged():
    template = (
        "Write a short story of about {n} words about a {who} who finds a {what} in the attic of a house."
    )
    texts = [
        template.format(n=500, who="boy", what="map"),
        template.format(n=900, who="widow", what="violin"),
    ]
    prompts = [Prompt(f"p-{i}", text, "News", 500, "en") for i, text in enumerate(texts)]
    assert [fault.ids for fault in check_duplicates(prompts)] == [("p-0", "p-1")]


def test_the_same_words_in_another_dress():
    texts = ["Say it, 300 words!", "say IT — 400 words"]
    prompts = [Prompt(f"p-{i}", text, "News", 300, "en") for i, text in enumerate(texts)]
    assert len(check_duplicates(prompts)) == 1


def test_prompts_that_are_alike_are_one_fault_that_names_their_lines():
    texts = [f"Write about {n} words on the quiet life of lighthouse keepers." for n in range(7)]
    other = "Explain in a letter to your landlord why none of the taps has worked since Easter."
    places = [0, 1, 2, 4, 5, 7, 9]
    lines = dict.fromkeys(range(10), other) | dict(zip(places, texts, strict=True))
    prompts = [Prompt(f"p-{n}", text, "News", 500, "en", line=n + 1) for n, text in lines.items()]
    first, second = check_duplicates(prompts)
    assert first.ids == tuple(f"p-{n}" for n in places)
    assert "(lines 1-3, 5-6, 8, 10)" in first.text
    assert (second.ids, "(lines 4, 7, 9)" in second.text) == (("p-3", "p-6", "p-8"), True)
    assert "p-9" not in str(first)


def test_prompts_in_other_scripts_are_told_apart():
    texts = ["Напиши о море.", "Опиши старый дом.", "海について書いてください。", "напиши о море!"]
    prompts = [Prompt(f"p-{i}", text, "News", 300, "xx") for i, text in enumerate(texts)]
    assert [fault.ids for fault in check_duplicates(prompts)] == [("p-0", "p-3")]
    assert check_duplicates([replace(prompts[0], prompt=text, id=text) for text in "?!"]) == []


WORDS = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"])


@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=8))
def test_whoever_is_near_another_prompt_stands_in_a_group_or_beside_one_that_does(texts):
    """The groups are those of all pairs, less what is lost where one is near several."""
    prompts = [Prompt(f"p-{i}", text, "News", 300, "en") for i, text in enumerate(texts)]
    grouped = {prompt.id: n for n, found in enumerate(near_duplicates(prompts)) for prompt in found.prompts}
    for one, other in itertools.combinations(prompts, 2):
        runs = [
            set(zip(*(text.split()[n:] for n in range(3)), strict=False))
            for text in (one.prompt, other.prompt)
        ]
        least = min(map(len, runs))
        near = least and len(runs[0] & runs[1]) >= NEAR * least
        if near or one.prompt.replace(" ", "") == other.prompt.replace(" ", "") != "":
            assert one.id in grouped or other.id in grouped
    for found in near_duplicates(prompts):
        assert len(found.prompts) > 1
        assert NEAR <= found.shared <= 1


@pytest.mark.slow
@pytest.mark.parametrize("alike", [True, False])
def test_ten_thousand_prompts_are_checked_in_little_memory(tmp_path, alike):
    """Within 1 GB; a test that takes more than its time-out fails."""
    rng = random.Random(3)
    names = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(20_000)]
    path = tmp_path / "many.jsonl"
    with path.open("w") as file:
        for number in range(10_000):
            body = "a lighthouse and the people who keep it" if alike else " ".join(rng.choices(names, k=40))
            text = f"Write a short story of about {number % 900 + 100} words on {body}, {rng.choice(names)}."
            file.write(json.dumps({"prompt": text, "length": number % 900 + 100}) + "\n")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2 << 30,) * 2); "
        "from longbench_write.cli.app import main; sys.argv[1:1] = ['suites', 'check', '--offline']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    duplicates = [line for line in done.stdout.splitlines() if line.startswith("duplicates")]
    assert len(duplicates) == int(alike), done.stderr
    assert not alike or "(lines 1-10000)" in duplicates[0]


def test_the_same_topic(good):
    topic = good.prompts[2].topic
    (fault,) = check_duplicates(changed(good, 9, topic=f" {topic.upper()} "))
    assert fault.ids == (good.prompts[2].id, good.prompts[9].id)
    assert "topic" in fault.text
    assert check_duplicates([replace(prompt, topic="") for prompt in good.prompts]) == []


@pytest.mark.parametrize(("language", "size"), [("en", 8), ("zh", 12)])
def test_overlap_with_an_official_prompt(good, official, language, size):
    source = max((p for p in official if p.language == language), key=lambda p: len(long_runs(p.prompt)))
    run = next(run for run in long_runs(source.prompt) if len(run) == size)
    join = " ".join if language == "en" else "".join
    place = the(good, language=language)
    text = good.prompts[place].prompt
    mark = "." if language == "en" else "。"
    faults = check_overlap(changed(good, place, prompt=f"{text} {join(run).title()}{mark}"), official)
    assert {fault.ids for fault in faults} == {(good.prompts[place].id,)}
    assert any(f"with {source.id}" in fault.text for fault in faults)
    cut = join(run[:-1])
    assert check_overlap([replace(good.prompts[place], prompt=f"{mark} {cut} {mark}")], official) == []


@pytest.fixture(scope="module")
def mirrored(good, official):
    """A prompt of lbw-open whose length is stated in ordinary words, and its mirror."""
    prompt = next(p for p in good.prompts if p.language == "en" and p.length_rule == "at_least")
    assert check_mirrors(good.prompts, official) == []
    return prompt, next(p for p in official if p.id == prompt.mirrors)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"type": "News Report"}, "type"),
        ({"language": "zh"}, "language"),
        ({"length": 300}, "length"),
        ({"length_rule": "about"}, "length_rule"),
        ({"length_bounds": (1, 2)}, "length_bounds"),
        ({"length_stated": False}, "length_stated"),
        ({"mirrors": "lbw-121"}, "lbw-121"),
    ],
)
def test_a_field_that_is_not_its_mirrors(mirrored, official, changes, told):
    prompt, _ = mirrored
    (fault,) = check_mirrors([replace(prompt, **changes)], official)
    assert (fault.check, fault.ids) == ("mirrors", (prompt.id,))
    assert told in fault.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("no less than 200 words", "at least 200 words"),
        ("no less than 200 words", "no less than two hundred words"),
        ("in no less than 200 words", "as a text of 200 words"),
        ("no less than 200 words", "no less than 250 words"),
        ("no less than 200 words", "no less than enough"),
        (".", ", 50 pages."),
    ],
)
def test_a_length_that_is_stated_otherwise(mirrored, official, old, new):
    prompt, _ = mirrored
    assert old in prompt.prompt
    (fault,) = check_mirrors([replace(prompt, prompt=prompt.prompt.replace(old, new))], official)
    assert "not stated as in" in fault.text


def test_a_prompt_that_is_longer_shorter_or_in_another_script_than_its_mirror(mirrored, official):
    prompt, mirror = mirrored
    words = count_words(mirror.prompt)
    rest = " ".join(["river"] * (words - 4))
    for extra, faults in ((words // 4, 0), (words // 4 + 1, 1), (-(words // 4), 0), (-(words // 4) - 1, 1)):
        text = f"no less than 200 words {' '.join(rest.split()[: words - 4 + extra])}"
        text += " river" * max(0, extra)
        found = check_mirrors([replace(prompt, prompt=text)], official)
        assert [("a quarter" in fault.text) for fault in found] == [True] * faults
    chinese = "no less than 200 words " + "江" * (words - 4)
    (fault,) = check_mirrors([replace(prompt, prompt=chinese)], official)
    assert "written in zh" in fault.text


def test_a_mirror_that_is_named_twice_or_copied(mirrored, official):
    prompt, mirror = mirrored
    (fault,) = check_mirrors([prompt, replace(prompt, id="other")], official)
    assert fault.ids == (prompt.id, "other")
    words = mirror.prompt.split()
    (fault,) = check_mirrors([replace(prompt, prompt=" ".join(["Kindly", *words[1:]]))], official)
    assert "words exchanged" in fault.text
    assert check_mirrors([replace(prompt, mirrors="")], official) == []


@pytest.mark.parametrize(
    ("text", "hedge"),
    [
        ("Write 500 words.", ""),
        ("about 500 words", "about"),
        ("Approximately 500 words", "Approximately"),
        ("500 words or so", "or so"),
        ("at least 500 words", "at least"),
        ("500+ words", "+"),
        ("500 words max", "max"),
        ("500字左右", "左右"),
        ("大约要500字", "大约要"),
        ("不少于500字", "不少于"),
        ("500字以上", "以上"),
        ("500到600字", ""),
    ],
)
def test_what_makes_the_rule_is_told(text, hedge):
    (stated,) = stated_lengths(text)
    assert stated.hedge == hedge


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("分两部分写，各写1000字", 2000),
        ("写五封信，一天一封，每封400字左右", 2000),
        ("三章，每章约800字", 2400),
        ("five letters of 400 words each", 2000),
        ("two short essays, each of 300 words", 600),
        ("3 poems, about 50 words apiece", 150),
        ("写五封信，每章400字", None),
        ("每封400字", None),
        ("写一封信，每封400字", None),
        ("each chapter has 500 words", None),
    ],
)
def test_a_length_of_each_part_makes_a_total(text, total):
    first, *rest = stated_lengths(text)
    assert [stated.low for stated in rest] == ([] if total is None else [total])
    assert all((stated.rule, stated.text) == (first.rule, first.text) for stated in rest)


def test_every_check_has_a_name_and_the_ranges_are_those_of_the_suites(good):
    assert list(CHECKS) == ["length", "distribution", "types", "language", "duplicates"]
    assert {length_range(length) for _, _, length in read_cells()} == {
        length_range(p.length) for p in good.prompts
    }
