"""Answers that decline the task: a refusal, or a text that is called too long to be written at once.

What decides is where a text declines and how much of it speaks of the task, in English or Chinese: a letter
that declines an invitation, or a notice, has much the same words in other places and goes on about something
else. Of a long text only both ends are read.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import Literal

from longbench_write.metrics.length import count_words
from longbench_write.scoring import refusal_words as words

Declining = Literal["refused", "declined_length"]

REFUSAL_WORDS = 300
"""A refusal has at most so many words (official count)."""
CHARACTERS_A_WORD = 1.7
"""Chinese characters that say as much as an English word."""
FEWEST_WORDS = 20
"""All shorter texts are alike."""
NOTE = 450
"""Characters at either end of a text in which a note on its length stands."""
OPENING, END = 4, 2
"""Sentences."""

_BASE, _DENIES, _DECLINES_AND_OFFERS, _SIZE = 0.5, 1.0, 1.0, -1.5
_IN_OPENING = ((words.NEGATES, 2.5), (words.DECLINES_PLAINLY, 1.5))
_NEEDED = (words.NEGATES, words.DECLINES)
_AT_END = ((words.OFFERS_OTHER, 1.0),)
_SHARES = (
    (words.REASONS, 7.0),
    (words.SERVICE, 3.5),
    (words.TASK, 1.0),
    (words.OFFERS_OTHER, 4.0),
    (words.NARRATES, -1.0),
)
"""What each sign adds to the log of the odds that a short text is a refusal: where the opening has it, where
the end has it, and if all sentences had it. `_DENIES` is for a first person who denies something in the
opening, `_DECLINES_AND_OFFERS` for declining there and offering at the end, `_SIZE` for each unit of the log
of the words; a text without any of `_NEEDED` is none. They come from a logistic regression on texts made for
it, rounded."""

_QUOTED = re.compile(r"“[^“”]*”|\"[^\"\n]*\"|「[^「」]*」|『[^『』]*』|«[^«»]*»|„[^„“”]*[“”]")
_IDEOGRAPH = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE = re.compile(r"(?:[^.!?。！？…\n]|[.!?](?![\s)\]]|$))+")


def declining(text: str) -> Declining | None:
    """Return how an answer declines the task; None where it does not.

    "declined_length" is an answer that calls the text too long to be written at once, whether it gives a
    part, an outline or nothing instead; a note that says so stands at the beginning or the end of an answer
    of any length. "refused" is a short answer that declines for any other reason.
    """
    if words.SALUTATION.match(_plain(text[:NOTE])):
        return None
    if _is_length_note(_plain(text[:NOTE])) or _is_length_note(_plain(text[-NOTE:])):
        return "declined_length"
    if len(text) > 20 * REFUSAL_WORDS or (size := _size(text)) > REFUSAL_WORDS:
        return None
    sentences = [sentence for sentence in _SENTENCE.findall(_plain(text)) if sentence.strip()]
    if not sentences or _odds(sentences, size) <= 0:
        return None
    about_length = any(
        words.DECLINES.search(each) and words.WHOLE.search(each) and words.LENGTH.search(each)
        for each in sentences[:OPENING]
    )
    return "declined_length" if about_length else "refused"


def _size(text: str) -> float:
    """Return the length of a text in English words, or so many Chinese characters as say as much."""
    characters = len(_IDEOGRAPH.findall(text))
    return count_words(text) - characters + characters / CHARACTERS_A_WORD


def _odds(sentences: Sequence[str], size: float) -> float:
    """Return the log of the odds that a short text is a refusal."""
    opening, end = sentences[:OPENING], sentences[-END:]
    if not any(sign.search(each) for each in sentences for sign in _NEEDED):
        return -math.inf
    odds = _BASE + _SIZE * math.log(max(FEWEST_WORDS, size))
    if any(words.NEGATES.search(each) and words.FIRST_PERSON.search(each) for each in opening):
        odds += _DENIES
    if any(map(words.DECLINES.search, opening)) and any(map(words.OFFERS_OTHER.search, end)):
        odds += _DECLINES_AND_OFFERS
    for passage, signs in ((opening, _IN_OPENING), (end, _AT_END)):
        odds += sum(weight for sign, weight in signs if any(map(sign.search, passage)))
    return odds + sum(
        weight * sum(1 for each in sentences if sign.search(each)) / len(sentences)
        for sign, weight in _SHARES
    )


def _is_length_note(passage: str) -> bool:
    """Return whether a passage says that the text is too long and offers something in its place."""
    if not words.OFFER.search(passage):
        return False
    sentences = _SENTENCE.findall(passage)
    for pair in map(" ".join, itertools.zip_longest(sentences, sentences[1:], fillvalue="")):
        if words.REPLY_LIMIT.search(pair) and words.OFFER.search(pair):
            return True
        if words.WHOLE.search(pair) and words.LIMIT.search(pair):
            if words.ADDRESS.search(pair) or words.OFFER.search(pair):
                return True
        elif words.WHOLE.search(pair) and words.ADDRESS.search(pair) and words.DECLINES.search(pair):
            return True
    return False


def _plain(text: str) -> str:
    """Return a text without quotations and marks of Markdown, its apostrophes straight.

    A refusal that is quoted is somebody's in a story, or an example.
    """
    return _QUOTED.sub(" ", text.replace("’", "'").strip("*#>_` \t\r\n"))
