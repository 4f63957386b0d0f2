"""Server-sent events whose data is JSON, read as fast as they come: one parse for all that a read brings.

The format is that of the HTML standard, section "Server-sent events"; of the fields only `data` counts.
"""

from __future__ import annotations

import json

_END = b"[DONE]"


class EventStream:
    """Takes a stream's bytes as they come and gives its events.

    Attributes:
        ended: Whether the stream has said that nothing more comes.
    """

    def __init__(self) -> None:
        self.ended = False
        self._rest: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, received: bytes) -> list[object]:
        """Return the JSON values of the events that end in what was received.

        Raises:
            ValueError: The data of an event is no JSON in UTF-8.
        """
        found = []
        for line in self._lines(received):
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line and self._data:
                found.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data.clear()
        for place, data in enumerate(found):
            if data.startswith(_END):
                self.ended = True
                del found[place:]
                break
        return _parsed(found)

    def _lines(self, received: bytes) -> list[bytes]:
        """Return the lines that are whole, without their ends: LF, CR or both."""
        if self.ended:
            return []
        waiting = bool(self._rest) and self._rest[-1].endswith(b"\r")
        self._rest.append(received)
        if not waiting and b"\n" not in received and b"\r" not in received:
            return []
        text = b"".join(self._rest)
        whole = max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        self._rest = [text[whole:]]
        return text[:whole].splitlines()


def _parsed(texts: list[bytes]) -> list[object]:
    try:
        values: list[object] = json.loads(b"[%b]" % b",".join(texts))
    except ValueError:
        values = []
    return values if len(values) == len(texts) else [json.loads(text) for text in texts]
