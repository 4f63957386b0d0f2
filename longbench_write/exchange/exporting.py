"""A run as others read it: the reference scripts' files, a table of scores, or all of each response."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from longbench_write.errors import RunFolderError, UsageError
from longbench_write.files.jsonl import json_text
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import DIMENSIONS, S_Q, SIX
from longbench_write.records import Judgement, Key, Prediction
from longbench_write.render.csv import csv_text, escape_csv
from longbench_write.runs.folder import SCORES, SUMMARY
from longbench_write.runs.store import Run, load_run
from longbench_write.scoring.flags import FLAGS
from longbench_write.scoring.rows import Row
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import columns, read_rows, scores_csv

_COLUMNS: dict[str, type] = {
    **dict.fromkeys(("model", "writer", "suite", "judge", "id"), str),
    "sample": int,
    **dict.fromkeys(("type", "language"), str),
    "length": int,
    **dict.fromkeys(("prompt", "response"), str),
    "response_length": int,
    **dict.fromkeys((S_L.name, *DIMENSIONS, S_Q.name), float),
    "analysis": str,
    **dict.fromkeys((*FLAGS, "judge_failed"), bool),
    "response_length_unicode": int,
    **dict.fromkeys(("S_l_unicode", "repeated_share", "repeated_from", "compressed_share"), float),
    "reasoning": str,
    "reasoning_words": int,
    "finish_reason": str,
    **dict.fromkeys(("prompt_tokens", "completion_tokens"), int),
    "seconds": float,
    **dict.fromkeys(("error", "judge_error"), str),
}


def joined_columns(metrics: Sequence[Metric] = BUILT_IN) -> dict[str, type]:
    """Return the columns of a joined table and what each holds; a value that cannot be had is None.

    All of scores.csv, with what the records say besides; what was added later stands at the end.
    """
    return _COLUMNS | {column.name: column.kind for column in columns(metrics) if column.name not in _COLUMNS}


@dataclass(frozen=True)
class Scored:
    """A run with its results.

    Attributes:
        run: Its records.
        summary: Its summary.
    """

    run: Run
    summary: Summary

    @classmethod
    def load(cls, path: Path) -> Scored:
        """Read a run folder.

        Raises:
            UsageError: It is no run folder, or has not been scored.
            RunFolderError: It cannot be read.
        """
        run = load_run(path)
        if not (path / SUMMARY).exists():
            raise UsageError(f"{path} has not been scored: do so with `lbw-eval score {path}`")
        return cls(run, Summary.read(path / SUMMARY))

    @cached_property
    def rows(self) -> list[Row]:
        """Its scored responses."""
        return read_rows(self.run.path / SCORES, self.summary.others)

    @cached_property
    def judgements(self) -> dict[Key, list[Judgement]]:
        """What the summary's judge said of each response."""
        found: dict[Key, list[Judgement]] = defaultdict(list)
        for judgement in self.run.judgements:
            if judgement.judge == self.summary.judge:
                found[judgement.key].append(judgement)
        return found


def json_line(value: dict[str, Any]) -> str:
    """Return one JSON line."""
    return f"{json_text(value)}\n"


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def reference_predictions(scored: Scored) -> Iterator[str]:
    """Yield the lines of the reference scripts' pred.jsonl: every response, with their five fields alone."""
    for prediction in scored.run.predictions:
        if prediction.response is not None:
            yield json_line(_as_reference(prediction))


def _as_reference(prediction: Prediction) -> dict[str, Any]:
    return {
        name: getattr(prediction, name)
        for name in ("prompt", "type", "length", "response_length", "response")
    }


def reference_judged(scored: Scored) -> Iterator[str]:
    """Yield the lines of their judge.jsonl: each judged response with its scores, then the totals."""
    sums = dict.fromkeys(DIMENSIONS, 0)
    number = 0
    for prediction in scored.run.predictions:
        for judgement in scored.judgements.get(prediction.key, ()):
            if judgement.scores is not None:
                number += 1
                for name in DIMENSIONS:
                    sums[name] += judgement.scores[name]
                scores = {"Analysis": judgement.analysis, **judgement.scores}
                yield json_line(_as_reference(prediction) | {"scores": scores})
    if number:
        totals = {name: SIX.points(total / number) for name, total in sums.items()}
        yield json_line(totals | {"total": sum(totals.values()) / len(totals)})


def joined(scored: Scored) -> Iterator[dict[str, Any]]:
    """Yield an object a prediction with the keys of `joined_columns`, failed ones included.

    Raises:
        RunFolderError: scores.csv is not of these records.
    """
    rows = {(row.id, row.sample): row for row in scored.rows}
    table, names = columns(scored.summary.others), joined_columns(scored.summary.others)
    summary = scored.summary
    about = {name: getattr(summary, name) for name in ("model", "writer", "suite", "judge")}
    for prediction in scored.run.predictions:
        row = rows.get(prediction.key)
        if (row is None) != (prediction.response is None):
            raise RunFolderError(
                f"{scored.run.path / SCORES} is not of these records: "
                f"make it anew with `lbw-eval score {scored.run.path}`"
            )
        values = _of_prediction(prediction) | ({each.name: each.value(row) for each in table} if row else {})
        values |= _of_judgements(scored.judgements.get(prediction.key, []))
        yield {name: (about | values).get(name) for name in names}


def _of_prediction(prediction: Prediction) -> dict[str, Any]:
    return prediction.to_json() | {
        "prompt_tokens": (prediction.usage or {}).get("prompt_tokens"),
        "completion_tokens": (prediction.usage or {}).get("completion_tokens"),
        "error": f"{prediction.error.type}: {prediction.error.message}" if prediction.error else None,
    }


def _of_judgements(judgements: list[Judgement]) -> dict[str, Any]:
    analyses = [judgement.analysis for judgement in judgements if judgement.analysis]
    errors = [f"{j.error.type}: {j.error.message}" for j in judgements if j.error]
    return {"analysis": "\n\n".join(analyses) or None, "judge_error": "; ".join(errors) or None}


def jsonl(scored: Scored) -> Iterator[str]:
    """Yield a line a prediction, as `joined` has it."""
    return map(json_line, joined(scored))


def scores_table(scored: Scored) -> Iterator[str]:
    """Yield the lines of scores.csv with model, writer, suite and judge before them; no text is a formula."""
    summary = scored.summary
    about = [escape_csv(text or "") for text in (summary.model, summary.writer, summary.suite, summary.judge)]
    head, *lines = csv.reader(io.StringIO(scores_csv(scored.rows, summary.others), newline=""))
    rows = [["model", "writer", "suite", "judge", *head], *([*about, *line] for line in lines)]
    yield _storable(csv_text(rows))


def write_parquet(scored: Scored, file: BinaryIO) -> None:
    """Write the table of `joined` as Parquet, with the same column types whatever the run holds.

    Raises:
        UsageError: pyarrow is not installed.
    """
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(
            'Parquet needs pyarrow: install it with `python -m pip install "longbench-write[parquet]"`'
        ) from None
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64(), bool: arrow.bool_()}
    rows = [
        {name: _storable(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in joined(scored)
    ]
    names = joined_columns(scored.summary.others)
    schema = arrow.schema([(name, kinds[kind]) for name, kind in names.items()])
    parquet.write_table(arrow.Table.from_pylist(rows, schema=schema), file)
