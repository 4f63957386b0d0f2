"""The table of a run's responses: the columns of scores.csv, written and read again."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from longbench_write.errors import RunFolderError, shorten
from longbench_write.files.reading import read_text
from longbench_write.files.schema import MOST
from longbench_write.metrics.base import Metric, complete
from longbench_write.metrics.catalogue import BUILT_IN, others
from longbench_write.metrics.length import LENGTH_RULES, S_L, S_L_RULE, S_L_UNICODE
from longbench_write.metrics.quality import DIMENSIONS, S_Q, SIX
from longbench_write.records import Key
from longbench_write.render.csv import csv_text, escape_csv, unescape_csv
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.flags import FLAGS
from longbench_write.scoring.rows import Row
from longbench_write.serving.cuts import CUTS
from longbench_write.serving.suspects import REASONS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


_LATER = frozenset({"cut_by", "declined_length", "suspect"})
"""Columns that files of earlier versions do not have."""


def columns(metrics: Sequence[Metric] = BUILT_IN) -> list[CsvColumn]:
    """Return the columns, those of metrics that are not built in at last.

    Args:
        metrics: What was measured.
    """
    return [
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
        _field("cut_by", str),
        CsvColumn("suspect", str, lambda row: " ".join(row.suspect) or None),
        _field("length_rule", str),
        _metric(S_L_RULE),
        *map(_metric, others(metrics)),
    ]


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
    with _reading(path) as file:
        lines = csv.DictReader(file)
        needed = [column.name for column in columns() if column.name not in _LATER]
        _need(needed, lines.fieldnames or (), path)
        rows: dict[Key, Row] = {}
        try:
            for line in lines:
                row = _row(line, more)
                if (row.id, row.sample) in rows:
                    raise ValueError(f"it repeats {row.id} {row.sample}")
                rows[row.id, row.sample] = row
        except ValueError as error:
            raise _bad_line(path, lines.line_num, error) from None
        return list(rows.values())


class TableValues(NamedTuple):
    """What a scores.csv has of some metrics.

    Attributes:
        keys: The prompt and sample of each response.
        values: Shape (responses, metrics); NaN without a value.
        suspect: Which responses are suspect.
    """

    keys: list[Key]
    values: NDArray[np.float64]
    suspect: NDArray[np.bool_]


def read_values(path: Path, metrics: Sequence[Metric]) -> TableValues:
    """Return what a scores.csv has of some metrics, response by response; the other columns are not read.

    So ranking many runs takes a fraction of the time that `read_rows` needs.

    Args:
        path: The file.
        metrics: None formed from others; of those that are not built in, one without a column has no value.

    Raises:
        RunFolderError: It cannot be read, or was written by another version.
    """
    import numpy as np

    with _reading(path) as file:
        lines = csv.reader(file)
        heads = next(lines, [])
        built_in = [metric.name for metric in metrics if metric in BUILT_IN]
        _need(["id", "sample", *built_in], heads, path)
        id_at, sample_at = heads.index("id"), heads.index("sample")
        places = {place: heads.index(each.name) for place, each in enumerate(metrics) if each.name in heads}
        found: dict[Key, list[str]] = {}
        try:
            for line in filter(None, lines):
                if len(line) != len(heads):
                    raise ValueError(f"it has {len(line)} cells, not {len(heads)}")
                key = unescape_csv(line[id_at]), _counted("sample", line[sample_at])
                if key in found:
                    raise ValueError(f"it repeats {key[0]} {key[1]}")
                found[key] = line
        except ValueError as error:
            raise _bad_line(path, lines.line_num, error) from None
        values = np.full((len(found), len(metrics)), np.nan)
        for place, column in places.items():
            texts = [line[column] for line in found.values()]
            values[:, place] = _column(metrics[place], texts)
        at = heads.index("suspect") if "suspect" in heads else None
        suspect = np.array([at is not None and line[at] != "" for line in found.values()], dtype=np.bool_)
        return TableValues(list(found), values, suspect)


def _column(metric: Metric, texts: Sequence[str]) -> Sequence[float]:
    """Return a column's numbers, NaN where it is empty.

    Raises:
        ValueError: One is no number of the metric's range.
    """
    low, high = metric.range or (-MOST, MOST)
    try:
        numbers = list(map(float, texts))
    except ValueError:
        numbers = []
    if len(numbers) == len(texts) and all(low <= number <= high for number in numbers):
        return numbers
    return [_parsed(metric.name, text, metric.range) if text else math.nan for text in texts]


@contextmanager
def _reading(path: Path) -> Iterator[io.StringIO]:
    """Open a scores.csv; name it in whatever is wrong with it."""
    remedy = _remedy(path)
    try:
        with io.StringIO(read_text(path), newline="") as file:
            yield file
    except FileNotFoundError:
        raise RunFolderError(f"there is no {path}: {remedy}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise RunFolderError(f"{path} cannot be read ({shorten(str(error))}): {remedy}") from None


def _bad_line(path: Path, number: int, error: ValueError) -> RunFolderError:
    return RunFolderError(f"{path}:{number} cannot be read ({shorten(str(error), 200)}): {_remedy(path)}")


def _remedy(path: Path) -> str:
    return f"make it anew with `lbw-eval score {path.parent}`"


def _need(names: Iterable[str], known: Sequence[str], path: Path) -> None:
    if lacking := [name for name in names if name not in known]:
        raise RunFolderError(f"{path} has no column {', '.join(lacking)}: {_remedy(path)}")


def _row(line: Mapping[str, str], more: Sequence[Metric]) -> Row:
    by_six = _text(line, S_Q.name) != "" and any(_text(line, name) for name in DIMENSIONS)
    scores = {name: _needed(line, name, (SIX.low, SIX.high)) for name in DIMENSIONS} if by_six else None
    values = {
        metric.name: _number(line, metric.name, metric.range) for metric in (S_L, S_Q, S_L_UNICODE, S_L_RULE)
    }
    length = _count(line, "length") if _text(line, "length") else None
    if length is not None and (length == 0 or values[S_L.name] is None):
        raise ValueError(f"length: {length} has no {S_L.name}")
    if length is None and values[S_L.name] is not None:
        raise ValueError(f"length: there is none for {S_L.name}")
    values |= {name: SIX.points(score) for name, score in (scores or {}).items()}
    values |= {
        metric.name: _number(line, metric.name, None)
        for metric in more
        if not metric.parts and metric.name in line
    }
    if (rule := unescape_csv(_text(line, "length_rule")) or None) not in (None, *LENGTH_RULES):
        raise ValueError(f"length_rule: {rule!r} is none of {', '.join(LENGTH_RULES)}")
    return Row(
        id=unescape_csv(_text(line, "id")),
        sample=_count(line, "sample"),
        type=unescape_csv(_text(line, "type")),
        language=unescape_csv(_text(line, "language")),
        length=length,
        response_length=_count(line, "response_length"),
        response_length_unicode=_count(line, "response_length_unicode"),
        values=complete(values, (*BUILT_IN, *more)),
        scores=scores,
        failed=_flagged(line, "judge_failed"),
        flags=frozenset(flag for flag in FLAGS if _flagged(line, flag)),
        repetition=Repetition(
            _needed(line, "repeated_share", None),
            _number(line, "repeated_from", None),
            _number(line, "compressed_share", None),
        ),
        reasoning_words=_count(line, "reasoning_words"),
        length_rule=rule,
        cut_by=_word(line, "cut_by", CUTS),
        suspect=_words(line, "suspect", REASONS),
    )


def _word(line: Mapping[str, str], name: str, words: Sequence[str]) -> str | None:
    """Return one of several words; None where the column is empty, or not there."""
    text = line.get(name) or None
    if text is not None and text not in words:
        raise ValueError(f"{name}: {text!r} is none of {', '.join(words)}")
    return text


def _words(line: Mapping[str, str], name: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return several words, parted by a space; none where the column is empty, or not there."""
    found = tuple((line.get(name) or "").split())
    if others := [word for word in found if word not in words]:
        raise ValueError(f"{name}: {others[0]!r} is none of {', '.join(words)}")
    return found


