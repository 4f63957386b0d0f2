"""`lbw-eval check RUN --baseline RUN|FILE`: has this model become worse? The exit code says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longbench_write.errors import UsageError

if TYPE_CHECKING:
    from longbench_write.gate.gate import Verdict

CONFIG = Path("lbw-gate.yaml")

_Texts = list[str] | None
_File = Path | None
_RUN = typer.Argument(metavar="RUN", help="The run in question.", show_default=False)
_BASELINE = typer.Option(
    help="What to compare it with: a run, a baseline file, a summary.json or a scores.csv.", metavar="PATH"
)
_CONFIG = typer.Option(help=f"YAML file of the options below [{CONFIG}, if it is there].", metavar="FILE")
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
    help="Pass only what is shown to be worse by less than X percent of its range (X points): the one-sided "
    "95% bound of each gated metric.",
    metavar="X",
)
_JUDGES = typer.Option("--allow-different-judges", help="Compare what different judges said, with a warning.")
_JSON = typer.Option("--json", help="Print the verdict as JSON instead of the tables.")
_JUNIT = typer.Option(help="Write JUnit XML, a case a metric.", metavar="FILE")
_MARKDOWN = typer.Option(help="Write the verdict as Markdown.", metavar="FILE")
_PLOT = typer.Option(help="Draw the differences by length range (png, svg or pdf).", metavar="FILE")
_GITHUB = typer.Option(
    "--github", help="Print an annotation on stderr, and append to the job's $GITHUB_STEP_SUMMARY."
)
_WORST = typer.Option(help="Name so many of the responses that fell furthest.", metavar="N", min=0)


def check(
    run: Annotated[Path, _RUN],
    baseline: Annotated[_File, _BASELINE] = None,
    config: Annotated[_File, _CONFIG] = None,
    metric: Annotated[_Texts, _METRIC] = None,
    max_drop: Annotated[_Texts, _MAX_DROP] = None,
    floor: Annotated[_Texts, _MIN] = None,
    max_missing: Annotated[float | None, _MAX_MISSING] = None,
    non_inferiority: Annotated[float | None, _MARGIN] = None,
    allow_different_judges: Annotated[bool, _JUDGES] = False,
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

    outputs = VerdictOutputs(run, as_json, junit, markdown, plot, github, worst)
    with outputs.telling_errors():
        given: dict[str, Any] = {
            "baseline": baseline,
            "metrics": metric,
            "max_drop": _numbers("--max-drop", max_drop),
            "min": _numbers("--min", floor),
            "max_missing": max_missing,
            "non_inferiority": non_inferiority,
            "allow_different_judges": allow_different_judges or None,
        }
        verdict = _verdict(run, given, config or (CONFIG if CONFIG.is_file() else None))
    raise typer.Exit(outputs.write(verdict))


def _verdict(run: Path, given: dict[str, Any], source: Path | None) -> Verdict:
    """Return the verdict on a run.

    Args:
        run: The run in question.
        given: What the command line says; None for what it does not.
        source: The file that says the rest.
    """
    from longbench_write.compare.loading import load_scores
    from longbench_write.gate import gate
    from longbench_write.gate.config import build_gate, read_gate
    from longbench_write.metrics.catalogue import merged

    values = _merged(read_gate(source) if source else {}, given)
    if values.get("baseline") is None:
        where = f" (nor does {source} name one)" if source else ""
        raise UsageError(f"--baseline is needed: a run, or the file that `lbw-eval baseline` wrote{where}")
    try:
        old = load_scores(Path(str(values["baseline"])))
    except UsageError as error:
        raise (UsageError(f"{source}: baseline: {error}") if given["baseline"] is None else error) from None
    new = load_scores(run)
    try:
        settings = build_gate(values, merged(old.metrics, new.metrics))
    except UsageError as error:
        raise (UsageError(f"{source}, with the options given: {error}") if source else error) from None
    return gate.check(
        old,
        new,
        settings.rule,
        allow_different_judges=settings.allow_different_judges,
    )


def _numbers(option: str, texts: list[str] | None) -> dict[str, float] | None:
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


def _merged(read: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return what a file says, overruled by the command line; numbers are overruled metric by metric."""
    from longbench_write.gate.config import DEFAULT

    values = dict(read)
    for name, value in given.items():
        if value is None:
            continue
        old = values.get(name)
        if name == "max_drop" and old is not None and not isinstance(old, dict):
            old = {DEFAULT: old}
        values[name] = {**old, **value} if isinstance(value, dict) and isinstance(old, dict) else value
    return values
