"""Answers that decline the task: a refusal, or a text that is called too long to be written at once.

What decides is who speaks to whom, and of what: a refusal speaks to the reader about the task, from its
opening on and in most of its sentences, in English or Chinese. A letter that declines an invitation, a song
or a notice has much the same words in other places, and goes on about something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from longbench_write.metrics.length import count_words
from longbench_write.scoring import refusal_words as words
from longbench_write.scoring.length_notes import (
    END,
    SENTENCE,
    WHOLE,
    is_length_note,
    is_omission,
    notes,
)

Declining = Literal["refused", "declined_length"]

REFUSAL_WORDS = 600
"""A refusal has at most so many words (official count)."""
SHORT = 120
"""Words up to which an answer can be a refusal that says nowhere in its opening that it declines."""
CHARACTERS_A_WORD = 1.7
"""Chinese characters that say as much as an English word."""
OPENING, START, CLOSE = 4, 2, 2
"""Sentences in which a refusal shows, in which it declines plainly, and in which it offers something."""

_NEEDED = (words.DECLINES, words.BLOCKED, words.ASKS)
_EXCHANGE = (words.SERVICE, words.OFFERS, words.REASONS, words.DECLINES, words.ASKS, words.BLOCKED)
_BASE, _DECLINES_WITH_REASON, _DECLINES_AND_OFFERS, _DECLINES_AND_REPLACES = -2.6, 1.0, 0.9, 3.0
_AT_START = ((words.DECLINES_PLAINLY, 1.5),)
_IN_OPENING = ((words.BLOCKED, 1.2), (words.ASKS, 0.9), (words.ASKED, 0.7))
_SHARES = ((words.REASONS, 2.2), (words.TASK, 1.0), (words.ME, 0.9), (words.WE, -1.2))
_EXCHANGE_SHARE = 2.6
"""What each sign adds to the log of the odds that a text is a refusal whose opening is about the task: where
the start or the opening has it, and if all sentences had it. They come from a logistic regression on the
tuning halves of the flags' texts, and on texts made for it and answers of five open models to harmful and
harmless requests, neither of which is kept here, rounded; only that of another text in the place of the one
asked for is set by hand."""

_QUOTED = re.compile(r"“[^“”]*”|\"[^\"\n]*\"|「[^「」]*」|『[^『』]*』|«[^«»]*»|„[^„“”]*[“”]")
_IDEOGRAPH = re.compile(r"[\u4e00-\u9fff]")


def declining(text: str) -> Declining | None:
    """Return how an answer declines the task; None where it does not.

    "declined_length" is an answer that calls the text too long to be written at once, whether it gives a
    part, an outline or nothing instead; a note that says so stands at the beginning or the end of an answer
    of any length, or apart from its text. "refused" is an answer of at most `REFUSAL_WORDS` words that
    declines for any other reason, or asks for something that it lacks.
    """
    if words.SALUTATION.match(_plain(text[:END])):
        return None
    if any(is_omission(note) or is_length_note(note) for note in map(_unquoted, notes(text))):
        return "declined_length"
    if len(text) > 20 * REFUSAL_WORDS or (size := _size(text)) > REFUSAL_WORDS:
        return None
    sentences = [sentence for sentence in SENTENCE.findall(_plain(text)) if sentence.strip()]
    if not sentences or _odds(sentences, size) <= 0:
        return None
    about_length = any(words.DECLINES.search(each) and WHOLE.search(each) for each in sentences[:OPENING])
    for_another_reason = any(map(words.REASONS.search, sentences))
    return "declined_length" if about_length and not for_another_reason else "refused"


def _size(text: str) -> float:
    """Return the length of a text in English words, or so many Chinese characters as say as much."""
    characters = len(_IDEOGRAPH.findall(text))
    return count_words(text) - characters + characters / CHARACTERS_A_WORD


def _odds(sentences: Sequence[str], size: float) -> float:
    """Return the log of the odds that a text is a refusal."""
    opening, start, close = sentences[:OPENING], sentences[:START], sentences[-CLOSE:]
    if not _any_has(_NEEDED, opening) and not (size <= SHORT and _speaks_of_the_task(opening, close)):
        return float("-inf")
    odds = _BASE + _EXCHANGE_SHARE * _share(_EXCHANGE, sentences)
    if any(
        words.DECLINES.search(each) and (words.OFFERS.search(each) or words.REASONS.search(each))
        for each in start
    ):
        odds += _DECLINES_WITH_REASON
    if _any_has([words.DECLINES], opening) and _any_has([words.OFFERS], close):
        odds += _DECLINES_AND_OFFERS
    if _any_has([words.DECLINES], start) and _any_has([words.REPLACES], opening):
        odds += _DECLINES_AND_REPLACES
    for passage, signs in ((start, _AT_START), (opening, _IN_OPENING)):
        odds += sum(weight for sign, weight in signs if _any_has([sign], passage))
    return odds + sum(weight * _share([sign], sentences) for sign, weight in _SHARES)


def _speaks_of_the_task(opening: Sequence[str], close: Sequence[str]) -> bool:
    """Return whether a short text speaks to the reader of what was asked for, whatever it says of it."""
    return _any_has([words.ASKED, words.DENIES], opening) or _any_has([words.OFFERS], close)


def _any_has(signs: Sequence[re.Pattern[str]], sentences: Sequence[str]) -> bool:
    return any(sign.search(each) for each in sentences for sign in signs)


def _share(signs: Sequence[re.Pattern[str]], sentences: Sequence[str]) -> float:
    """Return the share of the sentences that have one of some signs."""
    return sum(_any_has(signs, [each]) for each in sentences) / len(sentences)


def _unquoted(text: str) -> str:
    """Return a text without quotations, its apostrophes straight.

    A refusal that is quoted is somebody's in a story, or an example.
    """
    return _QUOTED.sub(" ", text.replace("’", "'"))


def _plain(text: str) -> str:
    """Return a text without quotations and the marks of Markdown at its ends."""
    return _unquoted(text.strip("*#>_` \t\r\n"))
