"""Measure long-form writing of language models: LongBench-Write's S_l and S_q.

The names below do what the command line does, without printing; each is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longbench_write.judging.judge import Judge
    from longbench_write.metrics.length import count_words, length_score
    from longbench_write.runs.evaluation import evaluate
    from longbench_write.runs.store import load_run
    from longbench_write.scoring.summary import Summary
    from longbench_write.suites.suite import load_suite

from longbench_write._version import __version__

__all__ = [
    "Judge",
    "Summary",
    "__version__",
    "count_words",
    "evaluate",
    "length_score",
    "load_run",
    "load_suite",
]

_HOMES = {
    "Judge": "judging.judge",
    "Summary": "scoring.summary",
    "count_words": "metrics.length",
    "evaluate": "runs.evaluation",
    "length_score": "metrics.length",
    "load_run": "runs.store",
    "load_suite": "suites.suite",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
