"""Each format is read back by a standard reader."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from added_metrics import PACE, SENTENCES
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexWalker
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.compare.collection import Entry
from longbench_write.compare.ranking import RankedRun, Ranking, leaderboard
from longbench_write.leaderboards import formats
from longbench_write.leaderboards.layout import ranked_tables
from longbench_write.leaderboards.published import published
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.metrics.length import S_L
from longbench_write.render.csv import unescape_csv
from longbench_write.scoring.scoring import summarise

HOSTILE = (
    "<script>alert(1)</script> | a&b_c_ *x* `y` [z](http://e.x) %$#{}~^\\ --- <!-- \x1b[31m\x00\nnext\u202e"
)
SHOWN = "<script>alert(1)</script> | a&b_c_ *x* `y` [z](http://e.x) %$#{}~^\\ --- <!-- �[31m� next�"
LENGTHS = (300, 900, 2500, 6000)


def entry(model=HOSTILE, metrics=BUILT_IN, **changes):
    """Four prompts: three written, one failed; two judged, one judgement failed."""
    predictions = [
        predicted(
            f"p-{n}", length=length, response_length=length, language=("en", "zh")[n % 2], type=f"T{n % 2}"
        )
        for n, length in enumerate(LENGTHS)
    ]
    predictions[3] = failed("p-3")
    judgements = [judged("p-0"), judged("p-1", scores=(5, 4, 3, 2, 1, 5)), judged("p-2", scores=None)]
    info = replace(RUN_INFO, model=model, **changes)
    judgements = judgements if info.judge else []
    summary, _ = summarise(info, predictions, judgements, owed=4, seconds=1.0, metrics=metrics)
    return Entry(Path("results") / "r", summary, model)


@pytest.fixture
def rankings():
    return leaderboard([entry(), entry("plain"), entry("unjudged", judge=None, judge_sha256=None)])


class Page(HTMLParser):
    """The texts of an HTML page: those of its tables' body rows, and all of it; and its tags."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.tags, self.text, self._cell = [], set(), "", False
        self.feed(page)
        self.rows = [[" ".join(cell.split()) for cell in row] for row in self.rows if row]

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        self._cell = self._cell and tag != "td"

    def handle_data(self, data):
        self.text += data
        if self._cell:
            self.rows[-1][-1] += data


def from_markdown(text):
    """The page, without the spaces of no width that keep links from being made of its text."""
    return Page(MarkdownIt("commonmark").enable("table").render(text).replace("\u200b", ""))


def in_one(cell):
    return f"{cell.text} ({cell.small})" if cell.small else cell.text


def as_text(latex):
    text = LatexNodes2Text(math_mode="text", strict_latex_spaces=True).latex_to_text(latex)
    return " ".join(text.replace("ˆ", "^").split())


def from_latex(text):
    """The rows of each tabular: its source parsed, then parted at the line ends and ampersands."""
    rows = []

    def walk(nodes):
        for node in nodes:
            if isinstance(node, LatexEnvironmentNode) and node.environmentname == "tabular":
                rows.append(tabular(node))
            elif getattr(node, "nodelist", None):
                walk(node.nodelist)

    walk(LatexWalker(text, tolerant_parsing=False).get_latex_nodes()[0])
    return rows


def tabular(node):
    rows = [[""]]
    for part in node.nodelist:
        source = part.latex_verbatim()
        if source == "&":
            rows[-1].append("")
        elif source.startswith("\\\\"):
            rows.append([""])
        else:
            rows[-1][-1] += source
    return [[as_text(cell) for cell in row] for row in rows]


