"""What the values of a baseline file may be, and the digest over them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Le, Len, Predicate
from typing_extensions import TypedDict

from longbench_write.files.schema import Count, Number, Score, Time, check_plain, check_values
from longbench_write.metrics.catalogue import BUILT_IN, read_declarations
from longbench_write.metrics.quality import SIX
from longbench_write.scoring.shapes import (
    CeilingShape,
    CountsShape,
    DeclarationShape,
    Positive,
    ServingShape,
    check_counts,
    check_sums,
)

SCHEMA = 2
_ROUNDING = 1e-6


def _is_sample(text: str) -> bool:
    return text.isascii() and text.isdecimal() and str(int(text)) == text


def _is_sha256(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


Sha256 = Annotated[str, Predicate(_is_sha256)]


class SampleShape(TypedDict):
    """What a baseline has of a response."""

    S_l: Score | None
    dimensions: Annotated[list[Annotated[float, Ge(SIX.low), Le(SIX.high)]], Len(6, 6)] | None
    flags: list[str]
    values: NotRequired[dict[str, Number]]
    words: Count
    cut_by: NotRequired[Literal["limit", "server", "unknown"]]
    suspect: NotRequired[list[str]]
    made: NotRequired[Time]


class PromptShape(TypedDict):
    """What a baseline has of a prompt: its responses by the sample's number."""

    length: Positive | None
    samples: Annotated[dict[Annotated[str, Len(1, 9), Predicate(_is_sample)], SampleShape], Len(1)]
    prompt_sha256: NotRequired[str]
    prompt_tokens: NotRequired[Count]
    content: NotRequired[str]


@dataclass(frozen=True)
class BaselineShape:
    """The values that are read of a baseline."""

    convention: str
    counts: CountsShape | None
    heading: dict[str, Any]
    scores: Annotated[dict[str, PromptShape], Len(1)]
    metrics: dict[str, DeclarationShape] = field(default_factory=dict)
    ceilings: list[CeilingShape] | None = None
    serving: ServingShape | None = None


class KeptJudgeShape(TypedDict):
    """Who judged, and how often."""

    label: str
    config_sha256: str | None
    repeats: Positive | None
    tries: Positive | None


@dataclass(frozen=True)
class OriginShape:
    """Where the scores come from; schema 1 does not say."""

    digest: Sha256
    first: Sha256
    first_made: Time
    first_figures: dict[str, Number]
    parent: Sha256 | None
    runs: Positive
    run_samples: Annotated[list[Positive], Len(1)]
    made: Annotated[list[Time], Len(1)]
    judge: KeptJudgeShape | None
    versions: dict[str, str]
    incomplete: bool


def digest_of(values: Mapping[str, Any]) -> str:
    """Return the sha256 over a baseline's content: canonical JSON, keys sorted, without `digest`.

    The order of keys, spaces, line ends and the way a number is written (4 or 4.0) do not change it. The
    first baseline of a chain has its own digest as `first`, for which null stands in what is hashed.
    """
    content = {key: value for key, value in values.items() if key != "digest"}
    if content.get("first") == values.get("digest"):
        content["first"] = None
    text = json.dumps(_canonical(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Return a value with each whole number as an integer."""
    if isinstance(value, dict):
        return {key: _canonical(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def check_baseline(values: Mapping[str, Any]) -> None:
    """Check the values of a baseline of a known schema; the digest comes last, so that a fault is named.

    Raises:
        ValueError: One cannot be, or two do not fit; its key is named.
    """
    check_plain(values)
    check_values(BaselineShape, values)
    _check_ranges(values)
    if says_origin := values["schema"] > 1 or "digest" in values:
        check_values(OriginShape, values)
    counts = values["counts"] or {}
    check_counts(counts)
    if counts:
        check_sums(counts)
    _check_responses(counts, values)
    if says_origin:
        _check_origin(values)


def _check_ranges(values: Mapping[str, Any]) -> None:
    """Check that what each further metric gave lies within its range."""
    metrics = (*BUILT_IN, *read_declarations(values.get("metrics", {})))
    ranges = {metric.name: metric.range for metric in metrics if metric.range is not None}
    for prompt, line in values["scores"].items():
        for sample, kept in line["samples"].items():
            for name, value in kept.get("values", {}).items():
                low, high = ranges.get(name, (value, value))
                if not low - _ROUNDING <= value <= high + _ROUNDING:
                    where = f"scores.{prompt}.samples.{sample}.values.{name}"
                    raise ValueError(f"{where}: {value:g} is not from {low:g} to {high:g}")


def _check_responses(counts: Mapping[str, int], values: Mapping[str, Any]) -> None:
    """Check that there are as many responses, and as many judged ones, as the counts say."""
    samples = [sample for prompt in values["scores"].values() for sample in prompt["samples"].values()]
    if counts.get("generated", len(samples)) != len(samples):
        raise ValueError(f"counts.generated is {counts['generated']}, and there are {len(samples)} responses")
    judged = sum(sample["dimensions"] is not None for sample in samples)
    if judged and counts.get("judged", judged) != judged:  # other criteria than the six leave no dimensions
        raise ValueError(f"counts.judged is {counts['judged']}, and {judged} responses have dimensions")


def _check_origin(values: Mapping[str, Any]) -> None:
    """Check what schema 2 says of a baseline's origin."""
    if len(values["made"]) != values["runs"]:
        raise ValueError(f"made has {len(values['made'])} dates, and runs is {values['runs']}")
    if len(values["run_samples"]) != values["runs"]:
        raise ValueError(f"run_samples has {len(values['run_samples'])}, and runs is {values['runs']}")
    if (values["parent"] is None) != (values["first"] == values["digest"]):
        raise ValueError("first is the digest of the file itself where parent is null, and only there")
    judge, heading = values["judge"] or {}, values["heading"]
    told = judge.get("label"), judge.get("config_sha256")
    if told != (heading.get("judge"), heading.get("judge_sha256")):
        raise ValueError("judge: it is not the judge of heading")
    if (found := digest_of(values)) != values["digest"]:
        raise ValueError(
            f"its digest does not match: it says {values['digest'][:12]}, and its content gives "
            f"{found[:12]}; it was edited, or merged from two, since it was made"
        )
