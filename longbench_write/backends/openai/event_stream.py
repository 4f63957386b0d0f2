"""Server-sent events whose data is JSON, read as fast as they come: one parse for all that a read brings.

The format is that of the HTML standard, section "Server-sent events"; of the fields `data`
counts, and `event` where it says "error".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

_END = b"[DONE]"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventStream:
    """Takes a stream's bytes as they come and gives its events.

    Attributes:
        ended: Whether the stream has said that nothing more comes.
    """

    def __init__(self) -> None:
        self.ended = False
        self._began = False
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._is_error = False

    def feed(self, received: bytes) -> Iterable[object]:
        """Return the JSON values of the events that end in what was received.

        An event without data is none, as the standard says: servers send such ones as heartbeats. The data of
        an event whose type is "error" becomes `{"error": ...}`.

        Raises:
            ValueError: The data of an event is no JSON in UTF-8. It may be raised while the values are
                iterated over, behind those of the events that came before.
        """
        found: list[bytes] = []
        for line in self._lines(received):
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line:
                self._dispatch(found)
            elif line.startswith(b"event:"):
                self._is_error = line[6:].strip() == b"error"
        for place, data in enumerate(found):
            if data.startswith(_END):
                self.ended = True
                del found[place:]
                break
        return _parsed(found)

    def _dispatch(self, found: list[bytes]) -> None:
        """End an event: add its data to what was found, if it has any."""
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            self._data.clear()
            if data.strip():
                found.append(_error(data) if self._is_error else data)
        self._is_error = False

    def _lines(self, received: bytes) -> list[bytes]:
        """Return the lines that are whole, without their ends: LF, CR or both."""
        if self.ended:
            return []
        waiting = bool(self._rest) and self._rest[-1].endswith(b"\r")
        self._rest.append(received)
        if not waiting and b"\n" not in received and b"\r" not in received:
            return []
        text = b"".join(self._rest)
        if not self._began:
            self._began, text = True, text.removeprefix(_BYTE_ORDER_MARK)
        whole = max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        self._rest = [text[whole:]]
        return text[:whole].splitlines()


def _error(data: bytes) -> bytes:
    """Return the data of an error event as the object that errors elsewhere stand in."""
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        data = json.dumps(data.decode(errors="replace")).encode()
    return b'{"error":%b}' % data


def _parsed(texts: list[bytes]) -> Iterable[object]:
    try:
        values: list[object] = json.loads(b"[%b]" % b",".join(texts))
    except ValueError:
        values = []
    return values if len(values) == len(texts) else _one_by_one(texts)


def _one_by_one(texts: list[bytes]) -> Iterator[object]:
    for text in texts:
        yield json.loads(text)
