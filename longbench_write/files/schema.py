"""Whether values out of a file are what a dataclass says, by pydantic, and of a schema that is known.

A dataclass's instance is a tenth of a pydantic model's size, and nobody who reads no file imports pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, NotRequired, get_type_hints

from longbench_write.errors import RunFolderError, shorten

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


def check_values(cls: type, values: Mapping[str, Any]) -> None:
    """Check the values for a dataclass's fields strictly, nested ones too; other keys may hold anything.

    Raises:
        ValueError: A field is missing or holds something else; it is named.
    """
    from pydantic import ValidationError

    try:
        _adapter(cls).validate_python(values, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


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
