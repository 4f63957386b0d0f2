"""Scores, wherever they are kept: a run, a baseline file, a table."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from longbench_write.compare.baseline import is_baseline, read_baseline
from longbench_write.compare.collection import Entry, collect, read_scored
from longbench_write.compare.scores import Response, RunScores
from longbench_write.errors import RunFolderError, UsageError
from longbench_write.metrics.catalogue import all_metrics, others
from longbench_write.records import Key
from longbench_write.runs.folder import SCORES, SUMMARY
from longbench_write.scoring.rows import Row
from longbench_write.scoring.summary import RunInfo, Summary
from longbench_write.scoring.table import read_rows


def load_scores(place: Path) -> RunScores:
    """Read the scores of a run folder (or a folder with one run under it), or of a file.

    Files: a baseline, a summary.json, a scores.csv.

    A summary.json or scores.csv that lies in a run folder stands for the run.

    Raises:
        UsageError: There is nothing of the kind.
        RunFolderError: It cannot be read.
    """
    if place.is_dir():
        return _of_run(_only_run(place))
    if not place.is_file():
        raise UsageError(
            f"there is no {place}: name a run folder, a file that `lbw-eval baseline` wrote, "
            "a summary.json or a scores.csv"
        )
    beside = {SUMMARY: SCORES, SCORES: SUMMARY}.get(place.name)
    if beside and (place.parent / beside).exists():
        return _of_run(place.parent)
    if place.suffix == ".csv":
        metrics = tuple(others(all_metrics()))
        return RunScores(place, None, None, None, responses_of(read_rows(place, metrics)), metrics=metrics)
    if is_baseline(place):
        return read_baseline(place)
    summary = Summary.read(place)
    return RunScores(
        place,
        info_of(summary),
        summary.convention,
        summary.counts,
        {},
        summary,
        metrics=summary.others,
        ceilings=_ceilings(summary),
        serving=summary.serving,
    )


def load_entry(place: Path) -> Entry:
    """Read the one run of a run folder, or of a folder with one run under it.

    Raises:
        UsageError: There is no such folder, no run or more than one.
        RunFolderError: It is not scored yet, or cannot be read.
    """
    return collect([_only_run(place)]).entries[0]


def _only_run(place: Path) -> Path:
    found = collect([place])
    runs = [*(entry.path for entry in found.entries), *found.unscored, *found.unreadable]
    if len(runs) > 1:
        raise UsageError(f"{place} holds {len(runs)} runs: name one of them, such as {min(runs, key=str)}")
    for error in found.unreadable.values():
        raise error
    if found.unscored:
        raise RunFolderError(f"{runs[0]} has no {SUMMARY}: make it with `lbw-eval score {runs[0]}`")
    return runs[0]


def _of_run(folder: Path) -> RunScores:
    summary = Summary.read(folder / SUMMARY)
    responses = responses_of(read_scored(folder, summary))
    return RunScores(
        folder,
        info_of(summary),
        summary.convention,
        summary.counts,
        responses,
        metrics=summary.others,
        ceilings=_ceilings(summary),
        serving=summary.serving,
    )


def _ceilings(summary: Summary) -> list[dict[str, Any]] | None:
    """Return a summary's ceilings; None where it was written by a version that did not look for any."""
    return None if summary.serving is None else summary.ceilings


def info_of(summary: Summary) -> RunInfo:
    """Return what a summary is about."""
    return RunInfo(**{field.name: getattr(summary, field.name) for field in fields(RunInfo)})


def responses_of(rows: list[Row]) -> dict[Key, Response]:
    """Return the part of the rows that is compared."""
    return {
        (row.id, row.sample): Response(
            id=row.id,
            sample=row.sample,
            length=row.length,
            words=row.response_length,
            values=row.values,
            scores=row.scores,
            flags=row.flags,
            cut_by=row.cut_by,
            suspect=frozenset(row.suspect),
        )
        for row in rows
    }
