"""The embedded model as a Hugging Face folder, which engines need: made once from its GGUF file, and kept."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

from longbench_write.assets import derived
from longbench_write.backends.local import EMBEDDED, find_model
from longbench_write.errors import UsageError, unknown_name


def find_folder(model: str, on_download: Callable[[int, int | None], None] | None = None) -> str:
    """Return what an engine loads: a hub id, a folder, or the one made from an embedded model's GGUF file.

    Args:
        model: The model as the user named it.
        on_download: Told the bytes so far and their total while an embedded model is fetched.

    Raises:
        UsageError: There is no such embedded model.
        AssetError: It cannot be had.
    """
    if not model.startswith("local/"):
        return os.path.expanduser(model) if model.startswith("~") else model
    return str(embedded_folder(model, on_download))


def embedded_folder(model: str, on_download: Callable[[int, int | None], None] | None = None) -> Path:
    """Return the folder of an embedded model, made where it is not there.

    Args:
        model: `local/NAME`.
        on_download: Told the bytes so far and their total while the GGUF file is fetched.

    Raises:
        UsageError: There is no such model, or transformers, gguf or accelerate is not installed.
        AssetError: The GGUF file cannot be had.
    """
    name = model.removeprefix("local/")
    if name not in EMBEDDED:
        raise unknown_name("embedded model", model, [f"local/{each}" for each in EMBEDDED])
    find_model(model, on_download)
    return derived.derive(name, "hf", _convert)


def _convert(source: Path, folder: Path) -> str:
    """Write the model's weights, without quantization, and its tokenizer."""
    for needed in ("gguf", "accelerate"):
        if importlib.util.find_spec(needed) is None:
            raise UsageError(
                f"turning {source.name} into a Hugging Face folder needs {needed}: pip install {needed}"
            )
    torch = importlib.import_module("torch")
    transformers = importlib.import_module("transformers")
    origin, name = str(source.parent), source.name
    weights = transformers.AutoModelForCausalLM.from_pretrained(
        origin,
        gguf_file=name,
        quantization_config=transformers.GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    weights.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(origin, gguf_file=name).save_pretrained(folder)
    return f"transformers {transformers.__version__}, dequantized to float32"
