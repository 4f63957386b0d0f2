"""What other harnesses wrote: lines that nobody vouches for, read to answers or refused by file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from longbench_write.errors import UsageError
from longbench_write.files.jsonl import LineError, read_jsonl
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.suites.suite import LONGEST


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as its file has it.

    Attributes:
        where: Its file and line, for messages.
        prompt: What the file says that it answers.
        length: The required length that the file says; None where it says that none is required.
        response: The text as it stands there.
        response_length: Its length in words as the file says; None where it does not.
        scores: What was read of a judge's reply to it, as the file has it; None where there is none.
    """

    where: str
    prompt: str
    length: int | None
    response: str
    response_length: int | None
    scores: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Content:
    """What one file holds.

    Attributes:
        sha256: Its hash.
        answers: In its order.
        totals: The judge's means that stand in it as a line of their own, 0 to 100.
    """

    sha256: str
    answers: list[Answer]
    totals: dict[str, float]


@dataclass(frozen=True, slots=True)
class Source:
    """What another harness left behind.

    Attributes:
        harness: Whose.
        model: The model's name, where the place of the files gives it.
        files: The name and sha256 of each file.
        answers: Its responses.
        judged: Those with a judge's scores.
        reported: The figures that it computed itself, 0 to 100.
        notes: What must be known of its figures.
    """

    harness: str
    model: str | None
    files: dict[str, str]
    answers: list[Answer]
    judged: list[Answer] = field(default_factory=list)
    reported: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_answers(path: Path) -> Content:
    """Read a JSONL file of answers; a line of totals, as the reference's judge appends, is told from them.

    Raises:
        UsageError: The file cannot be read, or a line is neither; it is named.
    """
    digest = hashlib.sha256()
    answers: list[Answer] = []
    totals: dict[str, float] = {}
    for where, row in read_objects(path, digest):
        if _is_totals(row):
            totals = figures(row)
        else:
            answers.append(_answer(row, where))
    return Content(digest.hexdigest(), answers, totals)


def _is_totals(row: dict[str, Any]) -> bool:
    return "prompt" not in row and {"total", *DIMENSIONS} <= row.keys()


def figures(totals: dict[str, Any]) -> dict[str, float]:
    """Return the judge's means of a line of totals, by our names: the six dimensions and S_q."""
    named = {name: totals.get(name) for name in DIMENSIONS} | {"S_q": totals.get("total")}
    return {name: number for name, value in named.items() if (number := figure(value)) is not None}


def figure(value: object) -> float | None:
    """Return a figure that another harness reported; None where that is no number that a score can be."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e6:
        return float(value)
    return None


def _answer(row: dict[str, Any], where: str) -> Answer:
    for key in ("prompt", "response"):
        if not isinstance(row.get(key), str):
            _refuse(where, f"{key} must be a text")
    length, written = row.get("length", 0), row.get("response_length")
    if length is not None and (type(length) is not int or not 0 < length <= LONGEST):
        _refuse(where, "length must be a positive whole number of words")
    if written is not None and (type(written) is not int or written < 0):
        _refuse(where, "response_length must be a whole number of words")
    scores = row.get("scores")
    if not isinstance(scores, dict | None):
        _refuse(where, "scores must be an object with the six dimensions")
    return Answer(where, row["prompt"], length, row["response"], written, scores)


def read_objects(path: Path, digest: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line's place and its object, blank lines aside; feed the digest with every byte.

    Raises:
        UsageError: The file cannot be read, or a line is no JSON object; it is named.
    """
    try:
        for line in read_jsonl(path, digest=digest, nan=True, edited=True):
            yield f"{path}:{line.number}", line.value
    except LineError as error:
        _refuse(f"{path}:{error.number}", error.fault, error.advice)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): give a file that can") from None


def _refuse(where: str, fault: str, advice: str = "fix or remove that line") -> NoReturn:
    raise UsageError(f"{where}: {fault}; {advice}")


def find(place: Path, name: str) -> Path:
    """Find the folder of one model's files: the place itself, or the only one in it that has such a file.

    Args:
        place: A folder.
        name: The file's name.

    Raises:
        UsageError: There is none, or more than one.
    """
    if not place.is_dir():
        raise UsageError(f"there is no {place}: give the folder or the file that the other harness wrote")
    if (place / name).is_file():
        return place
    found = sorted(path.parent for path in place.glob(f"*/{name}"))
    if len(found) != 1:
        what = (
            f"{len(found)} of its folders have one, choose"
            if found
            else "give the folder that has one, such as"
        )
        example = ", ".join(map(str, found[:5])) or "models/NAME"
        raise UsageError(f"{place} has no {name}: {what} {example}")
    return found[0]
