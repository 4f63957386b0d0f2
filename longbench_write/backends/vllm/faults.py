"""What vLLM raises while it answers, as this project's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from longbench_write.errors import BackendError, shorten


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what the engine's client raises into a `BackendError` of the kind that fits."""
    from vllm import exceptions
    from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

    # Releases before the classes had a common base raised ValueError for what a request does wrong.
    client = (ValueError, TypeError, getattr(exceptions, "VLLMClientError", exceptions.VLLMValidationError))
    try:
        yield
    except EngineDeadError:
        raise BackendError(
            "engine_dead",
            "vLLM's engine died (its reason stands above): if memory ran out, lower --max-model-len,"
            " --gpu-memory-utilization or --concurrency",
        ) from None
    except EngineGenerateError as error:
        raise BackendError("server_error", f"vLLM: {shorten(str(error.__cause__ or error))}") from None
    except client as error:
        raise BackendError("bad_request", f"vLLM: {shorten(str(error))}") from None
    except Exception as error:
        if not type(error).__module__.startswith("vllm."):
            raise
        raise BackendError("server_error", f"vLLM: {shorten(str(error))}") from None
