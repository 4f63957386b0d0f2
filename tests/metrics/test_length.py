"""The two counts and the length score."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.metrics.length import (
    LENGTH_RULES,
    _count_by_boundaries,
    count_words,
    count_words_unicode,
    length_score,
    rule_length_score,
)

IDEOGRAPH = r"[\u4e00-\u9fff]"
ENGLISH = r"\b[a-zA-Z]+\b"


def literal_count(text: str) -> int:
    """The definition, word for word."""
    return len(re.findall(IDEOGRAPH, text)) + len(re.findall(ENGLISH, text))


def literal_score(x: int, y: int) -> float:
    """The formula, word for word."""
    if y > x:
        return 100 * max(0, 1.0 - (y / x - 1) / 3)
    return 100 * max(0, 1.0 - (x / y - 1) / 2)


MIXED = st.text(
    st.one_of(
        st.sampled_from("abzAZ019 _-'\n\r\t.,é naïve\u0301\u200d\ufe0f"),
        st.sampled_from("一鿿使用编程㐀\u4dff\ua000々〇，。𠀀"),
        st.sampled_from("かカｶﾞー한글각ไทยабвאבعر"),
        st.sampled_from("😀👩🏽🇦🇧\u200b\u2028\x85\x00"),
        st.characters(),
    ),
    max_size=400,
)


@given(MIXED)
def test_official_count_is_the_definition(text):
    assert count_words(text) == literal_count(text)


@given(
    st.lists(st.sampled_from(["don't", "状态", "GPT4", "Python编程", " ", "\n", "café", "a-b", "ok", "👍"]))
)
def test_official_count_is_the_definition_on_joined_words(parts):
    text = "".join(parts)
    assert count_words(text) == literal_count(text)


@given(MIXED)
def test_official_count_is_the_definition_on_mostly_plain_text(text):
    text = f"{text}{' and more of it' * len(text)}{text}"
    assert count_words(text) == literal_count(text)


def test_official_count_is_the_definition_beside_any_character():
    for start in range(0, 0x20000, 32):
        characters = map(chr, range(start, start + 32))
        text = "".join(f"a{char} b{char}c {char}d plain words behind it " for char in characters)
        assert count_words(text) == literal_count(text), hex(start)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "中",
        "a1",
        "中a",
        "a ",
        "word 中文，",
        "é\u0301",
        "👩🏽\u200d",
        "\u0301",
        "ｶﾞ",
        "한",
        "_",
        "\ud800",
        "a\n",
    ],
)
def test_official_count_on_long_texts(piece):
    text = (piece * 200_000)[:200_000]
    assert count_words(text) == literal_count(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("don't", 2),
        ("state-of-the-art", 4),
        ("1984 and 42", 1),
        ("café naïve", 0),
        ("GPT4", 0),
        ("snake_case", 0),
        ("使用Python编程", 4),
        ("使用 Python 编程", 5),
        ("カタカナ", 0),
        ("𠀀", 0),
        ("\u4e00\u9fff", 2),
        ("\u4dff\ua000", 0),
        ("a[b`c{d@e", 5),
    ],
)
def test_official_examples(text, words):
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        (" \n—…!?\u3000、。", 0),
        ("don't stop", 2),
        ("state-of-the-art", 4),
        ("1984 and 3.14", 3),
        ("café nai\u0308ve", 2),
        ("GPT4", 1),
        ("snake_case", 1),
        ("使用Python编程", 5),
        ("我们学习使用Python编程，真好。", 11),
        ("コンピューター", 7),
        ("ｺﾝﾋﾟｭｰﾀｰ", 7),
        ("か\u3099", 1),
        ("人々", 2),
        ("二〇二六", 4),
        ("𠀀𠀁", 2),
        ("한국어 단어", 5),
        ("AI가", 2),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", 2),
        ("привет, мир", 2),
        ("שלום עולם", 2),
        ("👩🏽\u200d🚀 👍 🇫🇷🇩🇪", 0),
        ("a👍b", 2),
        ("x\u0301\u0316y", 1),
    ],
)
def test_unicode_examples(text, words):
    assert count_words_unicode(text) == words


@given(st.one_of(MIXED, st.text(st.characters(max_codepoint=127), max_size=400)))
def test_unicode_count_is_that_by_the_rules_alone(text):
    assert count_words_unicode(text) == _count_by_boundaries(text)


@pytest.mark.parametrize("space", [chr(code) for code in range(0x110000) if chr(code).isspace()])
def test_unicode_count_is_that_by_the_rules_alone_beside_any_white_space(space):
    text = f"a{space}b 一{space} {space}1.{space}5 _{space}x {space}\u0301"
    assert count_words_unicode(text) == _count_by_boundaries(text)


@given(MIXED)
def test_unicode_count_does_not_depend_on_normalization(text):
    counts = {count_words_unicode(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert counts == {count_words_unicode(text)}


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True)))
def test_both_counts_agree_on_plain_english(words):
    text = " ".join(words)
    assert count_words(text) == count_words_unicode(text) == len(words)


@pytest.mark.parametrize(
    "piece", ["a\u0301\u0316", "🇦", "👩\u200d", "a'", "1,", "ᄀ", "カ", "\u0301\u0316", "\u00ad", 'א"', "a."]
)
def test_unicode_count_ends_on_hostile_long_texts(piece):
    assert count_words_unicode((piece * 200_000)[:200_000]) <= 200_000


@pytest.mark.parametrize(
    ("ratio", "score"),
    [(0.5, 50), (0.8, 87.5), (0.9, 94.44), (1, 100), (1.1, 96.67), (1.5, 83.33), (2, 66.67), (3, 33.33)],
)
def test_length_score_of_ratios(ratio, score):
    assert length_score(1000, round(1000 * ratio)) == pytest.approx(score, abs=0.005)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_length_score_is_the_formula_to_the_last_bit(required, actual):
    assert length_score(required, actual) == literal_score(required, actual)
    assert 0 <= length_score(required, actual) <= 100


@given(st.integers(1, 10**6))
def test_length_score_ends(required):
    assert length_score(required, 0) == 0
    assert length_score(required, required) == 100
    assert length_score(required, 4 * required) == 0
    assert length_score(3 * required, required) == 0
    assert isinstance(length_score(required, 9 * required), float)


@pytest.mark.parametrize(("required", "actual"), [(0, 10), (-5, 10), (0, 0), (10, -1)])
def test_length_score_refuses_nonsense(required, actual):
    with pytest.raises(ValueError, match=str(actual)):
        length_score(required, actual)


@pytest.mark.parametrize(
    ("rule", "bounds", "actual", "score"),
    [
        ("about", None, 500, 100.0),
        ("about", None, 1000, 200 / 3),
        ("about", None, 250, 50.0),
        ("at_least", None, 500, 100.0),
        ("at_least", None, 50_000, 100.0),
        ("at_least", None, 250, 50.0),
        ("at_most", None, 500, 100.0),
        ("at_most", None, 1, 100.0),
        ("at_most", None, 1000, 200 / 3),
        ("at_most", None, 2000, 0.0),
        ("range", (400, 600), 400, 100.0),
        ("range", (400, 600), 600, 100.0),
        ("range", (400, 600), 200, 50.0),
        ("range", (400, 600), 1200, 200 / 3),
    ],
)
def test_rule_aware_score(rule, bounds, actual, score):
    assert rule_length_score(rule, 500, actual, bounds) == pytest.approx(score)


@given(st.sampled_from(LENGTH_RULES), st.integers(1, 30_000), st.integers(0, 100_000), st.integers(0, 5_000))
def test_the_rule_only_forgives(rule, required, actual, slack):
    bounds = (max(1, required - slack), required + slack)
    score = rule_length_score(rule, required, actual, bounds)
    assert length_score(required, actual) - 1e-9 <= score <= 100
    if rule == "about" or actual == 0:
        assert score == length_score(required, actual)


@pytest.mark.parametrize(
    ("rule", "actual", "bounds"),
    [
        ("exactly", 5, None),
        ("range", 5, None),
        ("at_most", -1, None),
        ("at_least", -1, None),
        ("about", -1, None),
    ],
)
def test_no_rule_aware_score(rule, actual, bounds):
    with pytest.raises(ValueError, match=f"actual={actual}|{rule}"):
        rule_length_score(rule, 500, actual, bounds)
