import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.render.csv import csv_text, escape_csv, unescape_csv

FORMULAS = ['=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", "＝1+1", "::error::x"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_text(formula):
    assert escape_csv(formula) == "'" + formula


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a;=HYPERLINK(1)", "a;'=HYPERLINK(1)"),
        ('a;"=HYPERLINK(1)"', 'a;\'"=HYPERLINK(1)"'),
        ("\t=1", "'\t'=1"),
        ("\r\n@SUM(A1)", "'\r\n'@SUM(A1)"),
        ("one\n-2+3", "one\n'-2+3"),
        ("'=1;+1", "''=1;'+1"),
    ],
)
def test_what_another_separator_would_make_a_cell_is_text_too(text, kept):
    assert escape_csv(text) == kept
    assert unescape_csv(kept) == text


@given(st.text("=+-@;\t\r\n'\"a,＝:"))
def test_no_cell_begins_with_a_sign_however_the_file_is_read(text):
    (row,) = csv.reader(io.StringIO(csv_text([[escape_csv(text)]]), newline=""))
    cells = re.split(r"[;\t\r\n]", row[0])
    assert not [cell for cell in cells if cell.strip("'\"")[:1] in [*"=+-@＝"] and cell[:1] != "'"]
    assert unescape_csv(row[0]) == text
    for separator in ";\t":
        for line in csv.reader(io.StringIO(csv_text([[escape_csv(text)]])), delimiter=separator):
            assert not [cell for cell in line if cell[:1] in [*"=+-@＝"]]


@pytest.mark.parametrize(
    "text", ["", "a; b", "a;b = c", "std::vector", "rivers-1", "News = views", "中文", "a'b"]
)
def test_other_texts_stay_as_they_are(text):
    assert escape_csv(text) == text


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_every_text_comes_back(text):
    written = csv_text([[escape_csv(text), "x"], [1, None]])
    assert written.endswith("\n1,\n")
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert [unescape_csv(found) for found in read[0]] == [text, "x"]
