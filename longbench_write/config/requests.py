"""What a user sets in each request: fields by their own names, headers, a system prompt."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longbench_write.errors import UsageError, shorten
from longbench_write.files.json_object import RepeatedKeysError, unique
from longbench_write.files.reading import read_text

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, section 5.6.2

_SAID_ELSEWHERE = {
    "max_tokens": "--max-tokens",
    "max_completion_tokens": "--max-tokens",
    "temperature": "--temperature",
    "seed": "--seed",
    "stream": "--stream",
}
"""Fields of a request that have an option, or a judge's card a key, of their own."""

_OURS = ("model", "messages", "n", "stream", "stream_options", "tools", "response_format")
"""Fields of a request that `--extra-body` and `--gen` leave alone: the answer could not be read."""


def check_gen(fields: Mapping[str, Any], option: str = "--gen") -> dict[str, Any]:
    """Check fields of a request by their own names, those with dots nested: {"a.b": 1} is {"a": {"b": 1}}.

    Args:
        fields: Their values, which JSON can hold.
        option: What gave them, for the error.

    Raises:
        UsageError: A field has an option of its own, cannot be set, or has two values.
    """
    nested: dict[str, Any] = {}
    for name, value in fields.items():
        *path, last = str(name).split(".")
        if not all((*path, last)):
            raise UsageError(f"{option} {name}: a field's name is needed")
        place = nested
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"{option} {name}: {part} has a value already")
        if last in place:
            raise UsageError(f"{option} {name} is given twice")
        place[last] = value
    for name in nested:
        if own := _SAID_ELSEWHERE.get(name):
            raise UsageError(f"{option} {name}: {own} says that")
    return check_body(nested, option)


def check_body(fields: Mapping[str, Any], option: str = "--extra-body") -> dict[str, Any]:
    """Check fields of a request that stand in it as they are.

    Args:
        fields: Their values, which JSON can hold.
        option: What gave them, for the error.

    Raises:
        UsageError: One cannot be set, or JSON cannot hold a value.
    """
    for name in fields:
        if name in _OURS:
            raise UsageError(f"{option} {name}: this field of a request cannot be set")
    try:
        json.dumps(fields, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UsageError(f"{option}: JSON cannot hold {shorten(repr(dict(fields)), 80)}") from None
    return dict(fields)


def check_headers(named: Mapping[str, Any], option: str = "--header") -> dict[str, str]:
    """Check headers, each with the name of the environment variable that contains its value.

    Raises:
        UsageError: A header's name is none, or what stands for its value is no variable's name.
    """
    for name, source in named.items():
        if not _HEADER_NAME.fullmatch(str(name)):
            raise UsageError(f"{option} {shorten(str(name), 40)}: that is no header's name")
        if not isinstance(source, str) or not source.isidentifier():
            raise UsageError(
                f"{option} {name}: NAME=VARIABLE takes the name of a variable, not the value itself"
            )
    return {str(name): source for name, source in named.items()}


def request_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read what is to stand in each request, as a command line or YAML gives it.

    Args:
        values: Raw values of a configuration; those of other options are left alone.

    Returns:
        The options that are there, checked: `gen`, `header`, `judge_header`, `extra_body`, `system`.

    Raises:
        UsageError: One cannot be used.
    """
    ready: dict[str, Any] = {}
    if (gen := values.get("gen")) not in (None, [], {}):
        pairs = gen.items() if isinstance(gen, Mapping) else [_pair("--gen", str(text)) for text in gen]
        fields: dict[str, Any] = {}
        for name, value in pairs:
            if name in fields:
                raise UsageError(f"--gen {name} is given twice")
            fields[str(name)] = value if isinstance(gen, Mapping) else _json_or_text(value)
        ready["gen"] = check_gen(fields)
    for name in ("header", "judge_header"):
        if (given := values.get(name)) not in (None, [], {}):
            pairs = (
                given.items() if isinstance(given, Mapping) else [_pair(flag(name), str(t)) for t in given]
            )
            ready[name] = check_headers(dict(pairs), flag(name))
    if (body := values.get("extra_body")) is not None:
        ready["extra_body"] = check_body(_json_object(body) if isinstance(body, str) else body)
    if isinstance(system := values.get("system"), str) and system.startswith("@"):
        ready["system"] = _read_text(Path(system[1:]))
    if (field := values.get("max_tokens_field")) is not None and not str(field).isidentifier():
        raise UsageError(f"--max-tokens-field {shorten(str(field), 40)!r}: that is no field's name")
    return ready


def _pair(option: str, text: str) -> tuple[str, str]:
    """Split NAME=VALUE; the value is not repeated, as it may be a key that was given by mistake."""
    name, equals, value = text.partition("=")
    if not name.strip() or not equals:
        raise UsageError(f"{option} {shorten(name, 40)!r}: NAME=VALUE is needed")
    return name.strip(), value


def _json_or_text(text: str) -> Any:
    """Read a value: JSON, and Python's True, False and None, or else the text as it is."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=unique)
    except RepeatedKeysError as error:
        raise UsageError(f"--extra-body {shorten(text, 80)!r}: {error.told(text)}") from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(
            f'--extra-body {shorten(text, 80)!r}: a JSON object is needed, such as {{"top_k": 50}}'
        )
    return value


def _read_text(path: Path) -> str:
    try:
        return read_text(Path(os.path.expanduser(path)))
    except (OSError, UnicodeDecodeError, RuntimeError, ValueError) as error:
        raise UsageError(f"--system @{path} cannot be read: {error}") from None


def flag(field: str) -> str:
    """Return the command line's name of a field."""
    return "--" + field.replace("_", "-")
