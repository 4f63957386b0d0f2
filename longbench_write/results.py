"""A run folder's results: scores.csv and summary.json from its records."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from longbench_write.errors import unknown_name
from longbench_write.records import DIMENSIONS
from longbench_write.runs import SCORES, SUMMARY, hold, load_run, write_whole
from longbench_write.scoring import FLAGS, Row, summarise
from longbench_write.summary import Summary


def score_run(path: str | Path, *, judge: str | None = None) -> Summary:
    """Score a run folder's records anew and write scores.csv and summary.json.

    Args:
        path: The run folder.
        judge: The label of the judge whose judgements count; None takes the last that judged.

    Raises:
        UsageError: It is no run folder, or that judge has judged nothing in it.
        RunFolderError: Its records cannot be read, or the results cannot be written.
    """
    with hold(load_run(path).path):
        return write_results(Path(path), judge=judge)


def write_results(path: Path, *, judge: str | None = None) -> Summary:
    """As `score_run`, for a folder that the caller holds."""
    run = load_run(path)
    judges = run.manifest["judges"]
    label = judge or run.manifest["judge"]
    judgements = [judgement for judgement in run.judgements if judgement.judge == label]
    if judge is None and not judgements:
        label = None
    elif label not in judges:
        raise unknown_name("judge of this run", str(label), judges)
    summary, rows = summarise(
        run.predictions,
        judgements,
        model=run.manifest["model"],
        suite=run.manifest["suite"]["name"],
        writer=run.manifest["writer"],
        judge=label,
        judge_note=judges[label]["note"] if label else "",
        owed=run.manifest["owed"],
        seconds=run.manifest["seconds"],
    )
    write_whole(path / SCORES, scores_csv(rows))
    write_whole(path / SUMMARY, summary.to_json())
    return summary


def scores_csv(rows: Sequence[Row]) -> str:
    """The text of scores.csv: a line a response, empty where a number cannot be had, flags as 0 or 1."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["id", "sample", "type", "language", "length", "response_length", "S_l", *DIMENSIONS, "S_q", *FLAGS]
    )
    for row in rows:
        table.writerow(
            [row.id, row.sample, row.type, row.language, row.length, row.response_length, row.S_l]
            + [row.dimensions[name] if row.dimensions else None for name in DIMENSIONS]
            + [row.S_q]
            + [int(flag in row.flags) for flag in FLAGS]
        )
    return text.getvalue()
