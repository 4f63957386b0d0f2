"""Figures as data: a Metric and a Rubric, each declared once and iterated over by whatever measures or shows.

A metric turns a response into a number, and responses into one. Whoever scores, tabulates, draws, compares,
gates or exports goes through `catalogue.all_metrics()` and needs no name of a metric.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from longbench_write.errors import LbwError, shorten
from longbench_write.metrics.reserved import RESERVED

_NAME = re.compile(r"[A-Za-z][\w-]*( [\w-]+)*")


class Measurable(Protocol):
    """A response as a metric reads it."""

    @property
    def id(self) -> str:
        """Its prompt."""

    @property
    def response(self) -> str | None:
        """Its text; None where only figures are at hand, as in the planning of a gate."""

    @property
    def language(self) -> str:
        """The language of its prompt, such as "en"."""

    @property
    def length(self) -> int | None:
        """Required words; None where the prompt asks for no length."""

    @property
    def length_rule(self) -> str | None:
        """How the prompt words its required length; None where the suite does not say."""

    @property
    def length_bounds(self) -> Sequence[int] | None:
        """Both edges of a required range."""

    @property
    def response_length(self) -> int:
        """Written words, by the official count."""

    @property
    def response_length_unicode(self) -> int:
        """Written words, by the Unicode-aware count."""

    @property
    def rubric(self) -> Rubric:
        """What it was judged by."""

    @property
    def scores(self) -> Mapping[str, float] | None:
        """The judge's score by criterion of `rubric`, on its scale; None where unjudged."""


class MetricRow(Protocol):
    """A measured response, as an aggregate reads it."""

    @property
    def id(self) -> str:
        """Its prompt; samples of one prompt share it."""

    @property
    def scores(self) -> Mapping[str, float] | None:
        """The judge's score by criterion, on the rubric's scale; None where unjudged."""

    @property
    def values(self) -> Mapping[str, float]:
        """What each metric gave for it, by name; a metric without a value is absent."""


@dataclass(frozen=True)
class Metric:
    """A figure that a response has or may have. Two metrics are equal where their names are.

    Attributes:
        name: Its key in every file and on the command line: letters, digits, "_", "-" and single blanks; none
            of `reserved.RESERVED`.
        symbol: What stands over its columns.
        title: What it is, in words.
        range: Both ends of its scale; None where it has no finite one: it is shown, but not gated.
        unit: Of its values.
        higher_is_better: Otherwise the gate closes where it rises.
        needs_judge: Whether it is known of judged responses alone.
        headline: Whether it is shown, ranked by and gated where nothing else is asked for.
        of: A response's value; None where it has none. None for a metric that is formed from `parts`, and for
            one that is known from a file alone, which can be shown and compared but not measured.
        aggregate: The value of many responses; None takes the mean over prompts of the mean over samples.
        parts: The metrics that this one is formed from, in the order of `combine`'s arguments.
        combine: Forms it from the values (numbers, or arrays of them) of its parts.

    Raises:
        ValueError: The name cannot be one or is reserved, the range has no two finite ends, or `parts` and
            `combine` do not go together.
    """

    name: str
    symbol: str = field(compare=False)
    title: str = field(default="", compare=False)
    range: tuple[float, float] | None = field(default=(0.0, 100.0), compare=False)
    unit: str = field(default="points", compare=False)
    higher_is_better: bool = field(default=True, compare=False)
    needs_judge: bool = field(default=False, compare=False)
    headline: bool = field(default=False, compare=False)
    of: Callable[[Measurable], float | None] | None = field(default=None, compare=False, repr=False)
    aggregate: Callable[[Sequence[MetricRow]], float | None] | None = field(
        default=None, compare=False, repr=False
    )
    parts: tuple[Metric, ...] = field(default=(), compare=False, repr=False)
    combine: Callable[..., Any] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a metric: letters, digits, '_' and '-' alone")
        if self.name.casefold() in RESERVED:
            raise ValueError(f"{self.name!r} is the name of a column of tables: give the metric another name")
        if self.range is not None:
            low, high = self.range
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError(f"{self.name}: the range {self.range} has no two finite ends")
        if bool(self.parts) != (self.combine is not None) or any(part.parts for part in self.parts):
            raise ValueError(f"{self.name}: parts and combine go together, and no part has parts")

    @property
    def label(self) -> str:
        """Its symbol, and what it is, such as "S_l (length)"."""
        return f"{self.symbol} ({self.title})" if self.title and self.title != self.symbol else self.symbol

    @property
    def width(self) -> float | None:
        """How far apart the ends of its range are; None without a finite range."""
        return None if self.range is None else self.range[1] - self.range[0]

    def over(self, rows: Sequence[MetricRow]) -> float | None:
        """Return the value of many responses; None where none has one."""
        if self.combine is not None:
            return self.combined([part.over(rows) for part in self.parts])
        if self.aggregate is not None:
            return self.aggregate(rows)
        return mean_over_prompts(rows, lambda row: row.values.get(self.name))

    def combined(self, values: Sequence[Any | None]) -> Any | None:
        """Return the value formed from those of its parts; None where one of them is missing."""
        if self.combine is None or any(value is None for value in values):
            return None
        return self.combine(*values)

    def declaration(self) -> dict[str, Any]:
        """Return what a file keeps of it, so that its values can be read without the metric."""
        return {
            "symbol": self.symbol,
            "range": None if self.range is None else list(self.range),
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "needs_judge": self.needs_judge,
        }

    @classmethod
    def declared(cls, name: str, values: Mapping[str, Any]) -> Metric:
        """Return a metric as a file declares it.

        Raises:
            KeyError, TypeError, ValueError: It is no such declaration.
        """
        ends = values["range"]
        flags = {key: values[key] for key in ("higher_is_better", "needs_judge")}
        texts = {"symbol": values["symbol"], "unit": values.get("unit", "")}
        if not all(isinstance(flag, bool) for flag in flags.values()):
            raise TypeError(f"{name}: higher_is_better and needs_judge are true or false")
        if not all(isinstance(text, str) for text in texts.values()):
            raise TypeError(f"{name}: symbol and unit are texts")
        if ends is not None:
            low, high = map(float, ends)
            ends = low, high
        return cls(name, range=ends, **texts, **flags)


