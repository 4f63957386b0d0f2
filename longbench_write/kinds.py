"""Whether the fields of a dataclass hold what they say, for values that come out of files."""

from __future__ import annotations

from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints


def check_kinds(record: object) -> None:
    """Check every field of a dataclass's instance, down to lists and mappings, but not inside them.

    Raises:
        ValueError: A field holds something else; it is named.
    """
    cls: Any = type(record)
    for name, kinds in _kinds(cls).items():
        value = getattr(record, name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{name} is of type {type(value).__name__}")


@cache
def _kinds(cls: Any) -> dict[str, tuple[type, ...]]:
    return {name: tuple(_flat(hint)) for name, hint in get_type_hints(cls).items()}


def _flat(hint: Any) -> list[type]:
    """The classes of a type hint; whole numbers are numbers."""
    origin = get_origin(hint)
    if isinstance(origin, type) and origin.__name__ != "UnionType":
        return [origin]
    if args := get_args(hint):
        return [kind for part in args for kind in _flat(part)]
    return [NoneType] if hint is None else [float, int] if hint is float else [hint]
