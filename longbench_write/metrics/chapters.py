"""A response that was judged in parts, and what its parts' scores come to."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from longbench_write.files.schema import Count
from longbench_write.metrics.quality import DIMENSIONS


class Chapter(TypedDict):
    """A part of a response that was judged by itself, since the whole did not fit the judge's context."""

    words: Count
    scores: dict[str, int]
    analysis: str


def over_chapters(chapters: Sequence[Chapter], criteria: Sequence[str] = DIMENSIONS) -> dict[str, float]:
    """Return the mean per criterion over chapters, weighted by words: Unicode's, in 0.1.0 the official count.

    Args:
        chapters: At least one; a chapter without a word weighs as one of a word.
        criteria: Those of the rubric, whose scale the means are on.
    """
    words = [max(1, chapter["words"]) for chapter in chapters]
    return {
        name: sum(weight * chapter["scores"][name] for weight, chapter in zip(words, chapters, strict=True))
        / sum(words)
        for name in criteria
    }
