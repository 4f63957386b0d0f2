"""Files that hold one JSON object, read; what was merged, cut or edited wrongly is refused by its name."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from longbench_write.errors import shorten
from longbench_write.files.leftovers import git_leftover
from longbench_write.files.reading import read_text


class RepeatedKeysError(ValueError):
    """One object has keys more than once, of which a parser keeps the last without a word.

    Attributes:
        counts: How often each of them stands there.
    """

    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__()
        self.counts = counts

    def told(self, text: str) -> str:
        """Return which keys they are, with the lines of the first where those cannot be another object's."""
        key, count = next(iter(self.counts.items()))
        places = [found.start() for found in re.finditer(re.escape(json.dumps(key)) + r"\s*:", text)]
        lines = [str(text.count("\n", 0, place) + 1) for place in places]
        where = f" (lines {' and '.join(lines)})" if len(lines) == count and count < 5 else ""
        named = f"{shorten(repr(key), 60)}{where}"
        if len(self.counts) == 1:
            return f"the key {named} stands there {count} times: one of them must go"
        return f"{len(self.counts)} keys stand there more than once, such as {named}: was it merged by union?"


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these keys and values, as `object_pairs_hook` of a decoder.

    Raises:
        RepeatedKeysError: A key stands there more than once.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise RepeatedKeysError({key: count for key, count in counts.items() if count > 1})
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=unique)


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object; a byte order mark at its start is passed over.

    Raises:
        ValueError: It holds none, no UTF-8, or a key twice in one object.
        OSError: It cannot be read.
    """
    return decode_object(read_text(path, encoding="utf-8-sig"))


def decode_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a text holds.

    Raises:
        ValueError: It holds none, or a key twice in one object.
    """
    try:
        value = _DECODER.decode(text)
    except RepeatedKeysError as error:
        raise ValueError(error.told(text)) from None
    except json.JSONDecodeError as error:
        raise ValueError(_told(error, text)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it holds no JSON object")
    return value


def _told(error: json.JSONDecodeError, text: str) -> str:
    """Return what is wrong with a text that is no JSON."""
    whole = text.rstrip()
    if not whole:
        return "it is empty"
    if left := git_leftover(text):
        return left
    is_cut = error.pos >= len(whole) or not whole.endswith("}")
    if whole.startswith("{") and is_cut and not error.msg.startswith("Extra data"):
        line = text.count("\n", 0, len(whole)) + 1
        return f"it ends in the middle{f', on line {line}' if line > 1 else ''}: it was cut off"
    return f"it is no JSON: {error}"
