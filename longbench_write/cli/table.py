"""The result table of one run, on stdout."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import CRITERIA
from longbench_write.render.ci_log import escape_ci_log
from longbench_write.render.console import console
from longbench_write.render.terminal import print_output
from longbench_write.runs.folder import SCORES
from longbench_write.runs.store import Owed
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.scoring.server_lines import server_lines
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows
from longbench_write.serving.suspects import CAUSES

if TYPE_CHECKING:
    from rich.table import Table


def show(summary: Summary, path: Path, *, as_json: bool) -> None:
    """Print a summary on stdout, and where its files are on stderr."""
    if as_json:
        text = summary.to_json()
        print_output([text])
        return
    screen = console()
    screen.print(result_table(summary))
    for line in footer(summary, path):
        screen.print(line, markup=False, soft_wrap=True)
    print(f"files: {path}", file=sys.stderr)  # noqa: T201


def show_suspects(path: Path) -> None:
    """Print which responses of a scored run are suspect, and what usually causes each reason.

    Raises:
        RunFolderError: Its scores.csv cannot be read.
    """
    from rich.text import Text

    rows = [row for row in read_rows(path / SCORES) if row.suspect]
    screen = console()
    if not rows:
        screen.print("no response is suspect")
        return
    table = plain_table(f"{len(rows)} suspect responses, scored as they stand")
    for name, justify in (
        ("prompt", "left"),
        ("sample", "right"),
        ("required", "right"),
        ("written", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("suspect: why", justify="left")
    for row in rows:
        required = "-" if row.length is None else str(row.length)
        texts = (row.id, str(row.sample), required, str(row.response_length), ", ".join(row.suspect))
        table.add_row(*(Text(escape_ci_log(text)) for text in texts))
    screen.print(table)
    for reason, cause in CAUSES.items():
        if any(reason in row.suspect for row in rows):
            screen.print(f"{reason}: {cause}", markup=False, soft_wrap=True)
    screen.print("docs/servers.md, Suspects, says more", markup=False)


def plain_table(title: str) -> Table:
    """Make an empty table in the style of all tables, whose title is untrusted text."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    return Table(
        title=Text(escape_ci_log(title), style="bold"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
    )


def exit_code(summary: Summary, owed: Owed, *, strict: bool) -> int:
    """Return the code that a command on a run ends with; say on stderr why it is 1, and what is owed.

    Args:
        summary: Of the whole run.
        owed: What the command itself asked for and did not get.
        strict: Whether what failed permanently, and what a server cut off, counts too.

    Returns:
        1 where nothing came of the run, where anything is owed, or with `strict` where any prompt that was
        asked for has no score or a server cut an answer off; else 0.
    """
    counts = summary.counts
    scored = counts["judged" if summary.judge else "generated"]
    if not scored:
        what = "judgement" if counts["generated"] else "response"
        reasons = _reasons(summary.judge_failures if counts["generated"] else summary.failures)
        hint = "; ask for fewer tokens with --max-tokens" if "context_length" in summary.failures else ""
        _say(f"not one {what} came{reasons}{hint}")
    if owed.total:
        _say(f"not finished: {owed} owed; run the same command again")
    elif owed.failed:
        _say(f"{owed.failed} failed permanently, which is not owed; --retry-failed retries them")
    lacking = Owed(counts["remaining"], counts["judgements_remaining"], 0)
    if lacking.total > owed.total:
        _say(f"of all that was ever asked of this run, {lacking} are owed")
    # What a judge's server cut has failed, and is counted so, or was judged in parts.
    cut = any(ceiling["count"] for ceiling in summary.ceilings if ceiling["role"] != "judge")
    return int(not scored or owed.total > 0 or (strict and (owed.failed > 0 or cut)))


def _say(text: str) -> None:
    print(f"lbw-eval: {text}", file=sys.stderr)  # noqa: T201


def result_table(summary: Summary) -> Table:
    """Make the table of S̄, S_l, S_q, the dimensions and the counts, over all and by length range."""
    from rich.text import Text

    from longbench_write.scoring.flags import FLAGS

    judge = f"judge {summary.judge}" if summary.judge else "no judge"
    table = plain_table(f"{summary.suite} · {summary.model} · {judge}")
    table.add_column("")
    table.add_column("all", justify="right", style="bold")
    for row in summary.by_length:
        table.add_column(Text(escape_ci_log(row["range"])), justify="right")
    columns = [summary.overall, *summary.by_length]
    for metric in HEADLINES:
        table.add_row(metric.label, *(_number(value_in(column, metric)) for column in columns), style="bold")
    for metric in CRITERIA if summary.judge else ():
        table.add_row(f"  {metric.symbol}", *(_number(value_in(column, metric)) for column in columns))
    for metric in summary.others:
        values = [_number(value_in(column, metric)) for column in columns]
        table.add_row(Text(escape_ci_log(metric.label)), *values)
    table.add_row("responses", *(str(column["n"]) for column in columns))
    if summary.judge:
        table.add_row("judged", *(str(column["judged"]) for column in columns))
    for flag in FLAGS:
        if summary.counts.get(flag):
            table.add_row(flag.replace("_", " "), *(str(column[flag]) for column in columns))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _means(means: Mapping[str, Any], intervals: Mapping[str, Any]) -> str:
    """Return the headlines of a mean in words, each with its interval where it has one."""
    told = []
    for metric in HEADLINES:
        ends = intervals.get(metric.name)
        told.append(
            f"{metric.symbol} {_number(means[metric.name])}"
            + (f" ({ends[0]:.1f} to {ends[1]:.1f})" if ends else "")
        )
    return ", ".join(told)


