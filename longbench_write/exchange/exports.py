"""The formats that a run is exported in: each writes it to a path, or to stdout where none is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from longbench_write.errors import UsageError
from longbench_write.exchange import exporting, reference
from longbench_write.exchange.exporting import Scored
from longbench_write.exchange.model_card import model_card
from longbench_write.files.output import make_folder, output_file, write_file
from longbench_write.registry import Registry
from longbench_write.render.terminal import print_output

Write = Callable[[Scored, Path | None], Iterable[str] | None]
"""Writes a run; returns what the user should know, in a sentence each."""


def write_reference(run: Scored, path: Path | None) -> Iterable[str]:
    """Write the reference scripts' files into a folder; to stdout the responses alone."""
    if path is None:
        _put(exporting.reference_predictions(run), None)
    else:
        make_folder(path, parents=False)
        _put(exporting.reference_predictions(run), path / reference.PREDICTIONS)
        if run.summary.judge:
            _put(exporting.reference_judged(run), path / reference.JUDGED)
    empty = run.summary.counts["empty"]
    told = f"{empty} responses are empty; the reference's eval_length.py ends in an error on those"
    return [told] if empty else []


def write_csv(run: Scored, path: Path | None) -> None:
    """Write the table of scores."""
    _put(exporting.scores_table(run), path)


def write_parquet(run: Scored, path: Path | None) -> None:
    """Write prompt, response, scores, analysis and flags of each response as Parquet.

    Raises:
        UsageError: No path is given, or pyarrow is not installed.
    """
    if path is None:
        raise UsageError("parquet is no text: name a file with -o")
    with output_file(path) as file:
        exporting.write_parquet(run, file)


def write_jsonl(run: Scored, path: Path | None) -> None:
    """Write prompt, response, scores, analysis and flags of each response, a line each."""
    _put(exporting.jsonl(run), path)


def write_model_card(run: Scored, path: Path | None) -> None:
    """Write the metadata block of a model card and a table.

    Raises:
        UsageError: The path is there already; it is left alone.
    """
    if path is not None and path.exists():
        raise UsageError(f"{path} is there already: leave -o out and paste the block into it")
    _put(model_card(run.summary, run.run.manifest.get("note", "")), path)


def _put(parts: Iterable[str], path: Path | None) -> None:
    if path is None:
        print_output(parts)
    else:
        write_file(path, parts)


def _is_write(name: str, value: Any) -> Write:
    if not callable(value):
        raise TypeError("it is no function write(run, path)")
    write: Write = value
    return write


EXPORTS: Registry[Write] = Registry(
    "export",
    "longbench_write.exports",
    lambda: {
        "reference": write_reference,
        "csv": write_csv,
        "parquet": write_parquet,
        "jsonl": write_jsonl,
        "model-card": write_model_card,
    },
    _is_write,
)
"""What writes each format."""