def measure(response: Measurable, metrics: Sequence[Metric]) -> dict[str, float]:
    """Return each metric's value of a response, by name, in their order; what has none is absent.

    Raises:
        LbwError: A metric raised; it is named, and the response.
    """
    found: dict[str, float | None] = {}
    for metric in metrics:
        if metric.of is None:
            continue
        try:
            found[metric.name] = metric.of(response)
        except Exception as error:  # a metric of another package may raise anything
            told = shorten(f"{type(error).__name__}: {error}")
            raise LbwError(f"metric {metric.name} failed on a response to {response.id}: {told}") from error
    return complete(found, metrics)


def complete(values: Mapping[str, float | None], metrics: Sequence[Metric]) -> dict[str, float]:
    """Return values with those that are formed from them, in the metrics' order; what has none is absent."""
    found: dict[str, float] = {}
    for metric in metrics:
        value = values.get(metric.name)
        if metric.parts:
            value = metric.combined([values.get(part.name) for part in metric.parts])
        if value is not None and math.isfinite(value):
            found[metric.name] = value
    return found


@dataclass(frozen=True)
class Rubric:
    """What a judge scores by: criteria on one scale of whole numbers, and how they become 0 to 100.

    Attributes:
        name: Its name in records.
        criteria: In the order in which they are shown.
        low, high: The ends of the scale.
    """

    name: str
    criteria: tuple[str, ...]
    low: int = 1
    high: int = 5

    @property
    def scale(self) -> tuple[int, ...]:
        """Every score that there is."""
        return tuple(range(self.low, self.high + 1))

    def points(self, score: float) -> float:
        """Return a score, or a mean of scores, on the scale of 0 to 100."""
        return (score - self.low) * (100 / (self.high - self.low))

    def quality(self, scores: Mapping[str, float]) -> float:
        """Return what a response's scores come to, 0 to 100: the mean of its criteria."""
        return sum(self.points(scores[name]) for name in self.criteria) / len(self.criteria)

    def accepts(self, scores: Mapping[str, Any]) -> bool:
        """Return whether these are whole numbers of the scale, one for each criterion and no other."""
        return len(scores) == len(self.criteria) and all(
            type(value := scores.get(name)) is int and self.low <= value <= self.high
            for name in self.criteria
        )


def per_prompt(rows: Sequence[MetricRow], value: Callable[[MetricRow], float | None]) -> dict[str, float]:
    """Return the mean of each prompt's samples, in order of first appearance; leave out those without."""
    import numpy as np

    samples: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if (number := value(row)) is not None:
            samples[row.id].append(number)
    return {
        prompt: float(np.mean(numbers) if len(numbers) > 1 else numbers[0])
        for prompt, numbers in samples.items()
    }


def mean_over_prompts(rows: Sequence[MetricRow], value: Callable[[MetricRow], float | None]) -> float | None:
    """Return the mean over prompts of the mean over samples; None without any."""
    import numpy as np

    means = per_prompt(rows, value)
    return float(np.mean(list(means.values()))) if means else None
