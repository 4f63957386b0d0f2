"""What transformers is told: the options of a run that it takes, and what may be given as --engine-arg."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from longbench_write.errors import UsageError, unknown_name

OPTIONS = frozenset(
    {
        "max_model_len",
        "dtype",
        "device_map",
        "trust_remote_code",
        "revision",
        "engine_arg",
        "prompt_format",
        "adapter",
        "date",
    }
)
"""Fields of a run's configuration that are for this backend."""

_OWN = ("max_model_len", "dtype", "device_map", "trust_remote_code", "revision", "download_dir", "tokenizer")
PASSED_ON = ("attn_implementation", "max_memory", "offload_folder", "quantization_config", "variant")
"""Engine arguments that `from_pretrained` gets as they are."""

PLACEMENT = ("device_map", "max_memory", "offload_folder", "trust_remote_code")
"""Engine arguments that say where a model runs and what it may do, not what it writes."""

_DTYPES = {"half": "float16", "float": "float32"}
_KNOWN_DTYPES = ("auto", "bfloat16", "float16", "float32", *_DTYPES)

_NEEDED = ("torch", "transformers", "accelerate")
_FOR_ADAPTERS = ("peft",)


def check_installed(*, adapter: bool = False) -> None:
    """Refuse to continue without what the backend needs.

    Args:
        adapter: Whether a model is asked with an adapter.

    Raises:
        UsageError: Something is not installed.
    """
    needed = _NEEDED + _FOR_ADAPTERS if adapter else _NEEDED
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f'--backend hf needs {", ".join(missing)}: run pip install "longbench-write[hf]", or serve the'
            " model elsewhere and pass --base-url http://HOST:8000/v1"
        )


def check_engine_args(values: Mapping[str, Any]) -> None:
    """Refuse engine arguments that are unknown, before anything is loaded.

    Raises:
        UsageError: One is; the nearest name is given.
    """
    known = sorted({*_OWN, *PASSED_ON})
    for name in values:
        if name not in known:
            raise unknown_name("engine argument of --backend hf", name, known)
    dtype_name(values)


def dtype_name(values: Mapping[str, Any], known: Sequence[str] = _KNOWN_DTYPES) -> str:
    """Return the name of torch's type for the weights, or "auto" for the type that they are kept in.

    Raises:
        UsageError: There is no such type.
    """
    name = str(values.get("dtype") or "auto").removeprefix("torch.")
    if name not in known:
        raise unknown_name("--dtype", name, known)
    return _DTYPES.get(name, name)
