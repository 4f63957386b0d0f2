"""Rankings and published results as tables of text, the same for every format that people read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from longbench_write.compare.ranking import RankedRun, Ranking, ranked_metrics
from longbench_write.leaderboards.published import Published
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES, has_own_keys
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import CRITERIA, FORMULA, S_BAR
from longbench_write.render.text import one_line
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.scoring.flags import FLAGS
from longbench_write.scoring.summary import CONVENTION, Summary
from longbench_write.serving.messages import ceiling_mark
from longbench_write.suites.suite import LENGTH_RANGES

By = Literal["length", "language", "type", "dimension"]

INCOMPLETE = "†"
CUT = "‡"
SPOILT = "§"
DERIVED = "*"


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        head: What stands over it.
        group: What stands over it and its neighbours of the same group.
        prose: Whether its cells are texts, which may be broken over lines; otherwise numbers.
        spare: Whether it is the first to go where there is little space.
    """

    head: str
    group: str = ""
    prose: bool = False
    spare: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and what stands under it in small print."""

    text: str = ""
    small: str = ""


@dataclass(frozen=True)
class Table:
    """One block of a leaderboard; each row has a cell a column."""

    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)


_Filled = tuple[Column, list[Cell]]
"""A column and its cells."""


def _table(title: str, filled: Sequence[_Filled], notes: Iterable[str]) -> Table:
    rows = [list(row) for row in zip(*(cells for _, cells in filled), strict=True)]
    return Table(one_line(title), [column for column, _ in filled], rows, [one_line(note) for note in notes])


def ranked_tables(rankings: Iterable[Ranking], by: By) -> list[Table]:
    """Return a table for each ranking: rank, run, scores with intervals, and one breakdown."""
    return [_ranked_table(ranking, by) for ranking in rankings]


def _ranked_table(ranking: Ranking, by: By) -> Table:
    summaries = [ranked.entry.summary for ranked in ranking.runs]
    judged = any(summary.judge for summary in summaries)
    shown = [metric for metric in ranked_metrics(summaries) if judged or not metric.needs_judge]
    crowded = by in ("type", "dimension")
    scores = [
        (
            Column(metric.symbol, spare=crowded and metric != ranking.metric),
            [_with_interval(summary, metric) for summary in summaries],
        )
        for metric in shown
    ]
    runs: list[_Filled] = [
        (Column("rank"), [Cell(_rank(ranked)) for ranked in ranking.runs]),
        (Column("model", prose=True), [_run(ranked) for ranked in ranking.runs]),
    ]
    breakdown = _breakdown(
        summaries, by, [metric for metric in shown if has_own_keys(metric.name)], ranking.metric
    )
    return _table(ranking.title, runs + scores + breakdown, _notes(ranking, by))


def _rank(ranked: RankedRun) -> str:
    if ranked.best is None:
        return "-"
    return _range(ranked.best, ranked.worst or ranked.best)


def _range(best: int, worst: int) -> str:
    return f"{best}" if best == worst else f"{best}-{worst}"


def _run(ranked: RankedRun) -> Cell:
    counts = ranked.entry.summary.counts
    generated, judged = counts["generated"], counts["judged"]
    parts = [
        f"{generated} written" if generated == counts["owed"] else f"{generated} of {counts['owed']} written"
    ]
    if ranked.entry.summary.judge:
        parts.append(f"{judged} judged")
        if judged == counts["owed"]:
            del parts[0]
    parts += [f"{counts[flag]} {flag.replace('_', ' ')}" for flag in FLAGS if counts.get(flag)]
    marks = [INCOMPLETE] * (not ranked.complete) + [CUT] * bool(ranked.entry.summary.ceilings)
    marks += [SPOILT] * (ranked.whatever is not None)
    mark = "".join(f" {each}" for each in marks)
    return Cell(one_line(ranked.entry.label + mark), ", ".join(parts))


def _with_interval(summary: Summary, metric: Metric) -> Cell:
    interval = interval_in(summary.overall, metric)
    return Cell(
        number(value_in(summary.overall, metric)), "-".join(map(number, interval)) if interval else ""
    )


def number(value: float | None) -> str:
    """Format with one decimal; a dash where there is no number."""
    return "-" if value is None else f"{value:.1f}"


def _breakdown(
    summaries: Sequence[Summary], by: By, shown: Sequence[Metric], ranked: Metric
) -> list[_Filled]:
    if by == "dimension":
        found = [
            (metric, [value_in(summary.overall, metric) for summary in summaries]) for metric in CRITERIA
        ]
        return [
            _numbers(Column(metric.symbol), values)
            for metric, values in found
            if any(value is not None for value in values)
        ]
    labels = sorted({label for summary in summaries for label in groups(summary, by)}, key=_order)

    def filled(column: Column, label: str, metric: Metric) -> _Filled:
        found = [groups(summary, by).get(label) for summary in summaries]
        return _numbers(column, [None if group is None else value_in(group, metric) for group in found])

    if by == "type":
        return [filled(Column(one_line(label)), label, ranked) for label in labels]
    pair = [metric for metric in shown if not metric.parts]
    parts = [
        filled(Column(metric.symbol, one_line(label)), label, metric) for label in labels for metric in pair
    ]
    if by == "length" and any(summary.range_mean[S_L.name] is not None for summary in summaries):
        parts += [
            _numbers(
                Column(metric.symbol, "mean of the four ranges", spare=True),
                [summary.range_mean[metric.name] for summary in summaries],
            )
            for metric in pair
        ]
    return parts


def _numbers(column: Column, values: Iterable[float | None]) -> _Filled:
    return column, [Cell(number(value)) for value in values]


def _order(label: str) -> tuple[int, str]:
    return (LENGTH_RANGES.index(label) if label in LENGTH_RANGES else len(LENGTH_RANGES)), label


def groups(summary: Summary, by: str) -> dict[str, dict[str, Any]]:
    """Return the groups of a summary by "length", "language" or "type", each with its figures."""
    if by == "length":
        return {group["range"]: group for group in summary.by_length}
    found: dict[str, dict[str, Any]] = getattr(summary, f"by_{by}")
    return found


def _notes(ranking: Ranking, by: By) -> list[str]:
    """Return what must be known of a block, then of each of its incomplete runs."""
    heads = [ranked.entry.summary for ranked in ranking.runs]
    formula = f" = {FORMULA}" if heads[0].convention == CONVENTION else f", convention {heads[0].convention}"
    combined = ranking.metric == S_BAR
    what = ranking.metric.symbol + (formula if combined else "")
    ranked = f"Ranked by {what}. " if len(heads) > 1 or combined else ""
    notes = [f"{ranked}Small ranges are 95% intervals."]
    if len(heads) > 1:
        notes.append(
            "A rank is a range where prompt by prompt nothing tells runs apart; all ranks hold together with "
            f"95% confidence ({ranking.method})."
        )
    notes += ranking.notes
    if by == "type":
        notes.append(f"The columns by type are {ranking.metric.symbol}.")
    notes += dict.fromkeys(f"{head.judge}: {head.judge_note}" for head in heads if head.judge_note)
    notes += [
        f"{ranked.entry.label}: {ranked.entry.summary.note}"
        for ranked in ranking.runs
        if ranked.entry.summary.note
    ]
    notes += [
        f"{CUT} {ranked.entry.label}: {ceiling_mark(ranked.entry.summary.ceilings)}"
        for ranked in ranking.runs
        if ranked.entry.summary.ceilings
    ]
    notes += _spoilt(ranking)
    incomplete = [ranked for ranked in ranking.runs if not ranked.complete]
    if incomplete and len(heads) > 1:
        notes.append(f"{INCOMPLETE} incomplete: {_worth_of_missing(ranking.metric)}.")
    return notes + [_shortfall(ranked) for ranked in incomplete]


def _spoilt(ranking: Ranking) -> list[str]:
    """Return which runs have suspects where a rank rests on them, and the ranks that those leave open."""
    ranks = [f"{ranked.entry.label} {_range(*ranked.whatever)}" for ranked in ranking.runs if ranked.whatever]
    if not ranks:
        return []
    suspects = [
        f"{ranked.entry.label} has {found['count']}"
        for ranked in ranking.runs
        if (found := ranked.entry.summary.suspects) and found["count"]
    ]
    return [
        f"{SPOILT} rests on suspects, responses that a server probably spoilt ({', '.join(suspects)}): "
        f"whatever they are worth, the ranks are {', '.join(ranks)}."
    ]


def _worth_of_missing(metric: Metric) -> str:
    """Return what a ranking by this metric makes of missing responses; see `ranking.leaderboard`."""
    if metric.range is None:
        return "ordered by what is there, told apart from no other: what is missing could be worth anything"
    worst, best = metric.range if metric.higher_is_better else reversed(metric.range)
    return (
        f"ordered as if what is missing were worth {worst:g}, told apart from another only where that holds "
        f"whatever it is worth, from {worst:g} to {best:g}"
    )


def _shortfall(ranked: RankedRun) -> str:
    summary = ranked.entry.summary
    counts = summary.counts
    text = f"{INCOMPLETE} {ranked.entry.label}: {counts['generated']} of {counts['owed']} written"
    text += _reasons(summary.failures, counts["not_generated"])
    unjudged = bool(summary.judge) and counts["judged"] < counts["generated"]
    if unjudged:
        text += f", {counts['judged']} of them judged"
        text += _reasons(summary.judge_failures, counts["not_judged"])
    if counts["generation_failed"]:
        text += _between("S_l", summary.S_l_bounds, "failed ones")
    if unjudged:
        text += _between("S_q", summary.S_q_bounds, "missing judgements")
    return text + "."


def _between(name: str, bounds: Sequence[float | None] | None, what: str) -> str:
    """Return where a score lies, as the end of a sentence; "" where that is not known."""
    if not bounds or bounds[0] is None:
        return ""
    low, high = map(number, bounds)
    return f"; {name} lies between {low} and {high}, whatever the {what} are worth"


def _reasons(failures: Mapping[str, int], not_asked: int) -> str:
    reasons = [f"{count} {kind}" for kind, count in failures.items()]
    reasons += [f"{not_asked} not yet asked"] if not_asked else []
    return f" ({', '.join(reasons)})" if reasons else ""


def published_tables(rows: Iterable[Published]) -> list[Table]:
    """Return a table a suite of what others published, unranked, each row with its source."""
    suites: dict[str, list[Published]] = {}
    for row in rows:
        suites.setdefault(row.suite, []).append(row)
    return [_published_table(suite, found) for suite, found in suites.items()]


def _published_table(suite: str, rows: Sequence[Published]) -> Table:
    pair = [metric for metric in HEADLINES if not metric.parts]
    values: list[tuple[Column, list[float | None]]] = []
    for label in LENGTH_RANGES[:4]:
        values += [
            (Column(metric.symbol, label), [row.by_length[label][metric.name] for row in rows])
            for metric in pair
        ]
    values += [
        (Column(metric.symbol, "mean of the four ranges"), [row.range_mean[metric.name] for row in rows])
        for metric in pair
    ]
    figures = [
        (Column(metric.symbol), [_published_score(row, metric) for row in rows])
        for metric in HEADLINES
        if any(row.scores[metric.name] is not None for row in rows)
    ]
    figures += [
        (column, [Cell() if value is None else Cell(number(value)) for value in found])
        for column, found in values
        if any(value is not None for value in found)
    ]
    return _table(
        f"published · {suite}",
        [
            (
                Column("model", prose=True),
                [Cell(row.model, f"judge {row.judge}" if row.judge else "judge not named") for row in rows],
            ),
            (Column("by", spare=True), [Cell(row.origin) for row in rows]),
            *figures,
            (Column("read in", prose=True), [Cell(row.source, _how_read(row)) for row in rows]),
        ],
        [
            "Published results, not ranked: judges, conventions and settings differ from source to source.",
            "GPT-4o alone reads 78.6, 67.4, 83.1, 67.2 and 90.43 in five papers.",
            f"{DERIVED} was read nowhere; it follows from the other two scores of its row.",
        ],
    )


def _published_score(row: Published, metric: Metric) -> Cell:
    if (value := row.scores[metric.name]) is None:
        return Cell()
    return Cell(number(value) + (f" {DERIVED}" if metric.name in row.derived else ""))


def _how_read(row: Published) -> str:
    """Return what the scores of a row are, and when they were read."""
    return f"{row.convention or 'convention not stated'}; read {row.read_on}"


def narrow(head: str) -> str:
    """Break a head over as many lines as keep it narrow."""
    return textwrap.fill(head, max(9, *map(len, head.split() or [""])), break_long_words=False)
