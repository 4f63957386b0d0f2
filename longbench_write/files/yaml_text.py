"""YAML from anybody: no objects are built, and no few lines become gigabytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longbench_write.errors import LbwError, UsageError, shorten
from longbench_write.files.faults import told
from longbench_write.files.leftovers import git_leftover
from longbench_write.files.reading import open_to_read

if TYPE_CHECKING:
    import yaml

MOST_NODES = 200_000
"""Keys, values and lists that a document may have once its aliases are written out, or one a character of
its text where that is more: so many stand in a long document that has no alias, such as a run.yaml of
100,000 prompts."""

LONGEST_NUMBER = 200
"""Characters that an integer may have."""

LARGEST = 1 << 26
"""Bytes that a file may have."""

_NUMBERS = {
    "tag:yaml.org,2002:int": re.compile("[-+]?0[0-9_]+|.*:.*"),
    "tag:yaml.org,2002:float": re.compile(".*:.*"),
}
"""Numbers that look decimal and that PyYAML reads in base 8 or 60: 070 is 56, and 1:10 is 70."""

_MERGE = "tag:yaml.org,2002:merge"
"""The key <<, of which nothing is built."""

_CANNOT_BE_BUILT = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
"""What PyYAML's constructors raise for values such as 2001-99-99, `!!bool maybe` or `!!int ''`."""


def load_yaml(text: str) -> Any:
    """Read one YAML document, with plain types alone.

    Raises:
        yaml.YAMLError: It is none, builds objects, is nested too deeply, is too large, has a key twice in
            one mapping, or a number of too many characters.
    """
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        most = max(MOST_NODES, len(text))
        if _size(node, most, {}) > most:
            raise yaml.YAMLError(f"it has more than {most} values once its aliases are written out")
        _check_nodes(node, set(), loader.construct_object)
        return loader.construct_document(node)
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    except _CANNOT_BE_BUILT as error:
        raise yaml.YAMLError(f"a value cannot be read: {error}") from None
    finally:
        loader.dispose()


def read_mapping(path: Path, what: str = "", *, error: type[LbwError] = UsageError) -> dict[Any, Any]:
    """Read a YAML file of keys and values.

    Args:
        path: The file.
        what: The option or the kind of file that errors name before the path; "" for the path alone.
        error: The type of error to raise.

    Raises:
        error: The file cannot be read, or holds something else.
    """
    import yaml

    named = f"{what} {path}".strip()
    try:
        with open_to_read(path) as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise error(f"{named} cannot be read: it has more than {LARGEST >> 20} MiB")
        text = content.decode("utf-8-sig")
        if left := git_leftover(text):
            raise error(f"{named} cannot be read: {left}")
        loaded = load_yaml(text)
    except OSError as fault:
        raise error(f"{named} cannot be read: {told(fault)}") from None
    except (ValueError, yaml.YAMLError) as fault:  # a ValueError: no UTF-8, or a path that no file can have
        raise error(f"{named} cannot be read: {shorten(str(fault))}") from None
    if not isinstance(loaded, dict):
        raise error(f"{named} must hold keys and values, such as `key: value`")
    return loaded


def read_options(path: Path, what: str) -> dict[str, Any]:
    """Read a YAML file whose keys are options, `max-drop` being the same as `max_drop`.

    Args:
        path: The file.
        what: As `read_mapping` has it.

    Raises:
        UsageError: The file cannot be read, holds something else, or has an option in both spellings.
    """
    return as_options(read_mapping(path, what), f"{what} {path}")


def as_options(values: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """Return values whose keys are options, with `_` in the keys for `-`.

    Args:
        values: As YAML has them.
        where: Where they stand, for the error.

    Raises:
        UsageError: An option stands there in both spellings.
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = str(key).replace("-", "_")
        if name in found:
            raise UsageError(f"{where} has the key {str(key)!r} twice, with - and with _: one must go")
        found[name] = value
    return found


def _size(node: yaml.Node, most: int, known: dict[int, int]) -> int:
    """Count nodes with aliases expanded, at most `most` + 1; a node that contains itself has no end."""
    import yaml

    if id(node) in known:
        return known[id(node)]
    if not isinstance(node, yaml.CollectionNode):
        return 1
    known[id(node)] = most
    parts = (
        node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
    )
    known[id(node)] = min(most + 1, 1 + sum(_size(part, most, known) for part in parts))
    return known[id(node)]


def _check_nodes(node: yaml.Node, seen: set[int], build: Callable[[yaml.Node], Any]) -> None:
    """Refuse a mapping that has a key twice, of which PyYAML keeps the last without a word, and long numbers.

    Keys are the same where what is built of them is: yes and true, 1 and 1.0. PyYAML builds an integer of any
    length in base 2, 8, 16 and 60, which Python then refuses to print.
    """
    import yaml

    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for part in node.value:
            _check_nodes(part, seen, build)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[Hashable, int] = {}
        for key, value in node.value:
            _check_nodes(key, seen, build)
            _check_nodes(value, seen, build)
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                name = key.tag if key.tag == _MERGE else build(key)
                if name in lines:
                    raise yaml.YAMLError(
                        f"line {line}: the key {key.value!r} stands on line {lines[name]} too"
                    )
                lines[name] = line
    elif node.tag == "tag:yaml.org,2002:int" and len(node.value) > LONGEST_NUMBER:
        raise yaml.YAMLError(f"line {node.start_mark.line + 1}: a number of {len(node.value)} characters")
    elif node.tag in _NUMBERS and _NUMBERS[node.tag].fullmatch(node.value):
        line = node.start_mark.line + 1
        raise yaml.YAMLError(f"line {line}: YAML reads {node.value} in base 8 or 60: write it without 0 or :")
