"""A file of verdicts, a JSON line each, by which nights are followed.

A line that was cut, merged or edited is named and left out; what can be read is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import Interval
from longbench_write.errors import shorten
from longbench_write.files.faults import told
from longbench_write.files.json_object import decode_object
from longbench_write.files.jsonl import json_text
from longbench_write.files.reading import open_to_read
from longbench_write.files.schema import Count, Number, Time, check_values, known_names
from longbench_write.files.times import parse_time
from longbench_write.gate.trend import Trend

_LONGEST = 1 << 20
"""Bytes that a line may have."""
_NAMED = 10
"""Lines left out whose faults are told; of more, the numbers alone."""
_AHEAD = timedelta(days=1)
"""By how much clocks may differ; a line of a later time is none of the past."""


@dataclass(frozen=True)
class VerdictLine:
    """A line of the file.

    Attributes:
        at: When the verdict was given, UTC.
        run: What tells one run from another, a sha256.
        baseline: The digest of the baseline file, or the same of another run; None where nothing tells it.
        exit_code: The verdict's.
        figures: The run's means, by metric, of those that few responses lack.
        prompts: How many prompts they are over.
        of: What must be alike for two lines to be compared: model, suite, prompts, writer and judge.
        made: When the last response came, UTC; None where nobody knows.
    """

    at: Time
    run: str
    baseline: str | None
    exit_code: Count
    figures: dict[str, Number]
    prompts: Count
    of: dict[str, str | None]
    made: Time | None = None

    @property
    def time(self) -> datetime:
        """When its responses were made; where nobody knows, when the verdict was given."""
        return parse_time(self.made or self.at)

    @property
    def subject(self) -> tuple[tuple[str, str | None], ...]:
        """What must be alike, in order; a judge with a hash is known by it, whatever its label."""
        known = {name: value for name, value in self.of.items() if name != "judge" or not self._has_hash}
        return tuple(sorted(known.items()))

    @property
    def _has_hash(self) -> bool:
        return self.of.get("judge_sha256") is not None

    def text(self) -> str:
        """Return the line without its end."""
        return json_text(asdict(self))


@dataclass(frozen=True)
class HeldTrend:
    """A trend held against a rule.

    Attributes:
        trend: The trend.
        level: Of the interval that it was held to.
        interval: That interval; None while it has no ends.
        allowed: The change for the worse from which on it may be a regression, in the metric's unit.
        is_regression: Whether it is one.
    """

    trend: Trend
    level: float
    interval: Interval | None
    allowed: float
    is_regression: bool


@dataclass(frozen=True)
class Followed:
    """What a history says of a run.

    Attributes:
        path: The file.
        line: This run's, which is to be appended.
        since: The first night.
        nights: How many there are, this one included.
        trends: By gated metric; None where none is told yet.
    """

    path: Path
    line: VerdictLine
    since: date
    nights: int
    trends: Mapping[MetricInRange, HeldTrend | None]

    def to_json(self) -> dict[str, Any]:
        """Return what `lbw-eval check --json` says under `history`."""
        trends = {
            str(metric): {
                "per_week": held.trend.per_week if held else None,
                "interval": list(held.interval) if held and held.interval else None,
            }
            for metric, held in self.trends.items()
        }
        return {"since": self.since.isoformat(), "n": self.nights, "trend": trends}


def read_history(path: Path, now: datetime) -> tuple[list[VerdictLine], list[str]]:
    """Read a file of verdicts; one that is not there is empty.

    Args:
        path: The file.
        now: The time, UTC.

    Returns:
        The lines in the file's order, and what must be said of the others.
    """
    lines: list[VerdictLine] = []
    faults: list[tuple[int, str]] = []
    try:
        for number, text in _numbered(path):
            try:
                if text is None:
                    raise ValueError(f"it is longer than {_LONGEST >> 20} MiB")
                if content := text.decode("utf-8-sig").strip():
                    lines.append(_line(content, now))
            except UnicodeDecodeError as error:
                faults.append((number, f"it is not UTF-8 ({error.reason})"))
            except (ValueError, OverflowError) as error:
                faults.append((number, shorten(str(error), 160)))
    except FileNotFoundError:
        pass
    except OSError as error:
        return [], [f"WARNING: {path} cannot be read, and no trend is told: {told(error)}"]
    return lines, _left_out(path, faults)


def _numbered(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines with their numbers from 1; None for one that is too long."""
    number, goes_on = 1, False
    with open_to_read(path, regular=True) as file:
        while part := file.readline(_LONGEST):
            ends = part.endswith(b"\n") or len(part) < _LONGEST
            if goes_on or not ends:
                if ends:
                    yield number, None
            else:
                yield number, part
            goes_on = not ends
            number += ends
        if goes_on:
            yield number, None


def _line(text: str, now: datetime) -> VerdictLine:
    """Return what a line says; keys of later versions are passed over.

    Raises:
        ValueError: It is no verdict, or of a time to come.
    """
    values = decode_object(text)
    known = {name: values[name] for name in known_names(VerdictLine) if name in values}
    check_values(VerdictLine, known)
    line = VerdictLine(**known)
    if line.time > now + _AHEAD:
        raise ValueError(f"it is of a time to come: {line.time:%Y-%m-%d %H:%M} UTC")
    return line


def _left_out(path: Path, faults: Sequence[tuple[int, str]]) -> list[str]:
    if not faults:
        return []
    said = [f"line {number} ({fault})" for number, fault in faults[:_NAMED]]
    if rest := faults[_NAMED:]:
        said.append(f"and {len(rest)} more, from line {rest[0][0]} to {rest[-1][0]}")
    return [f"WARNING: of {path}, what cannot be read is left out: {'; '.join(said)}"]


def once_each(lines: Sequence[VerdictLine]) -> list[VerdictLine]:
    """Return one line a run, in the order of time: what was said last of it, at the time of the first.

    Args:
        lines: In the file's order.
    """
    found: dict[str, VerdictLine] = {}
    for line in lines:
        first = found.get(line.run)
        found[line.run] = replace(line, at=first.at, made=first.made) if first else line
    return sorted(found.values(), key=lambda line: line.time)


def by_night(lines: Sequence[VerdictLine], metric: str) -> dict[date, float]:
    """Return a metric's figure by day, UTC, the mean over that day's runs; days without one are absent."""
    found: dict[date, list[float]] = {}
    for line in lines:
        if metric in line.figures:
            found.setdefault(line.time.date(), []).append(line.figures[metric])
    return {day: fmean(values) for day, values in sorted(found.items())}


def by_subject(lines: Sequence[VerdictLine]) -> list[list[VerdictLine]]:
    """Return the lines that may be compared together, in the order in which each kind comes first."""
    found: dict[Any, list[VerdictLine]] = {}
    for line in lines:
        found.setdefault(line.subject, []).append(line)
    return list(found.values())
