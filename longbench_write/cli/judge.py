"""`lbw-eval judge RUN`: judge what a run has generated, without generating anything."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from longbench_write.cli.options import JSON, given, parameters, with_signature
from longbench_write.config import RunConfig, build_config

_OPTIONS = (
    "judge",
    "judge_model",
    "judge_base_url",
    "judge_api_key_env",
    "judge_header",
    "env_file",
    "judge_repeats",
    "long_responses",
    "judge_concurrency",
    "price",
    "max_cost",
    "max_judge_tokens",
    "max_time",
    "max_failures",
    "wait",
    "judge_backend",
    "judge_engine_arg",
    "tensor_parallel_size",
    "data_parallel_size",
    "max_model_len",
    "gpu_memory_utilization",
    "dtype",
    "finish_reason",
    "idle_timeout",
    "stream",
    "retry_failed",
    "strict",
    "progress",
)
_RUN = inspect.Parameter(
    "run",
    inspect.Parameter.KEYWORD_ONLY,
    annotation=Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
)


@with_signature(_RUN, *parameters(RunConfig, _OPTIONS), JSON)
def judge(run: Path, as_json: bool, **options: Any) -> None:
    """Judge what a run has written.

    Nothing is generated, and what this judge has judged already is not judged again.
    """
    from longbench_write.cli.progress import make_progress
    from longbench_write.cli.session import drive
    from longbench_write.cli.table import exit_code, show
    from longbench_write.runs.evaluation import start_judging
    from longbench_write.runs.store import load_run

    settings = build_config({"model": load_run(run).manifest["model"]} | given(RunConfig, options))
    progress = make_progress(settings.progress)
    path, summary, owed = drive(lambda: start_judging(run, settings, progress), progress)
    show(summary, path, as_json=as_json)
    raise typer.Exit(exit_code(summary, owed, strict=settings.strict))
