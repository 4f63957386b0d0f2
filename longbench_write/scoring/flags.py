"""What a response shows by itself, whatever it scores: how it ended, and what is odd about its text."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from longbench_write.backends.finish_reasons import is_truncated
from longbench_write.records import Prediction
from longbench_write.scoring import diagnostics, refusals
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.injection import is_injection_suspected
from longbench_write.scoring.languages import is_wrong_language, language_asked

TRUNCATED = "truncated"
FLAGS = (
    TRUNCATED,
    "empty",
    "repetitive",
    "wrong_language",
    "refused",
    "declined_length",
    "judge_injection_suspected",
)
"""What may be odd about a response, each a column of scores.csv."""


@dataclass(frozen=True, slots=True)
class ResponseFlags:
    """What a response shows.

    Attributes:
        flags: Those of `FLAGS` that hold.
        repetition: How much it repeats itself.
    """

    flags: frozenset[str]
    repetition: Repetition


def flags_of(prediction: Prediction) -> ResponseFlags:
    """Return what a prediction's response shows; that takes about a millisecond per thousand words.

    Raises:
        ValueError: It has no response.
    """
    response = prediction.response
    if response is None:
        raise ValueError("a failed prediction shows nothing")
    repetition = diagnostics.repetition(response)
    declining = refusals.declining(response)
    language = prediction.answer_language or language_asked(prediction.prompt) or prediction.language
    flags = {
        TRUNCATED: is_truncated(prediction.finish_reason),
        "empty": diagnostics.is_empty(response),
        "repetitive": repetition.is_loop,
        "wrong_language": is_wrong_language(response, language),
        "refused": declining == "refused",
        "declined_length": declining == "declined_length",
        "judge_injection_suspected": is_injection_suspected(response),
    }
    return ResponseFlags(_flag_set(tuple(name for name, holds in flags.items() if holds)), repetition)


@functools.cache
def _flag_set(names: tuple[str, ...]) -> frozenset[str]:
    """Return one set for all responses that have the same flags."""
    return frozenset(names)
