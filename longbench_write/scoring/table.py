"""The table of a run's responses: the columns of scores.csv, written and read again."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from longbench_write.errors import RunFolderError, UsageError, shorten
from longbench_write.metrics.base import Metric, complete
from longbench_write.metrics.catalogue import BUILT_IN, others
from longbench_write.metrics.length import S_L, S_L_RULE, S_L_UNICODE
from longbench_write.metrics.quality import DIMENSIONS, S_Q, SIX
from longbench_write.render.csv import csv_text, escape_csv, unescape_csv
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.flags import FLAGS
from longbench_write.scoring.rows import Row


@dataclass(frozen=True)
class CsvColumn:
    """A column of the table.

    Attributes:
        kind: What its values are: str, int, float or bool.
        value: A response's; None where it has none.
    """

    name: str
    kind: type
    value: Callable[[Row], object]


def columns(metrics: Sequence[Metric] = BUILT_IN) -> list[CsvColumn]:
    """Return the columns, those of metrics that are not built in at last.

    Args:
        metrics: What was measured.

    Raises:
        UsageError: A metric has the name of another column.
    """
    found = [
        _field("id", str),
        _field("sample", int),
        _field("type", str),
        _field("language", str),
        _field("length", int),
        _field("response_length", int),
        _metric(S_L),
        *(CsvColumn(name, float, _score(name)) for name in DIMENSIONS),
        _metric(S_Q),
        *(CsvColumn(flag, bool, _flag(flag)) for flag in FLAGS),
        CsvColumn("judge_failed", bool, attrgetter("failed")),
        _field("response_length_unicode", int),
        _metric(S_L_UNICODE),
        CsvColumn("repeated_share", float, attrgetter("repetition.share")),
        CsvColumn("repeated_from", float, attrgetter("repetition.start")),
        CsvColumn("compressed_share", float, attrgetter("repetition.compressed")),
        _field("reasoning_words", int),
        _field("length_rule", str),
        _metric(S_L_RULE),
    ]
    taken = {column.name.casefold() for column in found}
    for metric in others(metrics):
        if metric.name.casefold() in taken:
            raise UsageError(
                f"a column of scores.csv is called {metric.name!r}: give the metric another name"
            )
        taken.add(metric.name.casefold())
        found.append(_metric(metric))
    return found


def _field(name: str, kind: type) -> CsvColumn:
    return CsvColumn(name, kind, attrgetter(name))


def _metric(metric: Metric) -> CsvColumn:
    return CsvColumn(metric.name, float, lambda row: row.values.get(metric.name))


def _score(name: str) -> Callable[[Row], object]:
    return lambda row: row.scores.get(name) if row.scores else None


def _flag(flag: str) -> Callable[[Row], object]:
    return lambda row: flag in row.flags


def scores_csv(rows: Iterable[Row], metrics: Sequence[Metric] = BUILT_IN) -> str:
    """Return the text of scores.csv: a line a response, empty where a number cannot be had, flags as 0 or 1.

    Texts are written as `escape_csv` has them, so that no spreadsheet calculates them.
    """
    table = columns(metrics)
    lines = ([_cell(column.value(row)) for column in table] for row in rows)
    return csv_text(itertools.chain([[column.name for column in table]], lines))


def _cell(value: object) -> object:
    if isinstance(value, str):
        return escape_csv(value)
    return int(value) if isinstance(value, bool) else value


def read_rows(path: Path, metrics: Iterable[Metric] = BUILT_IN) -> list[Row]:
    """Return the rows of a scores.csv, as they were written.

    Args:
        path: The file.
        metrics: Those whose values are read; one that has no column has no value.

    Raises:
        RunFolderError: It cannot be read, or was written by another version.
    """
    more = others(metrics)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_row(line, more) for line in csv.DictReader(file)]
    except FileNotFoundError:
        raise RunFolderError(f"there is no {path}: make it with `lbw-eval score {path.parent}`") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise RunFolderError(
            f"{path} cannot be read ({shorten(repr(error))}): "
            f"make it anew with `lbw-eval score {path.parent}`"
        ) from None


def _row(line: Mapping[str, str], more: Sequence[Metric]) -> Row:
    by_six = line[S_Q.name] != "" and any(line[name] for name in DIMENSIONS)
    scores = {name: _finite(line[name]) for name in DIMENSIONS} if by_six else None
    values = {metric.name: _optional(line[metric.name]) for metric in (S_L, S_Q, S_L_UNICODE, S_L_RULE)}
    if line["length"] and values[S_L.name] is None:
        raise ValueError(f"{line['id']} has no {S_L.name}")
    values |= {name: SIX.points(score) for name, score in (scores or {}).items()}
    values |= {metric.name: _optional(line.get(metric.name) or "") for metric in more if not metric.parts}
    return Row(
        id=unescape_csv(line["id"]),
        sample=int(line["sample"]),
        type=unescape_csv(line["type"]),
        language=unescape_csv(line["language"]),
        length=int(line["length"]) if line["length"] else None,
        response_length=int(line["response_length"]),
        response_length_unicode=int(line["response_length_unicode"]),
        values=complete(values, (*BUILT_IN, *more)),
        scores=scores,
        failed=line["judge_failed"] == "1",
        flags=frozenset(flag for flag in FLAGS if line[flag] == "1"),
        repetition=Repetition(
            _finite(line["repeated_share"]),
            _optional(line["repeated_from"]),
            _optional(line["compressed_share"]),
        ),
        reasoning_words=int(line["reasoning_words"]),
        length_rule=unescape_csv(line["length_rule"]) or None,
    )


def _optional(text: str) -> float | None:
    return _finite(text) if text else None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no score")
    return number
