"""A run folder's results: scores.csv and summary.json from its records, and the rows of scores.csv again."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from longbench_write.errors import RunFolderError, shorten, unknown_name
from longbench_write.files.whole import write_whole
from longbench_write.kinds import check_kinds
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Key
from longbench_write.render.cells import cell, cell_text, csv_text
from longbench_write.runs.folder import MANIFEST, SCORES, SUMMARY, hold
from longbench_write.runs.store import load_run
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.scoring import Row, summarise
from longbench_write.scoring.signs import FLAGS, Signs
from longbench_write.scoring.summary import Heading, Summary

_SETTINGS = ("temperature", "max_tokens", "seed")


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


def write_results(
    path: Path, *, judge: str | None = None, signs: Mapping[Key, Signs] = MappingProxyType({})
) -> Summary:
    """As `score_run`, for a folder that the caller holds.

    Args:
        path: The run folder.
        judge: As for `score_run`.
        signs: What responses show, of those of which the caller knows it.
    """
    run = load_run(path)
    judges = run.manifest["judges"]
    label = judge or run.manifest["judge"]
    if judge is None and not any(judgement.judge == label for judgement in run.judgements):
        label = None
    elif label not in judges:
        raise unknown_name("judge of this run", str(label), judges)
    summary, rows = summarise(
        _heading_of(path, run.manifest, label),
        run.predictions,
        (judgement for judgement in run.judgements if judgement.judge == label),
        owed=run.manifest["owed"],
        seconds=run.manifest["seconds"],
        price=run.manifest["config"].get("price"),
        combine=_card(run.manifest, label).get("combine", "mean"),
        signs=signs,
    )
    write_whole(path / SCORES, scores_csv(rows))
    write_whole(path / SUMMARY, summary.to_json())
    return summary


def _card(manifest: Mapping[str, Any], label: str | None) -> Mapping[str, Any]:
    """What run.yaml says of how a judge was asked; nothing where that is not known."""
    return (manifest["judges"][label].get("card") if label else None) or {}


def _heading_of(path: Path, manifest: Mapping[str, Any], label: str | None) -> Heading:
    try:
        heading = _heading(manifest, label)
        check_kinds(heading)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        told = shorten(str(error), 100)
        raise RunFolderError(
            f"{path / MANIFEST} was changed and cannot be used ({told}): mend it, "
            "or start another run with --fresh"
        ) from None
    return heading


def _heading(manifest: Mapping[str, Any], label: str | None) -> Heading:
    suite, config = manifest["suite"], manifest["config"]
    judge: dict[str, Any] = manifest["judges"][label] if label else {}
    return Heading(
        model=manifest["model"],
        writer=manifest["writer"],
        suite=suite["name"],
        suite_version=suite["version"],
        suite_sha256=suite["sha256"],
        prompts=manifest["prompts"],
        samples=config["samples"],
        settings={"backend": manifest["backend"]["kind"], **{name: config[name] for name in _SETTINGS}},
        judge=label,
        judge_sha256=judge.get("config_sha256"),
        judge_note=judge.get("note", ""),
        start=manifest["start"],
        note=manifest.get("note", ""),
    )


def scores_csv(rows: Sequence[Row]) -> str:
    """The text of scores.csv: a line a response, empty where a number cannot be had, flags as 0 or 1.

    Texts are written as `cells.cell` has them, so that no spreadsheet calculates them.
    """
    head = [
        *("id", "sample", "type", "language", "length", "response_length", "S_l", *DIMENSIONS, "S_q"),
        *(*FLAGS, "judge_failed", "response_length_unicode", "S_l_unicode"),
        *("repeated_share", "repeated_from", "compressed_share", "reasoning_words"),
        *("length_rule", "S_l_rule"),
    ]
    return csv_text(itertools.chain([head], map(_line, rows)))


def _line(row: Row) -> list[object]:
    return [
        *(cell(row.id), row.sample, cell(row.type), cell(row.language)),
        *(row.length, row.response_length, row.S_l),
        *(row.dimensions[name] if row.dimensions else None for name in DIMENSIONS),
        row.S_q,
        *(int(flag in row.flags) for flag in FLAGS),
        *(int(row.failed), row.response_length_unicode, row.S_l_unicode),
        *(row.repetition.share, row.repetition.start, row.repetition.compressed, row.reasoning_words),
        *(row.length_rule, row.S_l_rule),
    ]


def read_rows(path: Path) -> list[Row]:
    """The rows of a scores.csv, as they were written.

    Raises:
        RunFolderError: It cannot be read, or was written by another version.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_row(line) for line in csv.DictReader(file)]
    except FileNotFoundError:
        raise RunFolderError(f"there is no {path}: make it with `lbw-eval score {path.parent}`") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise RunFolderError(
            f"{path} cannot be read ({shorten(repr(error))}): "
            f"make it anew with `lbw-eval score {path.parent}`"
        ) from None


def _row(line: Mapping[str, str]) -> Row:
    judged = line["S_q"] != ""
    return Row(
        id=cell_text(line["id"]),
        sample=int(line["sample"]),
        type=cell_text(line["type"]),
        language=cell_text(line["language"]),
        length=int(line["length"]),
        response_length=int(line["response_length"]),
        response_length_unicode=int(line["response_length_unicode"]),
        S_l=_finite(line["S_l"]),
        S_l_unicode=_finite(line["S_l_unicode"]),
        dimensions={name: _finite(line[name]) for name in DIMENSIONS} if judged else None,
        failed=line["judge_failed"] == "1",
        flags=frozenset(flag for flag in FLAGS if line[flag] == "1"),
        repetition=Repetition(
            _finite(line["repeated_share"]),
            _optional(line["repeated_from"]),
            _optional(line["compressed_share"]),
        ),
        reasoning_words=int(line["reasoning_words"]),
        length_rule=line["length_rule"] or None,
        S_l_rule=_optional(line["S_l_rule"]),
    )


def _optional(text: str) -> float | None:
    return _finite(text) if text else None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no score")
    return number
