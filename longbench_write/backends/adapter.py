"""LoRA adapters: which model one is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from longbench_write.backends.base import BackendSpec, is_folder
from longbench_write.backends.hub import model_file, model_json
from longbench_write.errors import UsageError

ADAPTER_CONFIG = "adapter_config.json"
"""The file that makes a folder one of an adapter, as PEFT writes it."""


def with_adapter(spec: BackendSpec, note: Callable[[str], None]) -> BackendSpec:
    """Return the specification with the base model and the adapter apart.

    Args:
        spec: Its model may be the folder of an adapter.
        note: Told which base model is loaded where the user did not name it.

    Raises:
        UsageError: There is no adapter where one is named, or it does not say its base model.
    """
    if spec.adapter is not None:
        if model_file(spec.adapter, ADAPTER_CONFIG) is None or not is_folder(spec.adapter):
            raise UsageError(f"--adapter {spec.adapter}: no folder with {ADAPTER_CONFIG}, as PEFT writes it")
        return spec
    if (
        is_folder(spec.model)
        and model_file(spec.model, ADAPTER_CONFIG)
        and not model_file(spec.model, "config.json")
    ):
        base = model_json(spec.model, ADAPTER_CONFIG).get("base_model_name_or_path")
        if not isinstance(base, str) or not base:
            raise UsageError(
                f"{spec.model} is an adapter that does not say which model it is for:"
                " name that with --model and the adapter with --adapter"
            )
        note(f"{spec.model} is an adapter for {base}, which is loaded and asked with it")
        return replace(spec, model=base, adapter=spec.model)
    return spec
