"""What vLLM has to know of a LoRA adapter."""

from __future__ import annotations

from typing import Any

from longbench_write.backends.adapter import ADAPTER_CONFIG
from longbench_write.backends.base import BackendSpec
from longbench_write.backends.hub import model_json
from longbench_write.errors import UsageError

_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM can make room for."""


def refuse_lora_alone(spec: BackendSpec) -> None:
    """Refuse LoRA that is switched on without an adapter, which would ask the base model.

    Raises:
        UsageError: It is.
    """
    if spec.adapter is None and spec.engine_args.get("enable_lora"):
        raise UsageError(
            "--engine-arg enable_lora names no adapter, so that the base model would be evaluated:"
            " give the adapter's folder with --adapter, which switches LoRA on"
        )


def adapter_arguments(adapter: str | None) -> dict[str, Any]:
    """Return the engine arguments that an adapter needs.

    Raises:
        UsageError: Its rank is more than vLLM can make room for.
    """
    if adapter is None:
        return {}
    config = model_json(adapter, ADAPTER_CONFIG)
    ranks = [config.get("r"), *(config.get("rank_pattern") or {}).values()]
    rank = max((rank for rank in ranks if isinstance(rank, int)), default=_RANKS[1])
    if rank > _RANKS[-1]:
        raise UsageError(f"--adapter {adapter}: its rank is {rank}, and vLLM takes {_RANKS[-1]} at most")
    return {
        "enable_lora": True,
        "max_loras": 1,
        "max_lora_rank": min(each for each in _RANKS if each >= rank),
    }
