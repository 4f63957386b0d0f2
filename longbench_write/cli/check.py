"""`lbw-eval check RUN --baseline RUN|FILE`: has this model become worse? The exit code says so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from longbench_write.errors import UsageError

_Texts = list[str] | None
_File = Path | None
_RUNS = typer.Argument(
    metavar="RUN...",
    help="The run in question, or several of one model that are pooled.",
    show_default=False,
)
_BASELINE = typer.Option(
    help="What to compare it with: a run, a baseline file, a summary.json or a scores.csv.", metavar="PATH"
)
_CONFIG = typer.Option(help="YAML file of the options below [lbw-gate.yaml, if it is there].", metavar="FILE")
_METRIC = typer.Option(
    help="Gate this metric, such as S_l or 'S_q[2000,4000)'; repeatable [S_bar, S_l, S_q]."
)
_MAX_DROP = typer.Option(
    help="A drop of X percent of a metric's range (X points) may be a regression; S_l=X for one metric, "
    "in its unit; repeatable [1].",
    metavar="[M=]X",
)
_MIN = typer.Option(
    "--min",
    help="Fail where this metric's mean is below X, or above it where lower is better; repeatable.",
    metavar="M=X",
)
_MAX_MISSING = typer.Option(help="Percent of responses that may lack a score [5].", metavar="PERCENT")
_MARGIN = typer.Option(
    help="Pass only what is shown, by the one-sided 95% bound of each gated metric, to be worse by less than "
    "X percent of its range (X points); S_l=X for one metric, in its unit; repeatable.",
    metavar="[M=]X",
)
_MAX_AGE = typer.Option(
    help="Cannot tell where a response of the run was made more than so many hours ago.", metavar="HOURS"
)
_JUDGES = typer.Option("--allow-different-judges", help="Compare what different judges said, with a warning.")
_COMMON = typer.Option("--common", help="Where the suites differ, compare the prompts that have not changed.")
_JSON = typer.Option("--json", help="Print the verdict as JSON instead of the tables.")
_JUNIT = typer.Option(help="Write JUnit XML, a case a metric.", metavar="FILE")
_MARKDOWN = typer.Option(help="Write the verdict as Markdown.", metavar="FILE")
_PLOT = typer.Option(help="Draw the differences by length range (png, svg or pdf).", metavar="FILE")
_GITHUB = typer.Option(
    "--github", help="Print an annotation on stderr, and append to the job's $GITHUB_STEP_SUMMARY."
)
_HISTORY = typer.Option(
    help="Look for a trend in the verdicts of this file, and append this one.", metavar="FILE.jsonl"
)
_WORST = typer.Option(help="Name so many of the responses that fell furthest.", metavar="N", min=0)


def check(
    runs: Annotated[list[Path], _RUNS],
    baseline: Annotated[_File, _BASELINE] = None,
    config: Annotated[_File, _CONFIG] = None,
    metric: Annotated[_Texts, _METRIC] = None,
    max_drop: Annotated[_Texts, _MAX_DROP] = None,
    floor: Annotated[_Texts, _MIN] = None,
    max_missing: Annotated[float | None, _MAX_MISSING] = None,
    non_inferiority: Annotated[_Texts, _MARGIN] = None,
    max_age: Annotated[float | None, _MAX_AGE] = None,
    allow_different_judges: Annotated[bool, _JUDGES] = False,
    common: Annotated[bool, _COMMON] = False,
    history: Annotated[_File, _HISTORY] = None,
    as_json: Annotated[bool, _JSON] = False,
    junit: Annotated[_File, _JUNIT] = None,
    markdown: Annotated[_File, _MARKDOWN] = None,
    plot: Annotated[_File, _PLOT] = None,
    github: Annotated[bool, _GITHUB] = False,
    worst: Annotated[int, _WORST] = 10,
) -> None:
    """Check a run against a baseline.

    A metric has regressed when its mean drop is at least --max-drop and the whole interval of its difference
    lies below zero, with Holm's correction over the gated metrics. Exit codes: 0 no regression, 3 a
    regression or a broken floor, 1 it cannot be told, 2 wrong usage. The verdict comes before its outputs:
    one that cannot be written is named on stderr, and makes a 0 alone a 1 or 2.
    """
    from longbench_write.cli.verdict_outputs import VerdictOutputs
    from longbench_write.gate.checking import check_run, files_read

    inputs = [*runs, *files_read({"baseline": baseline, "history": history}, config)]
    outputs = VerdictOutputs(runs[0], as_json, junit, markdown, plot, github, worst, inputs)
    with outputs.telling_errors():
        given: dict[str, Any] = {
            "baseline": baseline,
            "metrics": metric,
            "max_drop": numbers_by_metric("--max-drop", max_drop),
            "min": numbers_by_metric("--min", floor),
            "max_missing": max_missing,
            "non_inferiority": numbers_by_metric("--non-inferiority", non_inferiority),
            "max_age": max_age,
            "history": history,
            "allow_different_judges": allow_different_judges or None,
            "common": common or None,
        }
        verdict = check_run(runs, given, config)
    raise typer.Exit(outputs.write(verdict))


def numbers_by_metric(option: str, texts: list[str] | None) -> dict[str, float] | None:
    """Read what `M=X` or a bare `X` says, the bare one under "default"."""
    from longbench_write.gate.config import DEFAULT

    if not texts:
        return None
    values = {}
    for text in texts:
        name, equals, figure = text.rpartition("=")
        if not equals and option == "--min":
            raise UsageError(f"{option} {text!r}: name a metric, such as S_l=70")
        try:
            values[name if equals else DEFAULT] = float(figure)
        except ValueError:
            raise UsageError(f"{option} {text!r}: a number is needed, such as S_l=2") from None
    return values
