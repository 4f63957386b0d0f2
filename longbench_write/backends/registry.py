"""Which backends there are, and which of them a model is asked through."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence

from longbench_write.backends.base import Backend, BackendSpec, is_folder
from longbench_write.errors import unknown_name

BACKENDS = {
    "openai": "longbench_write.backends.openai.backend:OpenAIBackend",
    "vllm": "longbench_write.backends.vllm.backend:VLLMBackend",
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
    if kind not in BACKENDS:
        raise unknown_name("backend", kind, ["auto", *BACKENDS])


def prepare(spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
    """Check what can be checked before a backend is opened, and have an embedded model's files here.

    Args:
        spec: Any backend's.
        on_download: Told the bytes of a model so far and their total.

    Raises:
        UsageError: There is no such model or file, or vLLM is not installed or has no such argument.
        AssetError: The embedded model cannot be had.
    """
    if spec.kind == "local":
        from longbench_write.backends.local import find_model

        find_model(spec.model, on_download)
    elif spec.kind == "vllm":
        from longbench_write.backends.vllm.backend import check_engine_args, check_installed, find_folder

        check_installed()
        check_engine_args(list(spec.engine_args))
        find_folder(spec.model, on_download)


def choose_backend(
    model: str, *, requested: str = "auto", base_urls: Sequence[str] = (), api_key_env: str | None = None
) -> tuple[str, str]:
    """Settle which backend answers for a model.

    Args:
        model: The model as the user named it.
        requested: A name of `BACKENDS`, or "auto".
        base_urls: The base URLs given.
        api_key_env: The variable that was named for the key; None stands for OPENAI_API_KEY.

    Returns:
        The backend's name, and why, in one clause.

    Raises:
        UsageError: The backend asked for is unknown.
    """
    if requested != "auto":
        check_kind(requested)
        return requested, "it was asked for"
    if model.startswith("local/"):
        return "local", "the model's name begins with local/"
    if base_urls:
        return "openai", "a base URL was given"
    if is_folder(model):
        return "vllm", f"{model} is a folder"
    if model.count("/") == 1 and not model.startswith(("/", ".", "~")):
        return "vllm", f"{model} is the id of a hub's model and no base URL was given"
    key = api_key_env or DEFAULT_KEY_ENV
    if os.environ.get(key, "").strip():
        return "openai", f"{key} is set and {model} is neither a folder nor a hub's model"
    return "vllm", f"no base URL was given and {key} is not set"
