"""The result table of one run, on stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longbench_write.cli.terminal import printable
from longbench_write.summary import Summary

if TYPE_CHECKING:
    from rich.table import Table

_HEADLINES = (("S̄", "S_bar"), ("S_l", "S_l"), ("S_q", "S_q"))

_PLAIN_WIDTH = 110
"""Columns where the output is no terminal."""


def show(summary: Summary, path: Path, *, as_json: bool) -> None:
    """Print a summary on stdout, and where its files are on stderr."""
    if as_json:
        sys.stdout.write(summary.to_json())
        return
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    console.print(result_table(summary))
    for line in footer(summary, path):
        console.print(line, markup=False, soft_wrap=True)
    print(f"files: {path}", file=sys.stderr)  # noqa: T201


def exit_code(summary: Summary, *, strict: bool) -> int:
    """1 where nothing came of a run, or with `strict` where any prompt is without a score; else 0.

    Why nothing came of it is said on stderr.
    """
    counts = summary.counts
    scored = counts["judged" if summary.judge else "generated"]
    if not scored:
        what = "judgement" if counts["generated"] else "response"
        reasons = _reasons(summary.judge_failures if counts["generated"] else summary.failures)
        hint = "; ask for fewer tokens with --max-tokens" if "context_length" in summary.failures else ""
        print(f"lbw-eval: not one {what} came{reasons}{hint}", file=sys.stderr)  # noqa: T201
    return int(not scored or (strict and scored < counts["owed"]))


def result_table(summary: Summary) -> Table:
    """S̄, S_l, S_q, the dimensions and the counts, over all and by length range."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    judge = f"judge {summary.judge}" if summary.judge else "no judge"
    table = Table(
        title=Text(printable(f"{summary.suite} · {summary.model} · {judge}"), style="bold"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
    )
    table.add_column("")
    table.add_column("all", justify="right", style="bold")
    for row in summary.by_length:
        table.add_column(row["range"], justify="right")
    columns = [_whole(summary), *summary.by_length]
    for label, name in (("S̄", "S_bar"), ("S_l (length)", "S_l"), ("S_q (quality)", "S_q")):
        table.add_row(label, *(_number(column[name]) for column in columns), style="bold")
    for dimension in summary.dimensions if summary.judge else ():
        table.add_row(f"  {dimension}", *(_number(column["dimensions"][dimension]) for column in columns))
    table.add_row("responses", *(str(column["n"]) for column in columns))
    if summary.judge:
        table.add_row("judged", *(str(column["judged"]) for column in columns))
    for flag in ("truncated", "empty", "repetitive", "wrong_language", "refused"):
        if summary.counts[flag]:
            table.add_row(flag.replace("_", " "), *(str(column[flag]) for column in columns))
    return table


def _whole(summary: Summary) -> dict[str, Any]:
    """The column over all, with the keys of a row of `by_length`."""
    counts = summary.counts
    return {
        "S_bar": summary.S_bar,
        "S_l": summary.S_l,
        "S_q": summary.S_q,
        "dimensions": summary.dimensions,
        "n": counts["generated"],
        **counts,
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def footer(summary: Summary, path: Path) -> list[str]:
    """What stands under the table: intervals, how every prompt ended, and what must be known."""
    counts = summary.counts
    intervals = [
        f"{label} {low_high[0]:.1f} to {low_high[1]:.1f}"
        for label, name in _HEADLINES
        if (low_high := summary.ci[name])
    ]
    lines = [f"95% intervals: {', '.join(intervals)}"] if intervals else []
    if summary.range_mean["S_l"] is not None:
        means = [f"{label} {_number(summary.range_mean[name])}" for label, name in _HEADLINES]
        lines.append(f"unweighted mean of the four length ranges: {', '.join(means)}")
    if summary.S_l is not None and summary.S_l_unicode is not None:
        difference = summary.S_l_unicode - summary.S_l
        lines.append(f"S_l by the Unicode-aware word count: {summary.S_l_unicode:.1f} ({difference:+.1f})")
    lines.append(
        f"{counts['owed']} owed = {counts['generated']} generated + {counts['generation_failed']} failed"
        f"{_reasons(summary.failures)} + {counts['not_generated']} not generated"
    )
    if not summary.judge:
        lines.append(f"S_q is missing: nobody judged; add it with `lbw-eval judge {path} --judge NAME`")
        return [printable(line) for line in lines]
    lines.append(
        f"{counts['generated']} generated = {counts['judged']} judged + {counts['judge_failed']} judge failed"
        f"{_reasons(summary.judge_failures)} + {counts['not_judged']} not judged"
    )
    if summary.S_q_bounds and counts["judged"] < counts["generated"]:
        low, high = summary.S_q_bounds
        lines.append(
            f"S_q lies between {_number(low)} and {_number(high)}, whatever the missing ones are worth"
        )
    if summary.judge_note:
        lines.append(f"{summary.judge}: {summary.judge_note}")
    return [printable(line) for line in lines]


def _reasons(failures: dict[str, int]) -> str:
    return f" ({', '.join(f'{kind} {number}' for kind, number in failures.items())})" if failures else ""
