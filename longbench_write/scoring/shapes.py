"""What the values of a summary.json may be; pydantic holds a file against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Le, Len, Predicate
from typing_extensions import TypedDict

from longbench_write.errors import shorten
from longbench_write.files.schema import MOST, Amount, Count, Ends, Number, Score, check_plain, check_values
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.scoring.flags import FLAGS
from longbench_write.suites.suite import LENGTH_RANGES

Positive = Annotated[int, Ge(1), Le(MOST)]
Setting = Number | Literal["default", "none"] | None
"""A number of a sampling's settings, or the word for leaving it to the model."""
Bounds = Annotated[list[Score | None], Len(2, 2)]


def rising(ends: list[float]) -> bool:
    """Return whether both ends of an interval are in order."""
    return ends[0] <= ends[1]


Interval = Annotated[list[Number], Len(2, 2), Predicate(rising)]
ScoreInterval = Annotated[list[Score], Len(2, 2), Predicate(rising)]
FlagCounts: Any = TypedDict("FlagCounts", dict.fromkeys(FLAGS, NotRequired[Count]))  # type: ignore[misc]

Dimensions: Any = TypedDict("Dimensions", dict.fromkeys(DIMENSIONS, Score | None))  # type: ignore[misc]
Headlines: Any = TypedDict(  # type: ignore[misc]
    "Headlines", {metric.name: Score | None for metric in HEADLINES}
)
HeadlineIntervals: Any = TypedDict(  # type: ignore[misc]
    "HeadlineIntervals", {metric.name: NotRequired[ScoreInterval | None] for metric in HEADLINES}
)


class IntervalsShape(HeadlineIntervals):
    """The intervals of a group; schema 1, and the first of schema 2, had those of the headlines alone."""

    S_l_unicode: NotRequired[ScoreInterval | None]
    S_l_rule: NotRequired[ScoreInterval | None]
    dimensions: NotRequired[dict[str, ScoreInterval | None]]
    range_mean: NotRequired[HeadlineIntervals | None]


class WeightedShape(Headlines):
    """The headlines by the suite's own shares of the length ranges; `prompts` are the suite's."""

    ci: HeadlineIntervals
    prompts: NotRequired[Count]


class PromptsShape(TypedDict):
    """Which prompts a run is about; `samples` are those of prompts that have fewer than the others."""

    n: Positive
    sha256: str
    samples: NotRequired[dict[str, Count]]


class SettingsShape(TypedDict):
    """How responses were sampled."""

    backend: str
    temperature: NotRequired[Setting]
    max_tokens: NotRequired[Setting]
    seed: NotRequired[Setting]


class CountsShape(FlagCounts):
    """The counts that every summary has."""

    owed: Positive
    generated: Count
    generation_failed: Count
    not_generated: Count
    judged: Count
    judge_failed: Count
    not_judged: Count


class DeclarationShape(TypedDict):
    """What a file says of a metric that has no key of its own; `Metric.declared` checks the rest."""

    range: Ends | None


class MetricShape(DeclarationShape):
    """The figures of such a metric, with its declaration."""

    value: Number | None
    ci: Interval | None


class CeilingShape(TypedDict):
    """How many tokens a server lets through."""

    role: Literal["writer", "planner", "judge"]
    kind: Literal["context", "output", "prompt", "unknown"]
    tokens: Count
    count: Count
    source: Literal["cut", "refused", "models"]


class ReachShape(TypedDict):
    """What a ceiling leaves."""

    prompts: Count
    S_l: Score


class ServingShape(TypedDict):
    """Who answered."""

    models: dict[str, Count]
    providers: dict[str, Count]
    judge_models: dict[str, Count]
    fallbacks: Count
    cache_hits: Count
    identical_samples: Count
    reasoning_not_off: Count
    added_prompt_tokens: Count | None


class SuspectsShape(TypedDict):
    """Responses that were probably spoilt on their way."""

    count: Count
    by_reason: dict[str, Count]
    S_l: Score | None


