"""Text is safe to draw: no missing glyph, no markup, no endless line."""

from __future__ import annotations

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager

from longbench_write.plots import fonts
from longbench_write.plots.save import render
from longbench_write.plots.style import new_figure, styled


def make_font(path, name, chars):
    """A font that shows each of these characters as a triangle."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((500, 900), (1000, 0)):
        pen.lineTo(point)
    pen.closePath()
    names = [".notdef", *(f"g{ord(char)}" for char in chars)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(char): f"g{ord(char)}" for char in chars})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": name, "styleName": "Regular"})
    font.setupOS2(sTypoAscender=900, usWinAscent=900, usWinDescent=100)
    font.setupPost()
    font.save(path)
    return str(path)


def forget():
    for cached in (fonts.families, fonts._has_glyph, fonts._advance):
        cached.cache_clear()


@pytest.fixture
def only(monkeypatch):
    """Makes these files the only fonts of the system beside matplotlib's own."""
    manager = font_manager.fontManager
    own = [entry for entry in manager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(manager, "ttflist", own)

    def use(*paths):
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(paths))
        forget()

    yield use
    forget()


@pytest.fixture
def no_chinese(only):
    only()


def test_chinese_is_shown_where_the_system_has_a_font_for_it(only, tmp_path):
    only(make_font(tmp_path / "simhei.ttf", "SimHei", "中文"))
    assert fonts.families() == ("DejaVu Sans", "SimHei")
    assert fonts.shown("Qwen 中文") == "Qwen 中文"
    with styled():
        drawn = [new_figure(2, 1, title=title) for title in ("中文", "中")]
    for kind in ("png", "svg", "pdf"):
        assert render(drawn[0], kind) != render(drawn[1], kind)


def test_where_there_is_none_code_points_are_shown_instead_of_boxes(no_chinese):
    assert fonts.families() == ("DejaVu Sans",)
    assert fonts.shown("Qwen 中文") == r"Qwen \u4e2d\u6587"
    assert fonts.shown("a 🙂") == r"a \U0001f642"
    with styled():
        figure = new_figure(3, 1, title="中文 🙂", subtitle="通义千问", note="注")
    for kind in ("png", "svg", "pdf"):
        render(figure, kind)


def test_a_broken_font_file_is_passed_over(only, tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    only(str(broken))
    assert fonts.families() == ("DejaVu Sans",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines\tand\r\na tab", "two lines and a tab"),
        ("\x1b[31mred\x00", r"\x1b[31mred\x00"),
        ("\u202egnihton", r"\u202egnihton"),
        ("half \ud800", r"half \ud800"),
        (r"$\frac{1}{0}$ <b>&amp;", r"$\frac{1}{0}$ <b>&amp;"),
        ("S̄ ≥ 4×", "S̄ ≥ 4×"),
    ],
)
def test_what_cannot_be_drawn_is_escaped_and_nothing_else(text, line):
    assert fonts.shown(text) == line


@settings(max_examples=40)
@given(st.text(max_size=200), st.integers(5, 60))
def test_any_text_becomes_a_line_that_fits(text, most):
    line = fonts.shown(text, most)
    assert fonts.width(line) <= most
    assert "\n" not in line
    assert fonts.shown(line, most) == line


@settings(max_examples=40)
@given(st.text(max_size=300), st.integers(5, 40), st.integers(1, 3))
def test_wrapped_lines_fit(text, most, count):
    lines = fonts.wrapped(text, most, count).split("\n")
    assert len(lines) <= count
    assert all(fonts.width(line) <= most for line in lines)


def test_wrapping_loses_no_word_of_a_text_that_fits():
    text = "a name of several words which takes two lines"
    assert fonts.wrapped(text, 18, 2).split() == text.split()


def test_long_names_keep_both_ends_and_stay_apart():
    names = [f"{'x' * 100}{number}{'y' * 100}" for number in range(3)]
    first, second, third = fonts.labels(names, 20)
    assert first.startswith("xxx")
    assert first.endswith("yyy")
    assert second == f"{first} (2)"
    assert third == f"{first} (3)"
