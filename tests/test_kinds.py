from dataclasses import dataclass, replace
from typing import Any

import pytest
from samples import judged, predicted

from longbench_write.kinds import check_kinds
from longbench_write.records import Judgement, Prediction


@dataclass
class Thing:
    name: str
    number: int | None = 1
    share: float | None = 0.5
    flags: dict[str, int] | None = None
    parts: list[Any] | None = None
    kept: bool = True


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"number": None},
        {"share": 1},
        {"share": None},
        {"flags": {"a": 1}},
        {"parts": [{}]},
        {"kept": False},
    ],
)
def test_what_the_fields_say_is_taken(changes):
    check_kinds(replace(Thing("a"), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        *({"name": None}, {"name": 1}, {"number": 1.5}, {"number": True}, {"number": "1"}, {"share": "0.5"}),
        *({"share": False}, {"flags": []}, {"parts": {}}, {"kept": 1}, {"kept": None}),
    ],
)
def test_anything_else_is_named(changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))} is of type"):
        check_kinds(replace(Thing("a"), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"length": 0},
        {"response": None},
        {"response_length": -1},
        {"attempts": 0},
        {"usage": {"prompt_tokens": "1"}},
    ],
)
def test_a_response_that_cannot_be_is_no_record(changes):
    with pytest.raises(ValueError, match=r"."):
        Prediction.from_json(predicted().to_json() | changes)


@pytest.mark.parametrize("value", [0, 6, 4.0, "4", True, None])
def test_a_score_that_cannot_be_is_no_record(value):
    line = judged().to_json()
    line["scores"]["Clarity"] = value
    with pytest.raises(ValueError, match="six dimensions"):
        Judgement.from_json(line)
