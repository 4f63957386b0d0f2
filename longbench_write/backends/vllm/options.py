"""What vLLM's engine is told: its options and its arguments."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from longbench_write.errors import unknown_name

OPTIONS = frozenset(
    {
        "tensor_parallel_size",
        "data_parallel_size",
        "max_model_len",
        "gpu_memory_utilization",
        "dtype",
        "trust_remote_code",
        "revision",
        "engine_arg",
        "prompt_format",
        "adapter",
        "date",
    }
)
"""Fields of a run's configuration that are for vLLM."""

PLACEMENT = (
    "tensor_parallel_size",
    "data_parallel_size",
    "pipeline_parallel_size",
    "gpu_memory_utilization",
    "trust_remote_code",
)
"""Engine arguments that say where a model runs and what it may do, not what it writes."""

_ENVIRONMENT = {
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "VLLM_COMPUTE_NANS_IN_LOGITS": "1",
}
"""What vLLM reads when it is imported, where the user has not set it."""


def check_engine_args(names: Sequence[str]) -> None:
    """Refuse engine arguments that vLLM does not have, before anything is loaded.

    Raises:
        UsageError: One is unknown; the nearest name that vLLM has is given.
    """
    if not names:
        return
    known = [field.name for field in fields(import_engine_args())]
    for name in names:
        if name not in known:
            raise unknown_name("engine argument of vLLM", name, known)


def import_engine_args() -> Any:
    """Import vLLM with its environment set; returns its class of engine arguments."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with stdout_kept():
        from vllm.engine.arg_utils import AsyncEngineArgs

    return AsyncEngineArgs


@contextmanager
def stdout_kept() -> Iterator[None]:
    """Send to stderr what this process, and those that it starts meanwhile, write to stdout."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