def _text(line: Mapping[str, str], name: str) -> str:
    """Return what a line has in a column; it may be shorter than the heading."""
    value = line.get(name)
    if value is None:
        raise ValueError(f"{name}: there is no value")
    return value


def _count(line: Mapping[str, str], name: str) -> int:
    return _counted(name, _text(line, name))


def _counted(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise ValueError(f"{name}: {text!r} is no count")
    return int(text)


def _flagged(line: Mapping[str, str], name: str) -> bool:
    text = line.get(name, "0") if name in _LATER else _text(line, name)
    if text not in ("0", "1"):
        raise ValueError(f"{name}: {text!r} is neither 0 nor 1")
    return text == "1"


def _number(line: Mapping[str, str], name: str, ends: tuple[float, float] | None) -> float | None:
    """Return a column's number; None where it is empty."""
    return _needed(line, name, ends) if _text(line, name) else None


def _needed(line: Mapping[str, str], name: str, ends: tuple[float, float] | None) -> float:
    return _parsed(name, _text(line, name), ends)


def _parsed(name: str, text: str, ends: tuple[float, float] | None) -> float:
    low, high = ends or (-MOST, MOST)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low - 1e-6 <= number <= high + 1e-6:  # with room for the rounding of a mean
        raise ValueError(f"{name}: {text!r} is no number from {low:g} to {high:g}")
    return number
