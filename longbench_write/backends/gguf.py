"""The header of a GGUF file: what a model says of itself beside its weights.

Reads the layout of the GGUF specification (versions 2 and 3, little-endian). The gguf package's reader is not
used: it does not come back from a damaged header whose counts are huge.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from longbench_write.errors import UsageError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9

_SAMPLING = {
    "temp": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "penalty_repeat": "repetition_penalty",
}
"""Names of `general.sampling.*` and those of this project."""


_TOKENS, _TYPES = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_UNKNOWN, _CONTROL = 2, 3
"""Types of tokens that llama.cpp takes from a text only where it is told to."""


def read_header(path: Path, arrays: Collection[str] = ()) -> dict[str, Any]:
    """Return the numbers and texts of a GGUF file's header by their keys.

    Args:
        path: The file.
        arrays: Keys of arrays that are wanted too; all others are left out.

    Raises:
        UsageError: It is no whole GGUF file.
    """
    try:
        with path.open("rb") as file:
            return _header(file, arrays)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): give a file that can") from None
    except (struct.error, KeyError, UnicodeDecodeError):
        raise UsageError(f"{path} is no whole GGUF file: give one of version 2 or 3") from None


def control_tokens(path: Path) -> dict[str, int]:
    """Return the control tokens of a GGUF file's tokenizer, by their text.

    Raises:
        UsageError: It is no whole GGUF file.
    """
    header = read_header(path, (_TOKENS, _TYPES))
    pairs = zip(header.get(_TOKENS) or (), header.get(_TYPES) or (), strict=False)
    return {text: n for n, (text, kind) in enumerate(pairs) if text and kind in (_UNKNOWN, _CONTROL)}


def context_length(header: Mapping[str, Any], path: Path) -> int:
    """Return the context that a model was trained on, in tokens.

    Args:
        header: Of `read_header`.
        path: The file, to name it.

    Raises:
        UsageError: The file does not say, as it is no language model.
    """
    length = header.get(f"{header.get('general.architecture')}.context_length")
    if not isinstance(length, int) or length < 1:
        raise UsageError(f"{path} does not say its context length: give the GGUF file of a language model")
    return length


def generation_config(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sampling that a GGUF file recommends, by this project's names."""
    values = {name: header.get(f"general.sampling.{key}") for key, name in _SAMPLING.items()}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def not_applied(header: Mapping[str, Any]) -> list[str]:
    """Return the fields of `general.sampling.*` that are not applied, as `name=value`."""
    prefix = "general.sampling."
    names = (key.removeprefix(prefix) for key in header if key.startswith(prefix))
    return [f"{name}={header[prefix + name]}" for name in names if name not in _SAMPLING]


def _header(file: BinaryIO, arrays: Collection[str]) -> dict[str, Any]:
    magic, version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version not in (2, 3):
        raise struct.error
    values: dict[str, Any] = {}
    for _ in range(count):
        key = _read_string(file)
        value = _read_value(file, keep=key in arrays)
        if value is not None:
            values[key] = value
    return values


def _read_scalar(file: BinaryIO, code: str) -> Any:
    return struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))[0]


def _read_string(file: BinaryIO) -> str:
    return _read_bytes(file, _read_scalar(file, "Q")).decode()


def _read_bytes(file: BinaryIO, size: int) -> bytes:
    data = file.read(min(size, 1 << 26))
    if len(data) != size:
        raise struct.error
    return data


def _read_value(file: BinaryIO, *, keep: bool) -> Any:
    """Read the metadata value that follows its type; an array that is not kept gives None."""
    kind = _read_scalar(file, "I")
    if kind == _STRING:
        return _read_string(file)
    if kind != _ARRAY:
        return _read_scalar(file, _SCALARS[kind])
    inner, count = _read_scalar(file, "I"), _read_scalar(file, "Q")
    if inner == _STRING:
        texts = (_read_bytes(file, _read_scalar(file, "Q")) for _ in range(count))
        found: list[Any] = [text.decode(errors="replace") for text in texts if keep]
    else:
        code = _SCALARS[inner]
        data = _read_bytes(file, count * struct.calcsize(code))
        found = list(struct.unpack(f"<{count}{code}", data)) if keep else []
    return found if keep else None