def test_csv_has_every_figure_unrounded_and_nothing_where_there_is_none(rankings):
    text = formats.as_csv(rankings, published())
    frame = pd.read_csv(io.StringIO(text))
    runs = frame[frame["source"].isna()]
    summary = rankings[0].runs[0].entry.summary
    first = runs.iloc[0]
    assert first["S_bar"] == summary.S_bar
    assert [first["S_q_low"], first["S_q_high"]] == summary.ci["S_q"]
    assert [first["S_q_least"], first["S_q_most"]] == summary.S_q_bounds
    assert first["Reading Experience"] == summary.dimensions["Reading Experience"]
    assert first["length/[0,500)/S_l"] == summary.by_length[0]["S_l"]
    assert first["type/T1/S_q"] == summary.by_type["T1"]["S_q"]
    assert first["language/zh/n"] == 1
    assert (first["owed"], first["generated"], first["judged"], first["complete"]) == (4, 3, 2, 0)
    unjudged = runs[runs["judge"].isna()].iloc[0]
    assert pd.isna(unjudged["S_q"])
    assert pd.isna(first["length/[4000,20000]/S_l"])
    models = [row["model"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert SHOWN in models
    references = frame[frame["source"].notna()]
    assert len(references) == len(published())
    assert references["best_rank"].isna().all()
    assert references["read_on"].notna().all()
    assert references["derived"].dropna().tolist() == ["S_q", "S_q"]


def test_json_holds_the_whole_summaries(rankings):
    board = json.loads(formats.as_json(rankings, published()))
    assert [len(block["runs"]) for block in board["blocks"]] == [2, 1]
    run = board["blocks"][0]["runs"][0]
    summary = rankings[0].runs[0].entry.summary
    assert run["summary"] == json.loads(summary.to_json())
    assert run["rank"] == [1, 2]
    assert run["complete"] is False
    assert board["published"][0]["scores"] == {"S_bar": 80.7, "S_l": None, "S_q": None}


@pytest.mark.parametrize("by", ["length", "language", "type", "dimension"])
def test_the_tables_say_the_same_in_markdown_latex_and_html(rankings, by):
    tables = ranked_tables(rankings, by)
    cells = [row for table in tables for row in table.rows]
    page = Page(formats.html(tables))
    assert [row for row in page.rows if any(row)] == [
        [f"{cell.text} {cell.small}".strip() for cell in row] for row in cells
    ]
    assert from_markdown(formats.markdown(tables)).rows == [list(map(in_one, row)) for row in cells]
    for table, rows in zip(tables, from_latex(formats.latex(tables)), strict=True):
        found = [row for row in rows if re.fullmatch(r"-|\d+(-\d+)?", row[0])]
        assert [row[1:] for row in found] == [
            [cell.text.replace("�", "?") for cell in row[1:]] for row in table.rows
        ]


def test_the_columns_are_those_asked_for(rankings):
    def heads(by):
        return [(column.group, column.head) for column in ranked_tables(rankings, by)[0].columns[5:]]

    assert heads("length") == [
        (label, head) for label in ("[0,500)", "[500,2000)", "[2000,4000)") for head in ("S_l", "S_q")
    ]
    assert heads("language") == [(label, head) for label in ("en", "zh") for head in ("S_l", "S_q")]
    assert heads("type") == [("", "T0"), ("", "T1")]
    assert [head for _, head in heads("dimension")][0::5] == ["Relevance", "Reading Experience"]


def test_a_hostile_name_stays_text(rankings):
    tables = ranked_tables(rankings, "length")
    for shown in (Page(formats.html(tables)), from_markdown(formats.markdown(tables))):
        assert SHOWN in " ".join(shown.text.split())
        assert not shown.tags & {"script", "em", "code", "a"}
    latex = as_text(formats.latex(tables)).replace("?[31m?", "�[31m�").replace("next?", "next�")
    assert SHOWN in latex
    assert "\x1b" not in formats.latex(tables) + formats.markdown(tables) + formats.html(tables)


def test_what_is_missing_is_said_in_the_row_and_under_the_table(rankings):
    table = ranked_tables(rankings, "length")[0]
    cell = table.rows[0][1]
    assert cell.text.endswith(" †")
    assert cell.small.startswith("3 of 4 written, 2 judged")
    assert any(
        note.startswith(
            "† plain: 3 of 4 written (1 context_length), 2 of them judged (1 invalid_reply); S_l lies"
        )
        for note in table.notes
    )


@pytest.mark.parametrize(("metric", "ends"), [(S_L, "0 to 100"), (PACE, "200 to 0"), (SENTENCES, None)])
def test_what_missing_responses_are_worth_is_said_on_the_scale_of_the_metric(metric, ends):
    added = [replace(each, of=lambda response: 3.0) for each in (PACE, SENTENCES)]
    runs = [entry(name, metrics=(*BUILT_IN, *added)) for name in "ab"]
    (table,) = ranked_tables(leaderboard(runs, sort=metric.name), "length")
    (note,) = [note for note in table.notes if note.startswith("† incomplete")]
    assert re.findall(r"\d+ to \d+", note) == ([ends] if ends else [])


def test_a_judges_note_stands_under_its_block():
    (table,) = ranked_tables(leaderboard([entry(judge_note="Means nothing.")]), "length")
    assert "j: Means nothing." in table.notes


@pytest.mark.parametrize("judge", ["- j", "12) j", "# j", "---", "=", "> j", "<b>j</b>"])
def test_a_judges_name_is_no_markdown_block(judge):
    tables = ranked_tables(leaderboard([entry("m", judge=judge, judge_note="Means nothing.")]), "type")
    page = from_markdown(formats.markdown(tables))
    assert f"{judge}: Means nothing." in page.text
    assert page.tags <= {"h3", "table", "thead", "tbody", "tr", "th", "td", "p"}


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from(r"\`*_{}[]<>()#+-.!|&~$^%@:/'\"1a ") | st.characters(), max_size=40))
def test_any_name_is_read_back_as_the_same_text(name):
    tables = ranked_tables(leaderboard([replace(RUN, label=name)]), "dimension")
    cell = tables[0].rows[0][1]
    assert from_markdown(formats.markdown(tables)).rows[0][1] == in_one(cell)
    assert Page(formats.html(tables)).rows[-1][1] == f"{cell.text} {cell.small}"
    ((*_, row, _, _),) = from_latex(formats.latex(tables))
    assert row[1] == cell.text.replace("�", "?").replace("ˆ", "^")
    (line,) = csv.DictReader(io.StringIO(formats.as_csv(leaderboard([replace(RUN, label=name)])), newline=""))
    assert f"{unescape_csv(line['label'])} †".strip() == cell.text.strip()


RUN = entry("m")


def test_a_rank_that_rests_on_suspects_is_marked_with_those_that_they_leave_open():
    spoilt = entry("spoilt")
    found = {"count": 2, "by_reason": {"tokens": 2}, "S_l": None}
    spoilt = replace(spoilt, summary=replace(spoilt.summary, suspects=found))
    runs = [RankedRun(spoilt, 1, 1, (1, 2)), RankedRun(entry("clear"), 2, 2)]
    ranking = Ranking("all", S_L, runs)
    (table,) = ranked_tables([ranking], "length")
    assert [row[1].text for row in table.rows] == ["spoilt † §", "clear †"]
    assert [row[0].text for row in table.rows] == ["1", "2"]
    (note,) = [note for note in table.notes if note.startswith("§")]
    assert "spoilt has 2" in note
    assert "1-2" in note
    values = json.loads(formats.as_json([ranking]))["blocks"][0]["runs"]
    assert [run["rank_whatever_suspects"] for run in values] == [[1, 2], None]
