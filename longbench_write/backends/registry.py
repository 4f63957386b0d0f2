"""Which backends there are, and which of them a model is asked through."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from longbench_write.backends.base import BackendSpec, ModelBackend, is_folder, refuse_path
from longbench_write.backends.environment import BASE_URL_ENV, DEFAULT_KEY_ENV, default_base_url, is_set
from longbench_write.errors import UsageError
from longbench_write.registry import Registry

AUTO = "auto"
"""Stands for the backend that suits the model."""

_PROVIDERS = frozenset(
    {
        *("anthropic", "azure", "azure_ai", "bedrock", "cerebras", "cohere", "dashscope", "deepseek"),
        *(
            "fireworks_ai",
            "gemini",
            "groq",
            "litellm",
            "mistral",
            "moonshot",
            "ollama",
            "openai",
            "openrouter",
        ),
        *("perplexity", "sambanova", "together", "together_ai", "vertex_ai", "x-ai", "xai"),
    }
)
"""Names of providers that libraries put before a model's name; openai is an organisation of the hub too."""


def _is_backend(name: str, value: Any) -> type[ModelBackend]:
    if not (isinstance(value, type) and issubclass(value, ModelBackend)):
        raise TypeError(f"it is no subclass of {ModelBackend.__module__}.{ModelBackend.__name__}")
    return value


BACKENDS: Registry[type[ModelBackend]] = Registry(
    "backend",
    "longbench_write.backends",
    {
        "openai": "longbench_write.backends.openai.backend:OpenAIBackend",
        "vllm": "longbench_write.backends.vllm.backend:VLLMBackend",
        "hf": "longbench_write.backends.hf.backend:HFBackend",
        "local": "longbench_write.backends.local:LocalBackend",
        "none": "longbench_write.backends.no_model:NoModelBackend",
    },
    _is_backend,
)
"""The classes of backends; a module is imported when its backend is first asked for."""


def open_backend(spec: BackendSpec) -> ModelBackend:
    """Make the backend that `spec.kind` names; entering it opens it.

    Raises:
        UsageError: There is no such backend.
    """
    return BACKENDS.get(spec.kind)(spec)


def understanding(option: str) -> tuple[str, str]:
    """Find the first built-in backend that understands an option: its name and its title.

    Args:
        option: A field of `ModelBackend.options` of one of them.
    """
    name = next(name for name in BACKENDS.built_in if option in BACKENDS.get(name).options)
    return name, BACKENDS.get(name).title or name


def choose_backend(
    model: str, *, requested: str = AUTO, base_urls: Sequence[str] = (), api_key_env: str | None = None
) -> tuple[str, str]:
    """Settle which backend answers for a model.

    Args:
        model: The model as the user named it.
        requested: A name of `BACKENDS`, or `AUTO`.
        base_urls: The base URLs given.
        api_key_env: The variable that was named for the key; None stands for OPENAI_API_KEY.

    Returns:
        The backend's name, and why, in one clause.

    Raises:
        UsageError: The backend asked for is unknown, or the name can be a path or two models.
    """
    if requested != AUTO:
        BACKENDS.get(requested)
        return requested, "it was asked for"
    if model.startswith("local/"):
        return "local", "the model's name begins with local/"
    if base_urls:
        return "openai", "a base URL was given"
    if is_folder(model):
        return "vllm", f"{model} is a folder"
    if os.path.isfile(os.path.expanduser(model)):
        return "vllm", f"{model} is a file"
    refuse_path(model)
    if model.count("/") == 1:
        if model.partition("/")[0] in _PROVIDERS:
            raise UsageError(
                f"{model} is the id of a hub's model or a provider's name for one: give --backend vllm to "
                "run it here, or --base-url, or --backend openai, to ask a server for it under that name"
            )
        return "vllm", f"{model} is the id of a hub's model and no --base-url was given"
    key = api_key_env or DEFAULT_KEY_ENV
    if default_base_url(key if is_set(key) else None)[0]:
        return "openai", f"{BASE_URL_ENV} is set and {model} is neither a folder nor a hub's model"
    if is_set(key):
        return "openai", f"{key} is set and {model} is neither a folder nor a hub's model"
    return "vllm", f"no base URL was given and {key} is not set"


def judge_kind(own: str, model: str | None, base_urls: Sequence[str]) -> str:
    """Settle which backend answers for a judge's model where the user names none.

    Args:
        own: The backend of the judge's card.
        model: The model that is asked instead of the card's; None for the card's.
        base_urls: The base URLs that are asked instead of the card's.
    """
    takes = BACKENDS.get(own).takes_base_urls
    if base_urls:
        return own if takes else "openai"
    return "local" if takes and model is not None and model.startswith("local/") else own
