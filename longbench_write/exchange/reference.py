"""The reference scripts' files: models/NAME/pred.jsonl, and judge.jsonl with the judge's scores in it.

A line of judge.jsonl is a line of pred.jsonl and its scores; replies that could not be read have no line, and
the judge's totals are the last one.
"""

from __future__ import annotations

from pathlib import Path

from longbench_write.exchange.sources import Source, find, read_answers

PREDICTIONS = "pred.jsonl"
JUDGED = "judge.jsonl"


def read_reference(place: Path) -> Source:
    """Read what the reference scripts wrote.

    Args:
        place: The folder of both files, or one file: predictions, or what the judge wrote.

    Raises:
        UsageError: A file is not there, cannot be read, or is not as it must be.
    """
    folder = place.parent if place.is_file() else find(place, PREDICTIONS)
    path = place if place.is_file() else folder / PREDICTIONS
    predicted = judged = read_answers(path)
    files = {path.name: predicted.sha256}
    if path is not place and (folder / JUDGED).is_file():
        judged = read_answers(folder / JUDGED)
        files[JUDGED] = judged.sha256
    return Source(
        harness="reference",
        model=folder.resolve().name if path.name in (PREDICTIONS, JUDGED) else None,
        files=files,
        answers=predicted.answers,
        judged=[answer for answer in judged.answers if answer.scores is not None],
        reported=judged.totals,
    )
