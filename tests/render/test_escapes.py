"""Untrusted text in HTML, LaTeX, on terminals and in the logs of CI jobs."""

import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalker

from longbench_write.render.ci_log import escape_ci_log, escape_command, escape_command_property
from longbench_write.render.html import escape_script_data
from longbench_write.render.latex import escape_latex
from longbench_write.render.terminal import escape_terminal
from longbench_write.render.text import one_line

ANY = st.text(st.characters(exclude_categories=()))
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def categories(text):
    return {unicodedata.category(char) for char in text}


@given(ANY)
def test_one_line_is_one_and_keeps_what_is_printable(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not categories(line) & OBEYED
    assert one_line(line) == line
    kept = [char for char in text if char.isprintable() and char not in " \ufffd"]
    assert [char for char in line if char not in " \ufffd"] == kept


@given(ANY)
def test_a_terminal_obeys_nothing_but_line_feeds(text):
    shown = escape_terminal(text)
    assert not categories(shown.replace("\n", "")) & OBEYED
    assert len(shown) == len(text)
    assert all(new == old or new == "\ufffd" for new, old in zip(shown, text, strict=True))


COMMANDS = [
    "::error::x",
    "  ::add-mask::x",
    "##[error]x",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[x",
    "::error file=a.py,line=1::x",
    "::stop-commands::token",
    "::token::",
]


@pytest.mark.parametrize("text", COMMANDS)
def test_a_runner_obeys_no_line(text):
    for line in (text, f"said: {text}", f"\n{text}", f"\r{text}", f"said:{text}"):
        shown = escape_ci_log(line)
        assert not re.search(r"^\s*::|##[\w.]*\[", shown)
        assert len(shown.splitlines()) == 1
        for place in range(len(shown)):  # a table breaks its lines anywhere
            assert not re.match(r"\s*::[\w-]+.*::", shown[place:])
    for line in escape_terminal(f"title\n{text}\n  {text}").split("\n"):
        assert not re.search(r"^\s*::|##[\w.]*\[", line)


@pytest.mark.parametrize("text", ["std::vector", "a::b::c", "10:30", "a::", "org/model::v2"])
def test_other_colons_stay(text):
    assert escape_ci_log(text).count(":") >= text.count(":") - 1


@given(ANY | st.text("#[]:\n\r avso."))
def test_any_text_is_one_line_that_no_runner_obeys(text):
    shown = escape_ci_log(text)
    assert not re.search(r"^\s*::|##[\w.]*\[", shown)
    assert not categories(shown) & OBEYED
    assert len(shown) == len(text)


def decoded(text):
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


@given(ANY | st.text("%:,\n\r0AD25"))
def test_a_workflow_command_says_just_the_message(text):
    for escape, kept_out in ((escape_command, "\r\n"), (escape_command_property, "\r\n:,")):
        assert not set(escape(text)) & set(kept_out)
        assert decoded(escape(text)) == text


class Scripts(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@given(ANY | st.sampled_from(["</script>", "<!--<script>", "]]>", "\u2028"]))
def test_script_data_stays_in_its_element(text):
    page = Scripts(f"<script>{escape_script_data({'a': text})}</script>")
    assert page.tags == ["script"]
    assert json.loads(page.text) == {"a": text}


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")))
    | st.text("\\~^<>|`'-[]&%$#_{}aS l")
)
def test_latex_shows_the_text(text):
    line = one_line(text)
    source = escape_latex(line)
    LatexWalker(source, tolerant_parsing=False).get_latex_nodes()
    read = LatexNodes2Text(math_mode="text", strict_latex_spaces=True).latex_to_text(source)
    assert read.replace("ˆ", "^").split() == line.replace("\ufffd", "?").split()
