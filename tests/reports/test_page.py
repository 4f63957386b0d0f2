"""The page as a file: nothing from elsewhere, nothing that breaks out, the same bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zlib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_runs import HOSTILE, entries, put_run, written

from longbench_write.render.html import escape_script_data
from longbench_write.reports import write_report
from longbench_write.reports.page import SCRIPTS, STYLES, packed

SOURCES = resources.files("longbench_write.reports")
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return put_run(
        tmp_path_factory.mktemp("page") / "r",
        [written("p-1", response=HOSTILE + "\ud800", prompt=HOSTILE, type=HOSTILE)],
        model=HOSTILE,
        suite="s\ud800",
    )


def made(run):
    target = io.BytesIO()
    contents = write_report(entries(run), target)
    return target.getvalue(), contents


@pytest.fixture(scope="module")
def page(run):
    return made(run)[0].decode()


def test_the_same_runs_give_the_same_bytes_and_their_number(run, page):
    again, contents = made(run)
    assert again == page.encode()
    assert (contents.runs, contents.samples, contents.bytes) == (1, 1, len(again))


def test_the_policy_lets_only_the_pages_own_style_and_script_in(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for rule, source in (
        ("style-src", re.search("<style>(.*?)</style>", page, re.DOTALL)[1]),
        ("script-src", re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]),
    ):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_nothing_comes_from_elsewhere(page):
    links = re.findall(r'\b(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in links)
    for name in (*(f"script/{name}.js" for name in SCRIPTS), *(f"style/{name}.css" for name in STYLES)):
        assert not re.search(
            r"https?:|//www|url\(|@import|fetch\(|XMLHttp", SOURCES.joinpath(name).read_text()
        )


def test_scripts_never_parse_text_as_markup():
    for name in SCRIPTS:
        source = SOURCES.joinpath(f"script/{name}.js").read_text()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", source
        )


def test_every_source_file_is_on_the_page():
    for folder, known in (("script", SCRIPTS), ("style", STYLES)):
        assert {path.name.split(".")[0] for path in SOURCES.joinpath(folder).iterdir()} == set(known)


def test_hostile_text_opens_no_element(page):
    tags = re.findall(r"<(/?[a-z!]+)", page)
    assert tags.count("script") == tags.count("/script") == 3
    assert "img" in tags
    assert "onerror=&#39;" in page
    assert not re.search(r"<img src=x|<!--|\ud800|\0", page)


def contents_of(page):
    return json.loads(re.search(r'<script type="application/json" id="index">(.*?)</script>', page)[1])


def test_the_index_holds_the_texts_as_they_were(page):
    index = contents_of(page)
    assert index["prompts"] == [HOSTILE]
    assert index["samples"][0]["type"] == HOSTILE
    assert index["runs"][0]["model"] == HOSTILE


@given(ANY_TEXT)
def test_embedded_json_cannot_end_its_element_and_is_read_back(text):
    found = escape_script_data({text: [text]})
    assert not set("<>&") & set(found)
    found.encode()
    assert json.loads(found) == {text: [text]}


@given(ANY_TEXT)
def test_packed_texts_are_read_back(text):
    element = packed(7, {"response": text}).decode()
    data = re.fullmatch(r'<script type="text/plain" id="texts-7">([A-Za-z0-9+/=]*)</script>\n', element)[1]
    assert json.loads(zlib.decompress(base64.b64decode(data))) == {"response": text}


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *((ink, ground) for ink in ("ink", "muted", "accent") for ground in ("page", "surface", "sunken")),
        *(("ink", ground) for ground in ("bar", "bad-surface", "mark")),
        *((ink, "surface") for ink in ("good", "bad")),
        ("badge-ink", "badge"),
        ("bad", "bad-surface"),
    ],
)
def test_text_stands_out_from_its_ground(scheme, ink, ground):
    root = re.findall(r":root \{(.*?)\}", SOURCES.joinpath("style/base.css").read_text(), re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
