"""Single files of a model, and the commit that they are of: in a folder, or on the Hugging Face hub."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path
from typing import Any

from longbench_write.backends.base import is_folder

_COMMIT = re.compile("[0-9a-f]{40}")


def model_file(
    model: str, name: str, *, revision: str | None = None, cache: str | None = None
) -> Path | None:
    """Return where one file of a model lies; from the hub it is fetched first.

    Args:
        model: A folder or a hub id.
        name: The file's name.
        revision: Branch, tag or commit on the hub.
        cache: The folder of the hub's cache; None for the usual one.

    Returns:
        None where the model has no such file or cannot be had; whoever loads the model says why.
    """
    if is_folder(model):
        path = Path(os.path.expanduser(model)) / name
        return path if path.is_file() else None
    if importlib.util.find_spec("huggingface_hub") is None or os.environ.get("VLLM_USE_MODELSCOPE"):
        return None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    try:
        return Path(hf_hub_download(model, name, revision=revision, cache_dir=cache))
    except (EntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
        return None


def model_json(
    model: str, name: str, *, revision: str | None = None, cache: str | None = None
) -> dict[str, Any]:
    """Return the content of a JSON file of a model; {} where there is no such mapping (see `model_file`)."""
    path = model_file(model, name, revision=revision, cache=cache)
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def hub_commit(model: str, *, revision: str | None = None, cache: str | None = None) -> str | None:
    """Return the commit that a revision of a hub's model stands for now, or stood for when it was cached.

    Returns:
        40 hexadecimal digits; None for a folder, and where the hub cannot be asked.
    """
    if is_folder(model) or model.startswith("local/"):
        return None
    path = model_file(model, "config.json", revision=revision, cache=cache)
    commit = path.parent.name if path else ""
    return commit if _COMMIT.fullmatch(commit) else None
