"""`lbw-eval judge RUN`: judge what a run has generated, without generating anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def judge(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    judge: Annotated[str, typer.Option(help="A name from `lbw-eval judges`, or a judge's folder.")],
    judge_model: Annotated[str | None, typer.Option(help="Ask this model instead.")] = None,
    judge_base_url: Annotated[list[str] | None, typer.Option(help="Ask the judge there.")] = None,
    judge_api_key_env: Annotated[
        str | None, typer.Option(help="Name of the variable that holds its key.")
    ] = None,
    judge_concurrency: Annotated[int | None, typer.Option(min=1, help="Judgements at once.")] = None,
    retry_failed: Annotated[bool, typer.Option(help="Ask again also where no valid reply came.")] = False,
    strict: Annotated[bool, typer.Option(help="Exit with 1 if any response ends unjudged.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of the table.")] = False,
    progress: Annotated[str, typer.Option(help="auto, rich, plain or none.")] = "auto",
) -> None:
    """Judge the responses of a run; what this judge has judged already is not asked again."""
    from longbench_write.cli.progress import make_progress
    from longbench_write.cli.session import drive
    from longbench_write.cli.table import show
    from longbench_write.evaluation import JudgeOptions, judge_run

    options = JudgeOptions(
        judge=judge,
        judge_model=judge_model,
        judge_base_url=tuple(judge_base_url or ()),
        judge_api_key_env=judge_api_key_env,
        judge_concurrency=judge_concurrency,
    )
    display = make_progress(progress)
    summary = drive(judge_run(run, options, retry_failed=retry_failed, observer=display), display)
    show(summary, run, as_json=as_json)
    if strict and summary.counts["judged"] < summary.counts["owed"]:
        raise typer.Exit(1)
