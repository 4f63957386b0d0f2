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

from longbench_write.compare.comparison import compare
from longbench_write.compare.rule import Rule
from longbench_write.gate.document import verdict_json
from longbench_write.gate.gate import Outcome, check
from longbench_write.gate.github import workflow_commands
from longbench_write.gate.junit import junit_xml
from longbench_write.gate.layout import FINDING_HEADS, strips
from longbench_write.gate.markdown import comparison_markdown, verdict_markdown
from longbench_write.render.ci_log import escape_command

HOSTILE = 'm</testsuite>&"]]>\x00\x1b[31m|`<script>x</script>`\n::error::a%0A[a](http://b)\u2028\ufffe💥'


def verdict(name="m", shift=0.0, **options):
    a, b = World(shift=shift).pair(np.random.default_rng(1), 24)
    return check(a, replace(b, info=replace(b.info, model=name)), **options)


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


@pytest.mark.parametrize("name", [HOSTILE, "a\r::set-env name=X::y", "%0A::stop-commands::z"])
def test_annotations_are_one_line_each_and_only_ours(name):
    for shift in (0.0, 2.0):
        for line in workflow_commands(verdict(name, shift)):
            assert re.match(r"::(error|notice|warning)( title=[^:,\r\n]*)?::", line)
            assert len(line.split("\n")) == len(line.split("\r")) == 1
            assert not re.search("%(?!25|0A|0D|3A|2C)", line)


def test_annotations_say_what_failed_or_that_nothing_did():
    found = verdict(shift=2.0)
    fallen = [each for each in found.findings if each.outcome is Outcome.REGRESSED]
    for line, each in zip(workflow_commands(found), fallen, strict=True):
        assert re.match(r"::error title=m\b", line)
        assert line.endswith(f"::{escape_command(each.message)}")
    (line,) = workflow_commands(passed := verdict())
    assert re.match(r"::notice title=m\b", line)
    assert all(escape_command(each.message) in line for each in passed.findings)


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