class GroupShape(FlagCounts):
    """The figures of a group of responses."""

    n: Count
    judged: Count
    S_bar: Score | None
    S_l: Score | None
    S_q: Score | None
    S_l_unicode: Score | None
    S_l_rule: Score | None
    S_q_bounds: Bounds | None
    S_l_bounds: NotRequired[Bounds | None]
    ci: IntervalsShape
    dimensions: Dimensions
    metrics: NotRequired[dict[str, MetricShape]]


class RangeShape(GroupShape):
    """Those of a length range."""

    range: str


@dataclass(frozen=True, kw_only=True)
class InfoShape:
    """The values of a `RunInfo` of which its types say too little."""

    prompts: PromptsShape
    samples: Positive
    settings: SettingsShape


@dataclass(frozen=True, kw_only=True)
class SummaryShape(InfoShape):
    """The values that are read of a summary."""

    S_bar: Score | None
    S_l: Score | None
    S_q: Score | None
    S_l_unicode: Score | None
    S_l_rule: Score | None
    S_q_bounds: Bounds | None
    S_l_bounds: Bounds | None = None
    ci: IntervalsShape
    dimensions: Dimensions
    metrics: dict[str, MetricShape] = field(default_factory=dict)
    counts: CountsShape
    failures: dict[str, Count]
    judge_failures: dict[str, Count]
    by_length: list[RangeShape]
    by_language: dict[str, GroupShape]
    by_type: dict[str, GroupShape]
    range_mean: Headlines
    usage: dict[str, dict[str, Count]]
    cost: dict[str, Amount | None]
    seconds: Amount | None
    ceilings: list[CeilingShape] = field(default_factory=list)
    reach: ReachShape | None = None
    weighted: WeightedShape | None = None
    serving: ServingShape | None = None
    suspects: SuspectsShape | None = None
    control_tokens: dict[str, Count] = field(default_factory=dict)


def check_counts(counts: Mapping[str, int]) -> None:
    """Check that all counts are such, those that other versions have too.

    Raises:
        ValueError: One is not; its key is named.
    """
    for name, count in counts.items():
        if type(count) is not int or not 0 <= count <= MOST:
            raise ValueError(f"counts.{name}: {shorten(str(count), 40)} is no count")


def check_sums(counts: Mapping[str, int]) -> None:
    """Check that the counts of a summary add up.

    Raises:
        ValueError: Some do not; they are named.
    """
    for whole, parts in (
        ("owed", ("generated", "generation_failed", "not_generated")),
        ("generated", ("judged", "judge_failed", "not_judged")),
    ):
        if counts[whole] != sum(counts[part] for part in parts):
            raise ValueError(f"counts: {whole} is not the sum of {', '.join(parts)}")


def check_summary(values: Mapping[str, Any]) -> None:
    """Check the values of a summary.json.

    Raises:
        ValueError: One cannot be; its key is named.
    """
    check_plain(values)
    check_values(SummaryShape, values)
    check_counts(values["counts"])
    check_sums(values["counts"])
    for place, group in enumerate(values["by_length"]):
        if group["range"] not in LENGTH_RANGES:
            raise ValueError(f"by_length.{place}.range: none of {', '.join(LENGTH_RANGES)}")
        check_null(group, f"by_length.{place}.")
    for by in ("by_language", "by_type"):
        for name, group in values[by].items():
            check_null(group, f"{by}.{name}.")
    check_null(values)


def check_null(group: Mapping[str, Any], where: str = "") -> None:
    """Check that figures are null, which tables show as a dash, where they can be, and only together.

    All six dimensions of a group are null where nothing was judged by them, and S_bar where S_l or S_q is.

    Args:
        group: The figures.
        where: The keys that lead to them, for the error.

    Raises:
        ValueError: One is null alone; its key is named.
    """
    lacking = [name for name, value in group["dimensions"].items() if value is None]
    if lacking and len(lacking) < len(DIMENSIONS):
        raise ValueError(f"{where}dimensions.{lacking[0]}: null, and others are not")
    if (group["S_bar"] is None) != (group["S_l"] is None or group["S_q"] is None):
        raise ValueError(f"{where}S_bar: null where S_l or S_q is, and only there")
