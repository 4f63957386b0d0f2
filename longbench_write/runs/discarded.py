"""Records that were paid for and are owed again: taken out of their file, and kept for what they cost.

Such are judgements and failed responses of one request that had been answered; the steps of a writer stay
where they are. Each kind has a file of its own, which is made when the first is discarded.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from longbench_write.files.jsonl import Records
from longbench_write.files.record_file import RecordFile
from longbench_write.records import Judgement, Prediction
from longbench_write.runs.folder import DISCARDED_JUDGEMENTS, DISCARDED_PREDICTIONS, sha256_of

R = TypeVar("R", Prediction, Judgement)


def discarded_predictions(folder: Path) -> Records[Prediction, int]:
    """Return the responses of a run folder that were discarded; one may be there more than once."""
    return _all(folder / DISCARDED_PREDICTIONS, Prediction.from_json)


def discarded_judgements(folder: Path) -> Records[Judgement, int]:
    """Return the judgements of a run folder that were discarded; one may be there more than once."""
    return _all(folder / DISCARDED_JUDGEMENTS, Judgement.from_json)


def _all(path: Path, parse: Callable[[dict[str, Any]], R]) -> Records[R, int]:
    numbers = itertools.count()
    return Records(path, parse, lambda _: next(numbers))


def keep_predictions(folder: Path, records: Iterable[Prediction]) -> None:
    """Keep responses that are about to be taken out of their file, where they cost something.

    Raises:
        RunFolderError: They could not be written.
    """
    paid = [record for record in records if record.usage is not None and record.requests is None]
    _keep(folder / DISCARDED_PREDICTIONS, Prediction.from_json, paid)


def keep_judgements(folder: Path, records: Iterable[Judgement]) -> None:
    """Keep judgements that are about to be taken out of their file, where they cost something.

    Raises:
        RunFolderError: They could not be written.
    """
    paid = [record for record in records if record.usage is not None]
    _keep(folder / DISCARDED_JUDGEMENTS, Judgement.from_json, paid)


def _keep(path: Path, parse: Callable[[dict[str, Any]], R], records: Iterable[R]) -> None:
    """Append what is not there yet: a crash may come before the records are taken out of their own file."""
    file: RecordFile[R, str] | None = None
    try:
        for record in records:
            if file is None:
                file = RecordFile(path, parse, _content)
                file.open(keep=lambda _: True)
            if _content(record) not in file:
                file.append(record)
    finally:
        if file is not None:
            file.close()


def _content(record: Prediction | Judgement) -> str:
    return sha256_of(record.to_json())
