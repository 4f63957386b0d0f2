"""Notes that wait until it is known whether a run has anything left to ask, which is said first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from longbench_write.runs.observer import Observer


class DeferredNotes(Observer):
    """Defers notes until they are released, or a download shows that the user is waiting.

    Args:
        observer: Told in the end.

    Attributes:
        observer: The same.
    """

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self._deferred: list[str] | None = []

    def note(self, text: str) -> None:
        """Defer a note, or pass it on."""
        if self._deferred is None:
            self.observer.note(text)
        else:
            self._deferred.append(text)

    def first(self, text: str) -> None:
        """Say this before all that is deferred."""
        self.observer.note(text)

    def downloading(self, done: int, total: int | None) -> None:
        """Pass on what has come, after the notes."""
        self.release()
        self.observer.downloading(done, total)

    def release(self) -> None:
        """Pass the notes on, and those that come from now on at once."""
        deferred, self._deferred = self._deferred, None
        for text in deferred or []:
            self.observer.note(text)

    @contextmanager
    def released_on_error(self) -> Iterator[None]:
        """Release the notes where the block fails: they say what led there."""
        try:
            yield
        except BaseException:
            self.release()
            raise
