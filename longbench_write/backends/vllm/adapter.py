"""LoRA adapters: which model one is for, and what vLLM has to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from longbench_write.backends.base import BackendSpec, is_folder
from longbench_write.backends.hub import model_file, model_json
from longbench_write.errors import UsageError

_CONFIG = "adapter_config.json"
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM can make room for."""


def with_adapter(spec: BackendSpec, note: Callable[[str], None]) -> BackendSpec:
    """Return the specification with the base model and the adapter apart.

    Args:
        spec: Its model may be the folder of an adapter.
        note: Told which base model is loaded where the user did not name it.

    Raises:
        UsageError: There is no adapter where one is named, it does not say its base model, or LoRA is
            switched on without an adapter, which would ask the base model.
    """
    if spec.adapter is not None:
        if model_file(spec.adapter, _CONFIG) is None or not is_folder(spec.adapter):
            raise UsageError(f"--adapter {spec.adapter}: no folder with {_CONFIG}, as PEFT writes it")
        return spec
    if (
        is_folder(spec.model)
        and model_file(spec.model, _CONFIG)
        and not model_file(spec.model, "config.json")
    ):
        base = model_json(spec.model, _CONFIG).get("base_model_name_or_path")
        if not isinstance(base, str) or not base:
            raise UsageError(
                f"{spec.model} is an adapter that does not say which model it is for:"
                " name that with --model and the adapter with --adapter"
            )
        note(f"{spec.model} is an adapter for {base}, which is loaded and asked with it")
        return replace(spec, model=base, adapter=spec.model)
    if spec.engine_args.get("enable_lora"):
        raise UsageError(
            "--engine-arg enable_lora names no adapter, so that the base model would be evaluated:"
            " give the adapter's folder with --adapter, which switches LoRA on"
        )
    return spec


def adapter_arguments(adapter: str | None) -> dict[str, Any]:
    """Return the engine arguments that an adapter needs.

    Raises:
        UsageError: Its rank is more than vLLM can make room for.
    """
    if adapter is None:
        return {}
    config = model_json(adapter, _CONFIG)
    ranks = [config.get("r"), *(config.get("rank_pattern") or {}).values()]
    rank = max((rank for rank in ranks if isinstance(rank, int)), default=_RANKS[1])
    if rank > _RANKS[-1]:
        raise UsageError(f"--adapter {adapter}: its rank is {rank}, and vLLM takes {_RANKS[-1]} at most")
    return {
        "enable_lora": True,
        "max_loras": 1,
        "max_lora_rank": min(each for each in _RANKS if each >= rank),
    }
