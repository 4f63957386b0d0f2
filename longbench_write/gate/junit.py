"""A verdict as JUnit XML: one case a metric, so that CI systems show which one fell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from longbench_write.gate.fallen import FallenResponse
from longbench_write.gate.gate import Outcome, Verdict
from longbench_write.gate.layout import worst_line
from longbench_write.render.text import one_line

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not."""


def junit_xml(verdict: Verdict, worst: Sequence[FallenResponse] = ()) -> str:
    """Return the text of the XML file.

    A regression is a failure, what cannot be told an error; every message is the finding's sentence. The
    class of each case is suite and model, so that several gates in one report stay apart.

    Args:
        verdict: The verdict.
        worst: The responses that fell furthest, listed beside the notes and in each case that did not pass.
    """
    listed = _listed(worst)
    about = verdict.b.info or verdict.a.info
    classname = _safe(".".join([*([about.suite] if about else []), verdict.b.name]))
    outcomes = [finding.outcome for finding in verdict.findings]
    suite = ElementTree.Element(
        "testsuite",
        name=_safe(f"lbw-eval check {verdict.b.name}"),
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.REGRESSED)),
        errors=str(outcomes.count(Outcome.UNDECIDED)),
        skipped="0",
        time="0",
    )
    for finding in verdict.findings:
        case = ElementTree.SubElement(
            suite, "testcase", name=str(finding.metric), classname=classname, time="0"
        )
        message = _safe(finding.message)
        if finding.outcome is Outcome.REGRESSED:
            ElementTree.SubElement(case, "failure", message=message, type="regression").text = (
                message + listed
            )
        elif finding.outcome is Outcome.UNDECIDED:
            ElementTree.SubElement(case, "error", message=message, type="undecided").text = message + listed
        else:
            ElementTree.SubElement(case, "system-out").text = message
    if said := _safe("\n".join(verdict.told)) + listed:
        ElementTree.SubElement(suite, "system-out").text = said
    return _document(suite)


def _listed(worst: Sequence[FallenResponse]) -> str:
    """Return the responses that fell furthest, a line each."""
    lines = []
    for each in worst:
        prompt, sample, metric, a, b, _, place = worst_line(each)
        lines.append(f"{one_line(prompt)}, sample {sample}: {metric} {a} → {b} ({place})")
    return _safe("\n".join(["", "", "Responses that fell furthest:", *lines])) if lines else ""


def junit_error(run: str, message: str) -> str:
    """Return the text of the XML file where there is no verdict: one case, which is an error.

    Args:
        run: What was to be checked.
        message: Why there is none.
    """
    suite = ElementTree.Element(
        "testsuite",
        name=_safe(f"lbw-eval check {run}"),
        tests="1",
        failures="0",
        errors="1",
        skipped="0",
        time="0",
    )
    case = ElementTree.SubElement(suite, "testcase", name="check", classname=_safe(run), time="0")
    ElementTree.SubElement(case, "error", message=_safe(message), type="no verdict").text = _safe(message)
    return _document(suite)


def _document(suite: ElementTree.Element) -> str:
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _safe(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
