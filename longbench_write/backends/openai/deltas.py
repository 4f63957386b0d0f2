"""A text put together from the pieces in which a server streams it, whatever a piece holds.

Most servers send what is new. Some send all the text so far in each piece, some send the whole text once more
at the end; both are seen by comparing, and what is repeated counts once.
"""

from __future__ import annotations

_GROWTHS = 3
"""Pieces, each longer than the one before and beginning with it, that make a stream cumulative."""

_REPLAY = 32
"""Characters of a repetition that is a replay where `_BEFORE` pieces came before; a shorter one is text."""
_BEFORE = 4

_LONG_REPLAY = 200
"""Characters of one that is a replay behind any number of pieces."""

_EDGES = 8
"""White space around the text by which a replay may differ from it: some servers strip what they repeat."""


class StreamedText:
    """Takes pieces, and knows the text that they make.

    While each piece begins with the one before, only the last is kept, with the sizes of those before it: a
    cumulative stream of n pieces takes the memory of its last one.
    """

    def __init__(self) -> None:
        self._sizes: list[int] | None = []
        self._growths = 0
        self._last = ""
        self._parts: list[str] = []
        self._new: list[str] = []
        self._length = 0
        self._count = 0

    def add(self, piece: str) -> None:
        """Add a piece, which is not empty."""
        if self._sizes is not None:
            if piece.startswith(self._last):
                self._growths += bool(self._sizes) and len(piece) > len(self._last)
                self._last = piece
                self._sizes.append(len(piece))
                self._length += len(piece)
                return
            self._give_up()
        self._append(piece)

    def join(self) -> None:
        """Keep the pieces that came together as one, which takes less memory."""
        if self._new:
            self._parts.append("".join(self._new))
            self._new.clear()

    @property
    def size(self) -> int:
        """Its characters so far."""
        return len(self._last) if self._sizes is not None and self._growths >= _GROWTHS else self._length

    @property
    def text(self) -> str:
        """The text so far."""
        if self._sizes is not None:
            if self._growths >= _GROWTHS:
                return self._last
            self._give_up()
        self.join()
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def _give_up(self) -> None:
        """Take the pieces so far for what they are where no others tell: each is new."""
        sizes, self._sizes, self._length = self._sizes or [], None, 0
        for size in sizes:
            self._append(self._last[:size])
        self._last = ""

    def _append(self, piece: str) -> None:
        size = len(piece)
        near = abs(size - self._length) <= _EDGES and size >= _REPLAY
        if near and (self._count >= _BEFORE or size >= _LONG_REPLAY):
            self.join()
            if piece.strip() == self.text.strip():
                return
        self._new.append(piece)
        self._length += size
        self._count += 1
