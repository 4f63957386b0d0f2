"""A ranking as the page shows it: its tables and its plots."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from longbench_write.compare.collection import Block
from longbench_write.compare.ranking import Ranking
from longbench_write.leaderboards.layout import By, Table, ranked_tables
from longbench_write.render.text import one_line
from longbench_write.scoring.server_lines import server_lines

_WIDE = 9.0
"""Inches from which on a figure has panels side by side."""


@dataclass(frozen=True)
class PlotImage:
    """A figure: what it is of, a data URL of its SVG, and whether it needs the width of two."""

    title: str
    source: str
    wide: bool


@dataclass(frozen=True)
class RankingSection:
    """A block of comparable runs.

    Attributes:
        title: What they share.
        names: Their names on this page, in the order of the tables' rows.
        tables: The leaderboard with each breakdown; without a judge there is none by dimension.
        servers: What must be known of each run's servers, a sentence each.
        plots: Every figure that there are data for.
    """

    title: str
    names: Sequence[str]
    tables: dict[By, Table]
    servers: list[str]
    plots: list[PlotImage]


def section(ranking: Ranking, names: Sequence[str]) -> RankingSection:
    """Return a ranking's section; `names` are its runs' names on this page, in its order."""
    judged = any(ranked.entry.summary.judge for ranked in ranking.runs)
    tables: dict[By, Table] = {}
    for by in get_args(By):
        if judged or by != "dimension":
            (tables[by],) = ranked_tables([ranking], by)
    servers = [
        one_line(f"{ranked.entry.label}: {told}")
        for ranked in ranking.runs
        for told in server_lines(ranked.entry.summary)
    ]
    return RankingSection(tables["length"].title, names, tables, servers, _plots(ranking))


def _plots(ranking: Ranking) -> list[PlotImage]:
    from longbench_write.plots import figures
    from longbench_write.plots.save import render

    block = Block(ranking.title, [ranked.entry for ranked in ranking.runs])
    return [
        PlotImage(
            f"{name[0].upper()}{name[1:]}".replace("-", " "),
            f"data:image/svg+xml;base64,{base64.b64encode(render(figure, 'svg')).decode()}",
            figure.get_figwidth() > _WIDE,
        )
        for name, figure in figures(block).items()
    ]
