"""Whether values out of a file are what a dataclass says, by pydantic, and of a schema that is known.

A dataclass's instance is a tenth of a pydantic model's size, and nobody who reads no file imports pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Annotated, Any, NotRequired, get_type_hints

from annotated_types import Ge, Le, Len, Predicate

from longbench_write.errors import RunFolderError, shorten
from longbench_write.files.times import is_time

MOST = 10**15
"""No count, and no other number of a file, is larger: sums of such are exact, and floats can hold them."""
DEEPEST = 50
"""Levels of lists and keys that a file may have."""

Count = Annotated[int, Ge(0), Le(MOST)]
Number = Annotated[float, Ge(-MOST), Le(MOST)]
Amount = Annotated[float, Ge(0), Le(MOST)]
"""Such as seconds or money."""
Time = Annotated[str, Predicate(is_time)]
"""Such as 2026-11-27T02:10:00+00:00; without an offset it is UTC."""
Score = Annotated[float, Ge(-1e-6), Le(100 + 1e-6)]
"""0 to 100, with room for the rounding of a mean."""
Ends = Annotated[list[Number], Len(2, 2)]
"""Both ends of an interval."""

UNKNOWN = "unknown"
"""The field of a dataclass that holds what a file says under keys that this version does not know."""


def check_schema(where: object, schema: object, newest: int) -> None:
    """Refuse values of a schema that this version does not know.

    Args:
        where: The file, or its line.
        schema: What it says of its schema.
        newest: The latest schema that can be read.

    Raises:
        RunFolderError: Both schemas' numbers are named.
    """
    if type(schema) is not int or not 1 <= schema <= newest:
        raise RunFolderError(
            f"{where} has schema {shorten(str(schema), 40)}, this version reads schema {newest} and earlier: "
            "install a newer longbench-write"
        )


def check_values(cls: type, values: Mapping[str, Any], where: str = "") -> None:
    """Check the values for a dataclass's fields strictly, nested ones too; other keys may hold anything.

    Args:
        cls: The dataclass.
        values: As a file has them.
        where: The keys that lead to them, for the error.

    Raises:
        ValueError: A field is missing or holds something else; it is named.
    """
    from pydantic import ValidationError

    try:
        _adapter(cls).validate_python(values, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        keys = ".".join(filter(None, (where, *map(str, first["loc"]))))
        raise ValueError(f"{keys}: {first['msg']}") from None


def check_plain(value: Any, where: tuple[str, ...] = ()) -> None:
    """Check that values are what JSON can hold: finite numbers no larger than `MOST`, text keys, few levels.

    Args:
        value: As a file has it.
        where: The keys that lead to it, for the error.

    Raises:
        ValueError: One is not; the keys that lead to it are named.
    """
    fault = ""
    if len(where) > DEEPEST:
        where, fault = where[:3], f"nested more than {DEEPEST} levels deep"
    elif isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                fault = f"the key {shorten(repr(key), 40)} is no text"
                break
            check_plain(part, (*where, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            check_plain(part, (*where, str(number)))
    elif isinstance(value, float | int):
        if not -MOST <= value <= MOST:  # nor is NaN
            fault = f"{shorten(str(value), 40)} is out of range"
    elif value is not None and not isinstance(value, str):
        fault = f"a value of type {type(value).__name__} is no JSON"
    if fault:
        raise ValueError(f"{'.'.join(where)}: {fault}")


def known_names(cls: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields, less that of what is not known."""
    return tuple(each.name for each in fields(cls) if each.name != UNKNOWN)


@cache
def _adapter(cls: Any) -> Any:
    """What checks a mapping of a dataclass's fields; those with a default may be missing."""
    from pydantic import TypeAdapter
    from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

    hints = get_type_hints(cls, include_extras=True)
    needed = {each.name for each in fields(cls) if (each.default, each.default_factory) == (MISSING, MISSING)}
    types = {name: hints[name] if name in needed else NotRequired[hints[name]] for name in known_names(cls)}
    mapping: Any = TypedDict
    return TypeAdapter(mapping(cls.__name__, types))