def footer(summary: Summary, path: Path) -> list[str]:
    """Return what stands under the table: intervals, how every prompt ended, and what must be known."""
    counts = summary.counts
    intervals = [
        f"{metric.symbol} {low_high[0]:.1f} to {low_high[1]:.1f}"
        for metric in (*HEADLINES, *summary.others)
        if (low_high := interval_in(summary.overall, metric))
    ]
    lines = [f"95% intervals: {', '.join(intervals)}"] if intervals else []
    if summary.range_mean[S_L.name] is not None:
        means = _means(summary.range_mean, summary.ci.get("range_mean") or {})
        lines.append(f"unweighted mean of the four length ranges: {means}")
    if summary.weighted and summary.is_selection:
        means = _means(summary.weighted, summary.weighted["ci"])
        lines.append(
            "the scores above are of the prompts that were asked for; by the whole suite's shares of the "
            f"length ranges: {means}"
        )
    if summary.S_l is not None and summary.S_l_unicode is not None:
        difference = summary.S_l_unicode - summary.S_l
        lines.append(f"S_l by the Unicode-aware word count: {summary.S_l_unicode:.1f} ({difference:+.1f})")
    if summary.S_l_rule is not None:
        lines.append(f"S_l by the rule that each prompt states: {summary.S_l_rule:.1f}")
    lines.append(
        f"{counts['owed']} owed = {counts['generated']} generated + {counts['generation_failed']} failed"
        f"{_reasons(summary.failures)} + {counts['not_generated']} not generated"
    )
    if summary.S_l_bounds and summary.S_l_bounds[0] is not None and counts["generation_failed"]:
        low, high = summary.S_l_bounds
        lines.append(
            f"S_l lies between {_number(low)} and {_number(high)}, whatever the failed ones are worth"
        )
    if incomplete := counts.get("incomplete"):
        lines.append(f"{incomplete} prompts have some of their samples and lack others")
    again = {"the model": counts["retries"], "the judge": counts.get("judge_retries", 0)}
    if told := [f"{number} of {whom}" for whom, number in again.items() if number]:
        lines.append(f"retried after transient failures: {', '.join(told)}")
    if ended := max(counts.get("ended_at_control_token", 0), sum(summary.control_tokens.values())):
        which = ", ".join(f"{token} {number}" for token, number in summary.control_tokens.items())
        lines.append(
            f"{ended} answers ended at a control token that stood in their text{which and f' ({which})'}; "
            "the records keep what followed, as `raw`"
        )
    if reasoned := counts.get("limit_spent_on_reasoning"):
        lines.append(
            f"{reasoned} of the {counts['truncated']} truncated responses spent over half of their tokens on "
            "reasoning: raise --max-tokens, or ask for less reasoning"
        )
    lines += _of_plans(summary.steps or {})
    lines += server_lines(summary)
    if summary.suspects and summary.suspects["count"]:
        lines[-1] += f"; `lbw-eval score {path} --suspects` lists them"
    lines += _of_judge(summary) if summary.judge else [_WITHOUT_JUDGE.format(path=path)]
    if known := [f"{who} {cost:,.2f}" for who, cost in summary.cost.items() if cost is not None]:
        lines.append(f"cost at the prices given: {', '.join(known)}")
    if summary.note:
        lines.append(summary.note)
    return [escape_ci_log(line) for line in lines]


def _of_plans(steps: Mapping[str, int]) -> list[str]:
    """Return which half misses the length, the plans or the text that follows them; of `Summary.steps`."""
    if not steps.get("planned"):
        return []
    of_required = (
        f", {steps['planned'] / steps['required']:.0%} of those required" if steps["required"] else ""
    )
    return [
        f"plans: {steps['number']:,} steps of {steps['planned']:,} words in all{of_required}; written: "
        f"{steps['written'] / steps['planned']:.0%} of those planned"
    ]


_WITHOUT_JUDGE = "S_q is missing: nobody judged; add it with `lbw-eval judge {path} --judge NAME`"


def _of_judge(summary: Summary) -> list[str]:
    """Return what must be known of the judgements."""
    counts = summary.counts
    lines = [
        f"{counts['generated']} generated = {counts['judged']} judged + {counts['judge_failed']} judge failed"
        f"{_reasons(summary.judge_failures)} + {counts['not_judged']} not judged"
    ]
    if summary.S_q_bounds and counts["judged"] < counts["generated"]:
        low, high = summary.S_q_bounds
        lines.append(
            f"S_q lies between {_number(low)} and {_number(high)}, whatever the missing ones are worth"
        )
    if chapters := counts["judged_in_chapters"]:
        lines.append(f"{chapters} of them did not fit the judge's context and were judged in chapters")
    if summary.judge_note:
        lines.append(f"{summary.judge}: {summary.judge_note}")
    return lines


def _reasons(failures: dict[str, int]) -> str:
    return f" ({', '.join(f'{kind} {number}' for kind, number in failures.items())})" if failures else ""
