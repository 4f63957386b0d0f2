"""Files of JSON lines, read: those of anybody, and the records of a run.

A last line without its line feed, or with the null bytes that a power cut leaves where blocks were not
written, was torn and counts as never written; any other unreadable line is named, and nothing is guessed.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, NamedTuple, NoReturn, Protocol, TypeVar

from longbench_write.errors import RunFolderError, shorten
from longbench_write.files.faults import told
from longbench_write.files.json_object import RepeatedKeysError, unique
from longbench_write.files.reading import open_to_read
from longbench_write.files.schema import check_schema

LONGEST_LINE = 1 << 26
"""Bytes that a line may have: some hundred times those of a response of 100,000 words."""


def json_text(value: Any, *, compact: bool = False) -> str:
    """Return JSON in one line, without NaN; a lone surrogate, which is no UTF-8, becomes its escape."""
    separators = (",", ":") if compact else None
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=separators)
    return text.encode("utf-8", "backslashreplace").decode()


class Line(NamedTuple):
    """A line of a JSONL file.

    Attributes:
        number: From 1.
        offset: Where it begins, in bytes.
        value: Its JSON object.
    """

    number: int
    offset: int
    value: dict[str, Any]


class LineError(ValueError):
    """A line of a JSONL file that holds no JSON object.

    Attributes:
        number: The line's, from 1.
        fault: What is wrong with it, in a few words.
        advice: What to do about it, likewise.
    """

    def __init__(self, number: int, fault: str, advice: str = "fix that line") -> None:
        super().__init__(f"line {number} is {fault}")
        self.number = number
        self.fault = fault
        self.advice = advice


def read_jsonl(
    path: Path,
    *,
    digest: Any = None,
    longest: int = LONGEST_LINE,
    nan: bool = False,
    torn: bool = True,
    edited: bool = False,
) -> Iterator[Line]:
    """Read a JSONL file line by line; blank lines, and a byte order mark at its start, are passed over.

    Args:
        path: The file.
        digest: A hashlib object that is updated with every byte; None for none.
        longest: Bytes that a line may have; -1 for any number, where the file must be a regular one.
        nan: Whether NaN and Infinity are taken for numbers, which JSON does not have.
        torn: Whether a last line without its line feed is read too; otherwise it counts as never written.
        edited: Whether a person may have written or merged it: a key that stands twice in one object, of
            which Python keeps the last without a word, is then refused.

    Raises:
        LineError: A line is no JSON object in UTF-8, too long, or has a key twice.
        OSError: The file cannot be read.
    """
    offset = 0
    begun = False
    decoder = _DECODERS[nan, edited]
    with open_to_read(path, regular=longest < 0) as file:
        for number, line in enumerate(iter(lambda: file.readline(longest), b""), start=1):
            if digest is not None:
                digest.update(line)
            if len(line) == longest:
                raise LineError(number, f"longer than {longest >> 20} MiB")
            whole = line.endswith(b"\n")
            if not torn and (not whole or (b"\0" in line and _is_torn(file))):
                return
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                blank = not text or text.isspace()
                value = None if blank else decoder.decode(text)
            except UnicodeDecodeError as error:
                raise LineError(number, f"not UTF-8 ({error.reason} at byte {error.start})") from None
            except RepeatedKeysError as error:
                key, count = next(iter(error.counts.items()))
                raise LineError(
                    number, f"an object with the key {shorten(repr(key), 60)} {count} times"
                ) from None
            except (ValueError, RecursionError) as error:
                if not begun and text.lstrip().startswith("["):
                    raise _array(path, number) from None
                unfinished = "" if whole else "; it has no line end and may be torn"
                raise LineError(number, f"not JSON ({shorten(str(error), 200)}){unfinished}") from None
            if isinstance(value, dict):
                begun = True
                yield Line(number, offset, value)
            elif isinstance(value, list) and not begun:
                raise _array(path, number)
            elif not blank:
                raise LineError(number, "not an object with keys and values")
            offset += len(line)


def _array(path: Path, number: int) -> LineError:
    """Make the error for a file that holds one JSON array, on one line or over many."""
    quoted = shlex.quote(str(path))
    return LineError(
        number,
        "the beginning of a JSON array, not an object",
        f"make a line of each of its objects: jq -c '.[]' {quoted} > NEW.jsonl",
    )


def _is_torn(rest: Iterable[bytes]) -> bool:
    """Return whether no whole line without null bytes is left."""
    return not any(line.endswith(b"\n") and b"\0" not in line for line in rest)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODERS = {
    (nan, edited): json.JSONDecoder(
        parse_constant=None if nan else _refuse_constant, object_pairs_hook=unique if edited else None
    )
    for nan in (False, True)
    for edited in (False, True)
}
"""By whether NaN is a number, and whether keys may stand there twice."""


class JsonRecord(Protocol):
    """A record that a file can hold."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of its line."""
        ...


R = TypeVar("R", bound=JsonRecord)
K = TypeVar("K", bound=Hashable)


class Records(Generic[R, K]):
    """The records of one file, read as they are iterated over, in the file's order.

    Args:
        path: The file; it need not exist.
        parse: Makes a record of a line's JSON object.
        key: The record's identity; a second record of the same identity is refused.
    """

    SCHEMA = 1
    """The newest schema of a line that can be read; a line that says none has the first."""

    def __init__(self, path: Path, parse: Callable[[dict[str, Any]], R], key: Callable[[R], K]) -> None:
        self.path = path
        self._parse = parse
        self._key = key

    def __iter__(self) -> Iterator[R]:
        """Yield every record.

        Raises:
            RunFolderError: The file cannot be read, or a line is no record or repeats one; it is named.
        """
        for _, record in self._scan():
            yield record

    def _scan(self) -> Iterator[tuple[int, R]]:
        """Yield every record with its offset in bytes."""
        seen: set[K] = set()
        try:
            for number, offset, value in read_jsonl(self.path, longest=-1, torn=False):
                record = self._record(number, value)
                if (key := self._key(record)) in seen:
                    raise RunFolderError(
                        f"{self.path}:{number} repeats the record of {key}; remove one of them"
                    )
                seen.add(key)
                yield offset, record
        except FileNotFoundError:
            return
        except LineError as error:
            raise self._unreadable(error.number, error.fault) from None
        except OSError as error:
            raise RunFolderError(f"cannot read {self.path}: {told(error)}") from None

    def _record(self, number: int, value: dict[str, Any]) -> R:
        if (schema := value.get("schema", 1)) != self.SCHEMA:
            check_schema(f"{self.path}:{number}", schema, self.SCHEMA)
        try:
            return self._parse(value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            fault = f"{type(error).__name__}: {shorten(str(error), 200)}"
            raise self._unreadable(number, fault) from None

    def _unreadable(self, number: int, fault: str) -> RunFolderError:
        return RunFolderError(
            f"{self.path}:{number} is not a readable record ({fault}); "
            "fix or remove that line, or start another run with --fresh"
        )
