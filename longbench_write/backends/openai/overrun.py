"""Finds by the text that a server writes on past the limit of new tokens, as one does whose window shifts."""

from __future__ import annotations

import re

from longbench_write.backends.openai.deltas import StreamedText
from longbench_write.metrics.scripts import CJK

_ROOM = 64
"""Tokens past the limit that are still read: servers differ in what they count."""

REASONING = 100_000
"""Tokens of reasoning that are read beyond the limit, since some servers' limit is that of the text alone."""

_IDEOGRAPHS = re.compile(f"[{CJK}]")
_WORDS = re.compile(rf"[^\W\d_{CJK}]+")

_A_DELTA = 0.6
"""Words a delta where a server sends each token by itself: English prose has 0.7 to 0.85. Where there are
fewer, deltas are characters, or words and their spaces."""

_CHARACTERS = 1.15
"""The same for a text of ideographs, in characters: where deltas are characters it is 1."""

_IDEOGRAPHS_A_TOKEN = 2

_GROWTH = 1.05
"""By which a text grows until it is looked at again."""


class Overrun:
    """Takes the deltas of a text as they come, and tells when it has passed its limit.

    Args:
        limit: New tokens that were asked for; None where none were.
    """

    def __init__(self, limit: int | None) -> None:
        self._most = None if limit is None else limit + _ROOM
        self._deltas = 0
        self._look_at = 0.0
        self._counted = 0
        self._words = 0
        self._ideographs = 0

    def add(self) -> None:
        """Take a delta with text."""
        self._deltas += 1

    def has_passed(self, written: StreamedText) -> bool:
        """Return whether a text, so far, has more tokens than the limit, whatever tokenizer made them.

        No usual tokenizer makes one token of two words, and none averages more than two ideographs a token.
        """
        size = written.size
        if self._most is None or size < self._look_at:
            return False
        # A word with its space, or the two ideographs of a token, have two characters at least.
        if self._deltas <= self._most and size < 2 * self._most:
            return False
        self._look_at = size * _GROWTH
        text = written.text
        words, ideographs = _count(text[self._counted :])
        self._words, self._ideographs = self._words + words, self._ideographs + ideographs
        self._counted = len(text)
        # A word that was counted in halves is two, and a stream that turns out not to repeat its text is
        # another text: the whole is counted too before an answer is cut.
        if not _is_past(self._most, self._words, self._ideographs, size, self._deltas):
            return False
        return _is_past(self._most, *_count(text), size, self._deltas)


def _count(text: str) -> tuple[int, int]:
    """Return the words and the ideographs of a text."""
    return len(_WORDS.findall(text)), len(_IDEOGRAPHS.findall(text))


def _is_past(most: int, words: int, ideographs: int, size: int, deltas: int) -> bool:
    """Return whether a text of so many words, ideographs, characters, deltas has over `most` tokens."""
    if words + ideographs / _IDEOGRAPHS_A_TOKEN > most:
        return True
    is_by_token = size >= _CHARACTERS * deltas if ideographs > words else words >= _A_DELTA * deltas
    return is_by_token and deltas > most
