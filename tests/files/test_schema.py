from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from longbench_write.errors import RunFolderError
from longbench_write.files.schema import check_schema, check_values


@dataclass
class Thing:
    name: str
    number: int | None = 1
    share: float | None = 0.5
    flags: dict[str, int] | None = None
    parts: list[Any] | None = None
    kept: bool = True
    unknown: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    "changes",
    [
        *({}, {"number": None}, {"share": 1}, {"share": None}, {"flags": {"a": 1}}, {"parts": [{}]}),
        *({"kept": False}, {"further": object()}, {"unknown": 1}, {"name": "\ud800"}),
    ],
)
def test_what_the_fields_say_is_taken(changes):
    check_values(Thing, {"name": "a"} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        *({"name": None}, {"name": 1}, {"number": 1.5}, {"number": True}, {"number": "1"}, {"share": "0.5"}),
        *({"share": False}, {"flags": []}, {"flags": {"a": 1.0}}, {"flags": {1: 1}}, {"parts": {}}),
        *({"kept": 1}, {"kept": None}),
    ],
)
def test_anything_else_is_named(changes):
    with pytest.raises(ValueError, match=f"^{next(iter(changes))}"):
        check_values(Thing, vars(replace(Thing("a"))) | changes)


def test_a_missing_field_is_named():
    with pytest.raises(ValueError, match=r"^name"):
        check_values(Thing, {"number": 1})


@pytest.mark.parametrize("schema", [3, 0, -1, "2", 1.0, True, None])
def test_another_schema_is_refused_with_both_numbers(schema):
    with pytest.raises(RunFolderError) as refused:
        check_schema("there", schema, 2)
    assert f"schema {schema}," in str(refused.value)
    assert "schema 2 " in str(refused.value)


@pytest.mark.parametrize("schema", [1, 2])
def test_this_schema_and_earlier_ones_are_taken(schema):
    check_schema("there", schema, 2)
