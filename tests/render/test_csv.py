import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.render.csv import csv_text, escape_csv, unescape_csv

FORMULAS = ['=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_text(formula):
    assert escape_csv(formula) == "'" + formula


@pytest.mark.parametrize("text", ["", "rivers-1", "News = views", "中文", "a'b"])
def test_other_texts_stay_as_they_are(text):
    assert escape_csv(text) == text


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_every_text_comes_back(text):
    written = csv_text([[escape_csv(text), "x"], [1, None]])
    assert written.endswith("\n1,\n")
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert [unescape_csv(found) for found in read[0]] == [text, "x"]
