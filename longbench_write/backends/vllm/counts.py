"""What vLLM counts of each request: how often it was put off, and whether its logits were numbers."""

from __future__ import annotations

from typing import Any

from longbench_write.errors import BackendError


def counting() -> list[Any]:
    """Return the loggers with which vLLM counts for each request; they log nothing.

    Without any, and with its own switched off, it counts nothing.
    """
    from vllm.v1.metrics.loggers import StatLoggerBase

    class Silent(StatLoggerBase):  # type: ignore[misc]  # where vLLM is not installed
        def __init__(self, vllm_config: Any, engine_index: int = 0) -> None:
            return

        def record(self, *stats: Any, **more: Any) -> None:
            return

        def log_engine_initialized(self) -> None:
            return

    return [Silent]


def preemptions_of(output: Any) -> int:
    """Return how often an answered request was put off as memory ran short.

    Args:
        output: vLLM's last RequestOutput of it.

    Raises:
        BackendError: Its logits were no numbers, so that what was sampled from them is no answer.
    """
    counts = output.metrics
    if counts is None:
        return 0
    if getattr(counts, "is_corrupted", False):
        raise BackendError(
            "bad_response",
            "the model's logits were no numbers (NaN), so that there is no answer: try --dtype bfloat16 or"
            " float32, or see that its weights are whole",
        )
    return int(counts.num_preemptions)
