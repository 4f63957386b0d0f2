"""The gate's configuration, from a command line and an lbw-gate.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longbench_write.compare.metrics import MetricInRange, parse_metric
from longbench_write.compare.rule import Rule
from longbench_write.errors import UsageError, shorten, unknown_name
from longbench_write.files.schema import MOST
from longbench_write.files.yaml_text import as_options, read_options
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES

DEFAULT = "default"
_MOST_HOURS = 1e6
PATHS = ("baseline", "history")
"""Keys whose value is a path."""
_SWITCHES = ("allow_different_judges", "common")
_OF_FLOOR = ("at_least", "confident")
BY_METRIC = ("max_drop", "non_inferiority")
"""Keys whose value is a number for all gated metrics, or numbers by metric."""
_KEYS = (
    "baseline",
    "metrics",
    "max_drop",
    "min",
    "max_missing",
    "non_inferiority",
    "max_age",
    "history",
    *_SWITCHES,
)


@dataclass(frozen=True)
class GateConfig:
    """What `lbw-eval check` is told: the rule, and what to compare with.

    Attributes:
        baseline: The path; None where none is named.
        allow_different_judges: Compare what different judges said, with a warning.
        max_age: The hours that the run may be old; None for any.
        history: The file of earlier verdicts; None to look at this run alone.
        common: Where the suites differ, compare the prompts that have not changed.
    """

    rule: Rule
    baseline: Path | None
    allow_different_judges: bool
    max_age: float | None
    history: Path | None
    common: bool


def read_gate(path: Path) -> dict[str, Any]:
    """Read the keys and values of an lbw-gate.yaml; `max-drop` is the same as `max_drop`.

    Paths in it, of a baseline and a history, are relative to the file.

    Raises:
        UsageError: It cannot be read, is no mapping, has a key twice, or a path that is none.
    """
    values = read_options(path, "--config")
    for key in PATHS:
        if (place := values.get(key)) is not None:
            if not isinstance(place, str):
                raise UsageError(f"{path}: {key} must be a path, not {shorten(repr(place), 80)}")
            values[key] = str(path.parent / place)
    return values


def build_gate(values: Mapping[str, Any], declared: Sequence[Metric] = ()) -> GateConfig:
    """Check raw values, as YAML or a command line gives them.

    Args:
        values: `metrics` a list of names; `max_drop` a number, or a mapping of names (and "default") to
            numbers; `min` a mapping of names to numbers, or to mappings of `at_least` to a number and
            `confident` to a switch; `max_missing` in percent; `non_inferiority` as `max_drop`, or None;
            `max_age` in hours; `baseline` and `history` paths.
        declared: Metrics that the baseline or the run knows besides those that are installed.

    Raises:
        UsageError: A key or a metric is unknown (the nearest is named), or a value is refused.
    """
    for key in values:
        if key not in _KEYS:
            known = [name.replace("_", "-") for name in _KEYS]
            raise unknown_name("key of lbw-gate.yaml", key.replace("_", "-"), known)
    metrics = _metrics(values.get("metrics"), declared)
    default, allowed = _of_gated("max-drop", values.get("max_drop", 1.0), metrics, declared)
    asked = values.get("non_inferiority")
    proof, margins = (None, {}) if asked is None else _of_gated("non-inferiority", asked, metrics, declared)
    floors, confident = _floors(values.get("min", {}), declared)
    for key in _SWITCHES:
        _switch(key.replace("_", "-"), values.get(key, False))
    age = values.get("max_age")
    places = {key: Path(str(place)) for key in PATHS if (place := values.get(key)) is not None}
    return GateConfig(
        rule=Rule(
            metrics=metrics,
            max_drop=allowed,
            drop=1.0 if default is None else default,
            floors=floors,
            max_missing=_number("max-missing", values.get("max_missing", 5.0)) / 100,
            margins=margins,
            non_inferiority=proof,
            confident=confident,
        ),
        baseline=places.get("baseline"),
        history=places.get("history"),
        max_age=None if age is None else _number("max-age", age, (0.0, _MOST_HOURS)),
        **{key: values.get(key, False) for key in _SWITCHES},
    )


def _floors(
    value: Any, declared: Sequence[Metric]
) -> tuple[dict[MetricInRange, float], frozenset[MetricInRange]]:
    """Return the floors, and which of them only a whole interval breaks.

    Raises:
        UsageError: A metric or a key is unknown, or a value is refused.
    """
    floors, confident = {}, set()
    for metric, name, floor in _by_metric("min", _mapping("min", value), declared):
        key = f"min {name}"
        if isinstance(floor, Mapping):
            given = as_options(floor, key)
            for each in given:
                if each not in _OF_FLOOR:
                    raise unknown_name(f"key of {key}", each, _OF_FLOOR)
            if "at_least" not in given:
                raise UsageError(f"{key} needs at_least, such as {{at_least: 70, confident: true}}")
            if _switch(f"{key} confident", given.get("confident", False)):
                confident.add(metric)
            key, floor = f"{key} at_least", given["at_least"]
        floors[metric] = _number(key, floor, metric.metric.range)
    return floors, frozenset(confident)


def _of_gated(
    key: str, value: Any, metrics: Sequence[MetricInRange] | None, declared: Sequence[Metric]
) -> tuple[float | None, dict[MetricInRange, float]]:
    """Return a number for all gated metrics, in percent of their ranges, and those of single ones.

    Args:
        key: What they are.
        value: A number, or a mapping of names (and `DEFAULT`) to numbers, of single metrics in their units.
        metrics: The gated metrics; None for the headlines.
        declared: As for `build_gate`.

    Raises:
        UsageError: A metric is unknown or not gated, or a value is refused.
    """
    given = dict(_mapping(key, value if isinstance(value, Mapping) else {DEFAULT: value}))
    general = _number(key, given.pop(DEFAULT)) if DEFAULT in given else None
    found = {
        metric: _number(f"{key} {name}", figure, (0.0, metric.metric.width or 0.0))
        for metric, name, figure in _by_metric(key, given, declared)
    }
    if lost := [metric for metric in found if metrics is not None and metric not in metrics]:
        raise UsageError(f"--{key} names {lost[0]}, which is not gated: add --metric {str(lost[0])!r}")
    if metrics is None and (ungated := [m for m in found if m not in map(MetricInRange, HEADLINES)]):
        raise UsageError(
            f"--{key} names {ungated[0]}, which is not gated by default: "
            "name every gated metric with --metric"
        )
    return general, found


def _by_metric(
    key: str, values: Mapping[Any, Any], declared: Sequence[Metric]
) -> Iterator[tuple[MetricInRange, str, Any]]:
    """Yield the metric that each name means, with the name and its value.

    Raises:
        UsageError: There is no such metric, or two names mean one.
    """
    names: dict[MetricInRange, str] = {}
    for name, value in values.items():
        metric = parse_metric(str(name), declared)
        if metric in names:
            raise UsageError(f"{key} names {metric} twice, as {names[metric]!r} and {name!r}: one must go")
        names[metric] = str(name)
        yield metric, str(name), value


def _metrics(names: Any, declared: Sequence[Metric]) -> tuple[MetricInRange, ...] | None:
    if names is None:
        return None
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError("metrics must be a list of names, such as [S_l, S_q]")
    found = tuple(dict.fromkeys(parse_metric(str(name), declared) for name in names))
    for metric in found:
        if metric.metric.range is None:
            raise UsageError(
                f"{metric} has no finite range and is not gated: give it a limit with --min {metric}=X"
            )
    return found


def _mapping(key: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(
            f"{key} must map metrics to numbers, such as S_l: 70; not {shorten(repr(value), 80)}"
        )
    return value


def _switch(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{key} must be true or false, not {shorten(repr(value), 80)}")
    return value


def _number(key: str, value: Any, ends: tuple[float, float] | None = (0.0, 100.0)) -> float:
    low, high = ends or (-MOST, MOST)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        between = "" if ends is None else f" from {low:g} to {high:g}"
        raise UsageError(f"{key} must be a number{between}, not {shorten(repr(value), 80)}")
    return float(value)
