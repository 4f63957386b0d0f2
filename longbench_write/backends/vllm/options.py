"""What vLLM's engine is told: its options, its arguments, and what of them tells runs apart."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.hub import hub_commit
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.vllm.prompts import CHAT, RAW, read_template
from longbench_write.backends.weights import weights_sha256
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

_PLACEMENT = (
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
}
"""What vLLM reads when it is imported, where the user has not set it."""


def vllm_identity(spec: BackendSpec, note: Callable[[str], None]) -> dict[str, Any]:
    """Return what tells one engine's texts from another's: weights, arguments, prompt format and card."""
    card = find_card(spec.model)
    prompt_format = spec.prompt_format
    if prompt_format not in (None, CHAT, RAW):
        prompt_format = hashlib.sha256(read_template(prompt_format).encode()).hexdigest()
    where = {name: spec.engine_args.get(name) for name in ("revision", "download_dir")}
    commit = hub_commit(spec.model, revision=where["revision"], cache=where["download_dir"])
    return {
        "weights": weights_sha256(Path(spec.model.removeprefix("local/")), note),
        "adapter": weights_sha256(Path(spec.adapter), note) if spec.adapter else None,
        "commit": None if commit == where["revision"] else commit,
        "engine": {name: value for name, value in spec.engine_args.items() if name not in _PLACEMENT},
        "prompt_format": prompt_format,
        "card": {"prompt": card.prompt, "stop": list(card.stop), "sampling": dict(card.sampling)}
        if card
        else None,
    }


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


def find_folder(model: str, on_download: Callable[[int, int | None], None] | None = None) -> str:
    """Return what vLLM is to load: a hub id, a folder, or the one made from an embedded model's GGUF file.

    Args:
        model: The model as the user named it.
        on_download: Told the bytes so far and their total while an embedded model is fetched.

    Raises:
        UsageError: There is no such embedded model.
        AssetError: It cannot be had.
    """
    if not model.startswith("local/"):
        return os.path.expanduser(model) if model.startswith("~") else model
    from longbench_write.backends.hf_folder import embedded_folder

    return str(embedded_folder(model, on_download))
