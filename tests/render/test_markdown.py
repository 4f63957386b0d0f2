"""Escaped text, parsed: what is shown is the text that was given."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from longbench_write.render.markdown import cut_markdown, escape_markdown
from longbench_write.render.text import one_line

ANY = st.text(st.characters(exclude_categories=()))
MARKUP = st.lists(
    st.sampled_from(
        [
            *"\\`*_{}[]()<>#+-=.!|~@&$^:/;?'\" \n\t1aZé中\u200b",
            *("www.", "http://", "evil.com", "&amp;", "---", "[^1]", "<!--", "-->", ":tada:", "1.", "##"),
            *("```", "\\|", "~~", "$$", "mailto:", "localhost"),
        ]
    ),
    max_size=12,
).map("".join)
LIVE = [
    *("https://evil.com", "www.evil.com", "WWW.evil.com", "evil.com", "//localhost", "mailto:a@evil.com"),
    *("a@evil.com", "@team", "@org/team", "#1", "org/repo#12", "$a$", "$$a$$", ":emoji:", ":+1:"),
    *("[^1]", "[a](http://b)", "![a](b)", "[a]: http://b", "<!-- x -->", "<b>x</b>", "<http://b>", "&lt;"),
    *(
        "# a",
        "## a ##",
        "> a",
        "- a",
        "+ a",
        "* a",
        "1. a",
        "1) a",
        "---",
        "- - -",
        "===",
        "==a==",
        "```",
        "~~~",
    ),
    *("*a*", "__a__", "_a_", "~~a~~", "`a`", "a|b", "\\", "\\|", "    code", "a  \nb", "2^10^", "{.x}"),
]
LINKED_LATER = re.compile(r"https?://|www\.|@\w|#\d|(?<!\d):[\w+-]+:|//", re.IGNORECASE)
"""What GitHub, GitLab and others find in a page's text, whatever was escaped in its source."""


class Page(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.cells = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_comment(self, data):
        self.tags.append("comment")

    def handle_data(self, data):
        self.text += data
        if self.cells:
            self.cells[-1] += data.rstrip("\n")


def shown(source, preset="commonmark"):
    return Page(MarkdownIt(preset, {"html": True}).enable(["table", "strikethrough"]).render(source))


def check(text):
    line = escape_markdown(text)
    assert len(line.splitlines()) <= 1
    for lead, tags in (
        ("", ["p"]),
        ("## ", ["h2"]),
        ("- ", ["ul", "li"]),
        ("text\n", ["p"]),
        ("x ", ["p"]),
    ):
        page = shown(f"{lead}{line}\n")
        before = lead.strip("# -\n")
        assert page.tags == tags or not one_line(text)
        read = page.text.replace("\u200b", "").strip().removeprefix(before).strip()
        assert read == one_line(text)
        assert not LINKED_LATER.search(page.text)
    page = shown(f"|h|h|\n|--|--|\n| {line} | b |\n")
    assert page.cells[0].replace("\u200b", "") == one_line(text)
    assert page.cells[1].strip() == "b"


@pytest.mark.parametrize("text", LIVE)
def test_nothing_is_live(text):
    check(text)
    check(f"a {text} b")


@given(ANY | MARKUP)
def test_any_text_is_shown_as_it_was_given(text):
    check(text)


@given(ANY | MARKUP)
def test_linkify_finds_no_link(text):
    pytest.importorskip("linkify_it")
    page = Page(MarkdownIt("gfm-like", {"linkify": True}).render(escape_markdown(text)))
    assert "a" not in page.tags


@pytest.mark.parametrize("text", ["S_l", "gpt-4o", "63.2", "-0.5", "my_model_v1.5", "a (b)", "12:30:45"])
def test_ordinary_text_stays_readable(text):
    assert escape_markdown(text) == text


@given(st.text(), st.integers(0, 200))
def test_markdown_that_is_cut_fits_and_keeps_whole_lines(text, most):
    cut = cut_markdown(text, most, "*cut*")
    assert len(cut.encode()) <= most or cut == ""
    if cut not in ("", text):
        kept = cut.removesuffix("\n*cut*\n").splitlines()
        assert kept == text.splitlines()[: len(kept)]
        assert kept
