"""What machines and people are given: JUnit XML, Markdown, annotations, JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from gate_samples import World, made
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import RUN_INFO

from longbench_write.compare.comparison import compare
from longbench_write.compare.rule import Rule
from longbench_write.gate.document import error_json, verdict_json
from longbench_write.gate.gate import Outcome, check
from longbench_write.gate.github import annotation, error_annotation
from longbench_write.gate.junit import junit_error, junit_xml
from longbench_write.gate.layout import FINDING_HEADS, strips
from longbench_write.gate.markdown import comparison_markdown, error_markdown, verdict_markdown
from longbench_write.render.ci_log import escape_command

HOSTILE = 'm</testsuite>&"]]>\x00\x1b[31m|`<script>x</script>`\n::error::a%0A[a](http://b)\u2028\ufffe💥'


def verdict(name="m", shift=0.0, **info):
    a, b = World(shift=shift).pair(np.random.default_rng(1), 24)
    return check(a, replace(b, info=replace(b.info, model=name, **info)))


def lacking():
    full = made([[60]] * 8)
    few = {key: each for key, each in full.responses.items() if each.id < "p-004"}
    return check(full, replace(full, responses=few))


def test_junit_has_a_case_a_metric_and_a_failure_for_what_fell():
    found = verdict(shift=2.0)
    suite = ElementTree.fromstring(junit_xml(found)).find("testsuite")
    assert [case.get("name") for case in suite.findall("testcase")] == ["S_bar", "S_l", "S_q"]
    fallen = [case.get("name") for case in suite.findall("testcase") if case.find("failure") is not None]
    assert fallen == ["S_bar", "S_l"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    assert suite.find("testcase/failure").get("message") == found.findings[0].message


def test_what_cannot_be_told_is_an_error_in_junit():
    suite = ElementTree.fromstring(junit_xml(lacking())).find("testsuite")
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")


def test_hostile_names_stay_text_in_xml():
    found = verdict(HOSTILE)
    suite = ElementTree.fromstring(junit_xml(found)).find("testsuite")
    assert 'm</testsuite>&"]]>\ufffd\ufffd[31m' in suite.get("name")
    assert len(suite.findall("testcase")) == 3


@settings(deadline=None)
@given(st.text())
def test_any_name_gives_xml_that_can_be_read(name):
    a = made([[60], [61]])
    found = check(a, replace(a, info=replace(a.info, model=name)))
    ElementTree.fromstring(junit_xml(found).encode("utf-8"))


def test_junit_tells_the_gates_of_models_and_suites_apart():
    cases = ElementTree.fromstring(junit_xml(verdict("org/m-7B"))).iter("testcase")
    assert {case.get("classname") for case in cases} == {f"{RUN_INFO.suite}.org/m-7B"}


@pytest.mark.parametrize("name", [HOSTILE, "a\r::set-env name=X::y", "%0A::stop-commands::z"])
def test_an_annotation_is_one_line_and_only_ours(name):
    for line in (*(annotation(verdict(name, shift)) for shift in (0.0, 2.0)), error_annotation(name, name)):
        assert re.match(r"::(error|notice|warning)( title=[^:,\r\n]*)?::", line)
        assert len(line.split("\n")) == len(line.split("\r")) == 1
        assert not re.search("%(?!25|0A|0D|3A|2C)", line)


def test_the_annotation_lists_what_failed_or_that_nothing_did_and_what_differs():
    found = verdict(shift=2.0)
    fallen = [each.message for each in found.findings if each.outcome is Outcome.REGRESSED]
    assert 1 < len(fallen) < len(found.findings)
    lines = [*fallen, found.fresh.sentence(), *found.notes]
    assert annotation(found).endswith(f"::{escape_command(chr(10).join(lines))}")
    assert re.match(r"::error title=m on s\b", annotation(found))
    passed = verdict(settings={**RUN_INFO.settings, "temperature": 0.25})
    assert re.match(r"::notice title=m\b", annotation(passed))
    assert all(escape_command(each.message) in annotation(passed) for each in passed.findings)
    assert "→ 0.25" in annotation(passed)


@given(st.text())
def test_an_error_of_any_text_can_be_read_in_each_output(text):
    case = ElementTree.fromstring(junit_error(text, text).encode("utf-8")).find("testsuite/testcase")
    assert case.find("error") is not None
    assert json.loads(error_json(text, 2))["error"] == text
    assert re.fullmatch(r"::error title=[^:,\r\n]*::[^\r\n]*", error_annotation(text, text))
    assert error_markdown(text, text).startswith("## ")


def test_hostile_names_stay_text_in_markdown():
    for text in (verdict_markdown(verdict(HOSTILE)), comparison_markdown(compare(made([[1]]), made([[1]])))):
        assert "<script>" not in text
        assert not re.search(r"(?<!\\)\]\(http", text)
        assert "\x1b" not in text
    lines = verdict_markdown(verdict(HOSTILE)).splitlines()
    assert lines[0].startswith("## ✅ m\\<")
    assert not any(line.startswith("::error") for line in lines)


def test_the_tables_of_the_markdown_are_rectangular():
    text = verdict_markdown(verdict(shift=2.0))
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert text.startswith("## ❌ m ")
    assert FINDING_HEADS[-1] in text


def test_the_json_holds_the_verdict_and_no_nan():
    for found in (verdict(shift=2.0), lacking(), check(made([[1]]), made([[1]]))):
        values = json.loads(verdict_json(found), parse_constant=lambda name: pytest.fail(name))
        assert values["exit_code"] == found.exit_code
        assert [each["metric"] for each in values["findings"]] == [
            str(each.metric) for each in found.findings
        ]
    fell = json.loads(verdict_json(verdict(shift=2.0)))["findings"][1]
    assert fell["outcome"] == "regressed"
    assert set(fell["fell_in"]) == {"[0,500)", "[500,2000)", "[2000,4000)", "[4000,20000]"}
    assert fell["detectable_drop"] > 0
    assert fell["level"] == pytest.approx(1 - 0.05 / 3)


def test_strips_put_zero_in_the_middle_and_the_mean_where_it_is():
    fell, same = (
        strips(check(made([[60]] * 4), made([[60 - drop]] * 4), Rule()).differences)[0] for drop in (20, 0)
    )
    assert fell == "●" + " " * 11 + "│" + " " * 12
    assert same == " " * 12 + "●" + " " * 12
