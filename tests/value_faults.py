"""Files with one wrong value, and commands that read them, run in this process.

A value of a file becomes one of another type, null, a huge or negative number, half of a surrogate pair, or
deeply nested; or it is taken away. Whatever a command makes of that, it is no traceback.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from longbench_write.cli.app import main


def _nested(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "text": "x",
    "empty text": "",
    "half a pair": "\ud800",
    "minus one": -1,
    "a fraction": -0.5,
    "huge": 10**18,
    "huge negative": -(10**18),
    "beyond floats": 10**400,
    "largest float": 1.7e308,
    "list": [],
    "keys": {},
    "a list of keys": [{"x": None}],
    "nested": _nested(300),
}
"""What a value becomes."""

CELLS = ("", "x", "-1", "-0.5", "nan", "inf", "1e400", "9" * 400, "[[[", "\ud800", "\0", "true")
"""What a cell of a table becomes."""
TEXTS = ("id", "type", "language", "length_rule")
"""Columns of text."""

_NO_VALUE = object()


@dataclass(frozen=True)
class Fault:
    """A file with one wrong value.

    Attributes:
        where: The keys that lead to the value; of JSON lines, the line's number from 0 comes first.
        what: What the value is now.
        content: The file's bytes.
        mild: Whether it is of the type that it was (text, list, keys), or is not there, which may be another
            file's right, or the file is no UTF-8 any more: no figure is held to it then.
    """

    where: tuple[str | int, ...]
    what: str
    content: bytes
    mild: bool = False

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.where))} is {self.what}"


def _places(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of each value, those that hold others too, but not of all."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        yield (*where, key)
        yield from _places(part, (*where, key))


def _at(value: Any, where: tuple[str | int, ...]) -> Any:
    for key in where:
        value = value[key]
    return value


def _changed(value: Any, where: tuple[str | int, ...], new: Any) -> Any:
    """Return a copy with another value at a place, or without it."""
    changed = copy.deepcopy(value)
    holder = changed
    for key in where[:-1]:
        holder = holder[key]
    if new is _NO_VALUE:
        del holder[where[-1]]
    else:
        holder[where[-1]] = new
    return changed


def _faults_of(value: Any, write: Any) -> Iterator[Fault]:
    for where in _places(value):
        for what, new in (*WRONG.items(), ("missing", _NO_VALUE)):
            content = write(_changed(value, where, new)).encode("utf-8", "surrogatepass")
            mild = new is _NO_VALUE or (
                type(new) is type(_at(value, where)) and isinstance(new, str | list | dict)
            )
            yield Fault(where, what, content, mild)


def faults(path: Path) -> Iterator[Fault]:
    """Yield every fault of a file: JSON, JSON lines (of the first and the last line), YAML or CSV."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        yield from _faults_of(json.loads(text), json.dumps)
    elif path.suffix == ".yaml":
        yield from _faults_of(yaml.safe_load(text), yaml.safe_dump)
    elif path.suffix == ".jsonl":
        lines = text.splitlines()
        for number in sorted({0, len(lines) - 1}):
            before, after = lines[:number], lines[number + 1 :]
            for fault in _faults_of(json.loads(lines[number]), json.dumps):
                line = fault.content.decode("utf-8", "surrogatepass")
                content = "\n".join([*before, line, *after, ""])
                bytes_ = content.encode("utf-8", "surrogatepass")
                yield Fault((number, *fault.where), fault.what, bytes_, fault.mild)
    else:
        yield from _faults_of_table(text)


def _faults_of_table(text: str) -> Iterator[Fault]:
    head, *rows = csv.reader(io.StringIO(text))
    for number in sorted({0, len(rows) - 1}):
        for column, name in enumerate(head):
            for cell in CELLS:
                changed = [list(row) for row in rows]
                changed[number][column] = cell
                written = io.StringIO()
                csv.writer(written, lineterminator="\n").writerows([head, *changed])
                content = written.getvalue().encode("utf-8", "surrogatepass")
                yield Fault((number, name), repr(cell[:20]), content, name in TEXTS or cell == "\ud800")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, what it printed, and what it let through."""

    code: int
    out: str
    err: str
    raised: BaseException | None

    @property
    def numbers(self) -> list[str]:
        """All figures that it printed, in order."""
        return re.findall(r"[0-9]+(?:\.[0-9]+)?", self.out)


def command(*words: object) -> Ended:
    """Run `lbw-eval` in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in "ab")
    before, sys.argv = sys.argv, ["lbw-eval", *map(str, words)]
    code, raised = 0, None
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as error:
        raised = error
    finally:
        sys.argv = before
    texts = [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err)]
    return Ended(code, *texts, raised)


def sample(found: Sequence[Fault], count: int, seed: int) -> list[Fault]:
    """Choose so many faults by seed, of as many places as there can be."""
    rng = random.Random(seed)
    chosen = list(found)
    rng.shuffle(chosen)
    rank: dict[tuple[str | int, ...], int] = {}
    keyed = []
    for fault in chosen:
        rank[fault.where] = rank.get(fault.where, -1) + 1
        keyed.append((rank[fault.where], len(keyed), fault))
    return [fault for *_, fault in sorted(keyed, key=lambda each: each[:2])[:count]]


def _without_some(some: Sequence[str], every: Sequence[str]) -> bool:
    """Return whether figures are others less some of them."""
    left = iter(every)
    return all(figure in left for figure in some)


def told(fault: Fault, path: Path, ended: Ended, well: Ended) -> str:
    """Return what is wrong with how a command ended on a file with a fault; "" if nothing is.

    Args:
        fault: The file's.
        path: The file.
        ended: How the command ended on it.
        well: How it ended without the fault.
    """
    if ended.raised is not None:
        return f"{type(ended.raised).__name__}: {ended.raised}"
    if fault.mild or (ended.code == well.code and ended.numbers == well.numbers):
        return ""
    if fault.what == "null" and ended.code == well.code and _without_some(ended.numbers, well.numbers):
        return ""  # it is one that may be unknown: a dash stands there
    lines = [line for line in ended.err.splitlines() if path.name in line]
    if not lines:
        return f"other figures, or no word of the file ({ended.code}): {ended.err.strip()[-300:]}"
    keys = [key.replace("_", sign) for key in fault.where if isinstance(key, str) for sign in "_-"]
    if any("digest does not match" in line for line in lines):
        return ""  # what a digest is over cannot say which of it was changed
    if keys and not any(key in line or " line " in line for line in lines for key in keys):
        return f"no word of the key: {lines[0]}"
    return ""
