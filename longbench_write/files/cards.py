"""Cards: YAML files that somebody writes to describe a judge or a writer, checked by pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from longbench_write.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")


def check_card(cls: type[M], values: Mapping[Any, Any], where: str) -> M:
    """Check a card's values.

    Args:
        cls: The card's model.
        values: Keys and values as YAML gives them.
        where: Where they were written, for the error.

    Raises:
        UsageError: A key is unknown (the nearest is named) or missing, or a value is refused.
    """
    from pydantic import ValidationError

    known = list(cls.model_fields)
    for key in values:
        if key not in known:
            raise unknown_name(f"key in {where}:", str(key), known)
    try:
        return cls.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) + ": " if first["loc"] else ""
        told = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{where}: {place}{told[:1].lower()}{told[1:]}") from None
