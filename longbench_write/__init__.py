"""Measure long-form writing of language models: LongBench-Write's S_l and S_q.

The names below do what the command line does, without printing; each is imported when it is first used. What
the user should know is logged under "longbench_write".
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from longbench_write._version import __version__

if TYPE_CHECKING:
    from longbench_write.api import (
        compare_runs,
        evaluate,
        evaluate_async,
        judge_run,
        leaderboard,
        plot,
        report,
    )
    from longbench_write.config import RunConfig
    from longbench_write.errors import AssetError, BackendError, LbwError, RunFolderError, UsageError
    from longbench_write.judging.judge import Judge
    from longbench_write.metrics.length import count_words, length_score
    from longbench_write.records import Judgement, Prediction
    from longbench_write.runs.observer import Observer
    from longbench_write.runs.results import score_run
    from longbench_write.runs.store import Run, load_run
    from longbench_write.scoring.summary import Summary
    from longbench_write.suites.suite import load_suite

__all__ = [
    "AssetError",
    "BackendError",
    "Judge",
    "Judgement",
    "LbwError",
    "Observer",
    "Prediction",
    "Run",
    "RunConfig",
    "RunFolderError",
    "Summary",
    "UsageError",
    "__version__",
    "compare_runs",
    "count_words",
    "evaluate",
    "evaluate_async",
    "judge_run",
    "leaderboard",
    "length_score",
    "load_run",
    "load_suite",
    "plot",
    "report",
    "score_run",
]

_MODULES = {
    "api": (
        *("compare_runs", "evaluate", "evaluate_async", "judge_run"),
        *("leaderboard", "plot", "report"),
    ),
    "config": ("RunConfig",),
    "errors": ("AssetError", "BackendError", "LbwError", "RunFolderError", "UsageError"),
    "judging.judge": ("Judge",),
    "metrics.length": ("count_words", "length_score"),
    "records": ("Judgement", "Prediction"),
    "runs.observer": ("Observer",),
    "runs.results": ("score_run",),
    "runs.store": ("Run", "load_run"),
    "scoring.summary": ("Summary",),
    "suites.suite": ("load_suite",),
}
"""Where each public name is defined."""

_HOMES = {name: module for module, names in _MODULES.items() for name in names}

# As the logging module's documentation asks of a library: without a handler of the user's, nothing is shown.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
