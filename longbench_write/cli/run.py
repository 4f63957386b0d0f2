"""`lbw-eval --model M`: generate, judge, score, and print the table."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from longbench_write.cli.options import JSON, given, parameters, with_signature
from longbench_write.config import RunConfig, build_config, read_config
from longbench_write.errors import UsageError


def _version(wanted: bool) -> None:
    if wanted:
        from longbench_write._version import __version__

        typer.echo(f"longbench-write {__version__}")
        raise typer.Exit


def _own(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_CONFIG = typer.Option(help="YAML file of the options below; what is given here wins.", metavar="FILE")
_DEBUG = typer.Option("--debug", help="Show the whole traceback of an error.")
_DRY_RUN = typer.Option("--dry-run", help="Say what the run would take; ask nobody and record nothing.")
_VERSION = typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)


@with_signature(
    _own("ctx", typer.Context),
    _own("config", Annotated[Path | None, _CONFIG], None),
    *parameters(RunConfig),
    JSON,
    _own("dry_run", Annotated[bool, _DRY_RUN], False),
    _own("debug", Annotated[bool, _DEBUG], False),
    _own("version", Annotated[bool, _VERSION], False),
)
def run(ctx: typer.Context, config: Path | None, as_json: bool, dry_run: bool, **options: Any) -> None:
    """Measure how a model writes at length: LongBench-Write's S_l (length) and S_q (quality).

    `lbw-eval --model M` generates, judges, scores, prints the table and writes the files; the same command
    again resumes where it stopped. The commands at the end work on what is there.
    """
    if ctx.invoked_subcommand is not None:
        if config or as_json or dry_run or given(RunConfig, options):
            raise UsageError(
                f"options of a run do not go before a command: put them after {ctx.invoked_subcommand}"
            )
        return
    from longbench_write.cli.progress import make_progress
    from longbench_write.cli.session import drive
    from longbench_write.cli.table import exit_code, show
    from longbench_write.runs.evaluation import start_evaluation

    settings = build_config((read_config(config) if config else {}) | given(RunConfig, options))
    progress = make_progress(settings.progress)
    if dry_run:
        from longbench_write.cli.estimate import show_estimate
        from longbench_write.runs.dry_run import estimate_run

        show_estimate(estimate_run(settings, progress), as_json=as_json)
        return
    path, summary, owed = drive(lambda: start_evaluation(settings, progress), progress, fresh=settings.fresh)
    show(summary, path, as_json=as_json)
    raise typer.Exit(exit_code(summary, owed, strict=settings.strict))
