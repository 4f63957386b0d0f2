"""Leaderboards as text: Markdown, LaTeX and HTML from laid-out tables, CSV and JSON with every figure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from longbench_write.compare.ranking import RankedRun, Ranking
from longbench_write.leaderboards.layout import Cell, Column, Table, groups, narrow
from longbench_write.leaderboards.published import Published
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BESIDE, HEADLINES
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import CRITERIA, S_Q
from longbench_write.render.csv import escape_csv
from longbench_write.render.html import render_html
from longbench_write.render.latex import escape_latex
from longbench_write.render.markdown import escape_markdown
from longbench_write.render.text import one_line
from longbench_write.scoring.figures import interval_in, value_in

SCHEMA = 1


def spans(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Return the neighbouring columns of one group: its name ("" for none) and how many they are."""
    return [(group, len(list(run))) for group, run in groupby(column.group for column in columns)]


def markdown(tables: Iterable[Table]) -> str:
    """Return GitHub-flavoured Markdown: a heading, a table and its notes for each."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Table) -> str:
    heads = [escape_markdown(f"{column.head} {column.group}".strip()) for column in table.columns]
    rules = [":--" if column.prose else "--:" for column in table.columns]
    rows = [[_md_cell(cell) for cell in row] for row in table.rows]
    lines = [f"| {' | '.join(row)} |" for row in (heads, rules, *rows)]
    notes = [f"{escape_markdown(note)}\n" for note in table.notes]
    return "\n".join([f"### {escape_markdown(table.title)}\n", *lines, "", *notes])


def _md_cell(cell: Cell) -> str:
    return escape_markdown(cell.text) + (f" ({escape_markdown(cell.small)})" if cell.small else "")


def latex(tables: Iterable[Table]) -> str:
    r"""Return a LaTeX table for each, shrunk where it is wider than the text.

    Needs \usepackage{array,booktabs,graphicx}, and XeLaTeX or LuaLaTeX for names beyond ASCII.
    """
    return "% \\usepackage{array,booktabs,graphicx}\n" + "\n".join(_latex(table) for table in tables)


def _latex(table: Table) -> str:
    kinds = "".join(
        r">{\raggedright\arraybackslash}p{13em}" if column.prose else "r" for column in table.columns
    )
    heads = [[_tex_head(column.head) for column in table.columns]]
    rules = ""
    if any(column.group for column in table.columns):
        heads.insert(
            0, [f"\\multicolumn{{{n}}}{{c}}{{{_tex_head(group)}}}" for group, n in spans(table.columns)]
        )
        rules = " ".join(
            f"\\cmidrule(lr){{{start}-{start + n - 1}}}" for group, start, n in _places(table) if group
        )
    head, *more = [f"{' & '.join(row)} \\\\" for row in heads]
    return "\n".join(
        [
            "\\begin{table}\n\\centering\n\\footnotesize\n\\setlength{\\tabcolsep}{3pt}",
            f"\\caption{{{escape_latex(table.title)}}}",
            "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%",
            f"\\begin{{tabular}}{{{kinds}}}\n\\toprule",
            *(line for line in (head, rules, *more) if line),
            "\\midrule",
            *(line for row in table.rows for line in _tex_row(row)),
            "\\bottomrule\n\\end{tabular}}",
            "\\par\\smallskip\\raggedright",
            *(f"{escape_latex(note)}\\par" for note in table.notes),
            "\\end{table}\n",
        ]
    )


def _places(table: Table) -> Iterator[tuple[str, int, int]]:
    """Yield each group, the number of its first column, from 1, and how many they are."""
    start = 1
    for group, count in spans(table.columns):
        yield group, start, count
        start += count


def _tex_head(text: str) -> str:
    lines = [escape_latex(line) for line in narrow(text).split("\n")]
    return lines[0] if len(lines) == 1 else "\\shortstack{" + "\\\\".join(lines) + "}"


def _tex_row(row: Sequence[Cell]) -> list[str]:
    """Return the row, and under it what is in small print."""
    lines = [" & ".join(escape_latex(cell.text) for cell in row)]
    if any(cell.small for cell in row):
        lines.append(" & ".join(cell.small and f"\\scriptsize {escape_latex(cell.small)}" for cell in row))
    return [f"{line} \\\\" for line in lines]


def html(tables: Iterable[Table]) -> str:
    """Return one HTML page that needs nothing else."""
    values = {"tables": list(tables), "spans": spans}
    return render_html("longbench_write.leaderboards", "page.html.jinja", **values)


def as_json(rankings: Iterable[Ranking], references: Iterable[Published] = ()) -> str:
    """Return everything as one JSON object."""
    board = {
        "schema": SCHEMA,
        "blocks": [
            {
                "title": ranking.title,
                "ranked_by": ranking.metric.name,
                "rank_method": ranking.method,
                "notes": ranking.notes,
                "runs": [_json_run(ranked) for ranked in ranking.runs],
            }
            for ranking in rankings
        ],
        "published": [vars(reference) for reference in references],
    }
    return json.dumps(board, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _json_run(ranked: RankedRun) -> dict[str, Any]:
    return {
        "rank": [ranked.best, ranked.worst],
        "rank_whatever_suspects": ranked.whatever,
        "label": ranked.entry.label,
        "complete": ranked.complete,
        "path": ranked.entry.path.as_posix(),
        "summary": ranked.entry.summary.to_dict(),
    }


_TEXTS = ("model", "writer", "suite", "judge", "convention", "note")


def as_csv(rankings: Iterable[Ranking], references: Iterable[Published] = ()) -> str:
    """Return a line a run, then a line a published result; every figure unrounded, empty where there is none.

    A group's columns are named after it, such as `length/[0,500)/S_l`. Texts are one printable line each and
    no formula.
    """
    records = [
        _csv_run(block, ranking, ranked)
        for block, ranking in enumerate(rankings, start=1)
        for ranked in ranking.runs
    ]
    records += [_csv_published(reference) for reference in references]
    text = io.StringIO()
    names = dict.fromkeys(name for record in records for name in record)
    table = csv.DictWriter(text, list(names), lineterminator="\n")
    table.writerow({name: escape_csv(name) for name in names})
    table.writerows(
        {key: escape_csv(v) if isinstance(v, str) else v for key, v in record.items()} for record in records
    )
    return text.getvalue()


def _csv_run(block: int, ranking: Ranking, ranked: RankedRun) -> dict[str, Any]:
    summary = ranked.entry.summary
    record: dict[str, Any] = {
        "block": block,
        "title": one_line(ranking.title),
        "ranked_by": ranking.metric.name,
        "best_rank": ranked.best,
        "worst_rank": ranked.worst,
        "label": one_line(ranked.entry.label),
        **{name: one_line(getattr(summary, name) or "") for name in _TEXTS},
        **_figures(summary.overall, "", summary.others),
        **{f"range_mean/{metric.name}": summary.range_mean[metric.name] for metric in HEADLINES},
        "complete": int(ranked.complete),
        **summary.counts,
        "samples": summary.samples,
        **summary.settings,
        "start": summary.start,
        "seconds": summary.seconds,
        **{f"tokens/{who}/{kind}": n for who, kinds in summary.usage.items() for kind, n in kinds.items()},
        **{f"cost/{who}": cost for who, cost in summary.cost.items()},
        "path": ranked.entry.path.as_posix(),
    }
    for by in ("length", "language", "type"):
        for label, group in groups(summary, by).items():
            prefix = f"{by}/{one_line(label)}/"
            record |= {f"{prefix}n": group["n"], f"{prefix}judged": group["judged"]}
            record |= _figures(group, prefix, summary.others)
    return record


def _figures(group: Mapping[str, Any], prefix: str, others: Sequence[Metric]) -> dict[str, float | None]:
    """Return what a summary and its groups have: every metric, its interval and bounds where it has any."""
    found: dict[str, float | None] = {}
    for metric in HEADLINES:
        found |= _with_ends(group, metric)
    for metric in (S_Q, S_L):
        least, most = group.get(f"{metric.name}_bounds") or (None, None)
        found |= {f"{metric.name}_least": least, f"{metric.name}_most": most}
    found |= {metric.name: value_in(group, metric) for metric in (*BESIDE, *CRITERIA)}
    for metric in others:
        found |= _with_ends(group, metric)
    return {f"{prefix}{name}": value for name, value in found.items()}


def _with_ends(group: Mapping[str, Any], metric: Metric) -> dict[str, float | None]:
    low, high = interval_in(group, metric) or (None, None)
    return {metric.name: value_in(group, metric), f"{metric.name}_low": low, f"{metric.name}_high": high}


def _csv_published(reference: Published) -> dict[str, Any]:
    record: dict[str, Any] = {
        "title": "published",
        "label": reference.model,
        "model": reference.model,
        "suite": reference.suite,
        **reference.scores,
        **{f"range_mean/{name}": value for name, value in reference.range_mean.items()},
        "origin": reference.origin,
        "judge": reference.judge,
        "convention": reference.convention,
        "derived": " ".join(reference.derived),
        "source": reference.source,
        "read_on": reference.read_on,
    }
    for label, scores in reference.by_length.items():
        record |= {f"length/{label}/{name}": value for name, value in scores.items()}
    return record
