"""Which backends there are, and which of them a model is asked through."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from longbench_write.backends.base import Backend, BackendSpec
from longbench_write.errors import UsageError, unknown_name

BACKENDS = {
    "openai": "longbench_write.backends.openai_api:OpenAIBackend",
    "local": "longbench_write.backends.local:LocalBackend",
}
"""Each backend's name and where its class is; a module is imported when its backend is opened."""

DEFAULT_KEY_ENV = "OPENAI_API_KEY"
"""The variable that holds the key for api.openai.com."""


def open_backend(spec: BackendSpec) -> Backend:
    """Make the backend that `spec.kind` names; entering it opens it.

    Raises:
        UsageError: There is no such backend.
    """
    check_kind(spec.kind)
    module, _, name = BACKENDS[spec.kind].partition(":")
    backend: Backend = getattr(importlib.import_module(module), name)(spec)
    return backend


def check_kind(kind: str) -> None:
    """Refuse a backend that is not there.

    Raises:
        UsageError: `kind` is not in `BACKENDS`.
    """
    if kind == "vllm":
        raise UsageError(
            "this version has no in-process vLLM backend: serve the model with `vllm serve MODEL` and pass"
            f" --base-url http://HOST:8000/v1, or set {DEFAULT_KEY_ENV} if the model is behind OpenAI's API"
        )
    if kind not in BACKENDS:
        raise unknown_name("backend", kind, ["auto", *BACKENDS, "vllm"])


def fetch_weights(spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
    """Have an embedded model's file on this machine before its backend is opened.

    Args:
        spec: Any backend's; only "local" has files to fetch.
        on_download: Told the bytes so far and their total.

    Raises:
        UsageError: There is no such model or file.
        AssetError: The embedded model cannot be had.
    """
    if spec.kind == "local":
        from longbench_write.backends.local import find_model

        find_model(spec.model, on_download)


def choose_backend(
    model: str, *, requested: str = "auto", base_urls: Sequence[str] = (), api_key_env: str | None = None
) -> tuple[str, str]:
    """Settle which backend answers for a model.

    Args:
        model: The model as the user named it.
        requested: A name of `BACKENDS`, "vllm", or "auto".
        base_urls: The base URLs given.
        api_key_env: The variable that was named for the key; None stands for OPENAI_API_KEY.

    Returns:
        The backend's name, and why, in one clause.

    Raises:
        UsageError: The backend asked for is unknown.
    """
    if requested != "auto":
        if requested != "vllm":
            check_kind(requested)
        return requested, "it was asked for"
    if model.startswith("local/"):
        return "local", "the model's name begins with local/"
    if base_urls:
        return "openai", "a base URL was given"
    if Path(model).expanduser().is_dir():
        return "vllm", f"{model} is a folder"
    if model.count("/") == 1 and not model.startswith(("/", ".", "~")):
        return "vllm", f"{model} is the id of a hub's model and no base URL was given"
    key = api_key_env or DEFAULT_KEY_ENV
    if os.environ.get(key, "").strip():
        return "openai", f"{key} is set and {model} is neither a folder nor a hub's model"
    return "vllm", f"no base URL was given and {key} is not set"
