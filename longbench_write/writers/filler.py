"""Writing without a model: what S_bar is worth where nothing was written.

A judge that gives such a text a high score is worth little (null models, arXiv 2410.07137).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import regex

from longbench_write.errors import UsageError
from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Draft, WriterContext, WriterError
from longbench_write.writers.cards import NullCard, WriterFolder, configuration
from longbench_write.writers.estimate import ExpectedRequest

_PARAGRAPH = 5
"""Sentences of a paragraph."""


class FillerWriter:
    """Repeats its own sentences up to exactly the required number of words, in the prompt's language.

    Args:
        folder: The writer's.

    Attributes:
        name: The folder's name.
        configuration: What would change its responses.
        needs_model: False: it asks nobody.

    Raises:
        UsageError: Its sentences are missing, or one has no word.
    """

    needs_model = False

    def __init__(self, folder: WriterFolder, card: NullCard) -> None:
        self.name = folder.name
        templates = folder.template("filler")
        self._sentences = {language: text.splitlines() for language, text in templates.items()}
        for language, sentences in self._sentences.items():
            if not all(map(count_words, sentences)):
                raise UsageError(f"filler.{language}.txt of the writer {self.name}: a line has no word")
        self.configuration: dict[str, Any] = configuration(folder, {"filler": templates})

    def expected(self, prompt: Prompt) -> Iterator[ExpectedRequest]:
        """Yield nothing: no request is made."""
        yield from ()

    async def write(self, prompt: Prompt, sample: int, context: WriterContext) -> Draft:
        """Write one response; see `Writer.write`."""
        if prompt.length is None:
            raise WriterError("no_length", f"{prompt.id} asks for no length")
        chinese = prompt.language == "zh"
        return Draft(_filled(self._sentences["zh" if chinese else "en"], prompt.length, " " * (not chinese)))


def _filled(sentences: Sequence[str], words: int, space: str) -> str:
    """Return a text of exactly so many words, by the official count."""
    parts: list[str] = []
    for place, sentence in enumerate(cycle(sentences)):
        behind = "\n\n" if place % _PARAGRAPH == _PARAGRAPH - 1 else space
        if (count := count_words(sentence)) >= words:
            return "".join(parts) + _cut(sentence, words)
        words -= count
        parts.append(sentence + behind)
    raise AssertionError("a cycle has no end")


def _cut(sentence: str, words: int) -> str:
    """Return the beginning of a sentence that has so many words, with its last mark."""
    if count_words(sentence) == words:
        return sentence
    ends = [match.end() for match in regex.finditer(r"[a-zA-Z]+|[\u4e00-\u9fff]", sentence)]
    kept = next(sentence[:end] for end in ends if count_words(sentence[:end]) == words)
    return kept + sentence[-1]
