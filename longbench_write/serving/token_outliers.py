"""Answers whose tokens do not fit their text: a part of it was lost on the way, or came twice.

One run's answers are held against each other, since tokenizers differ by more than a text can lose: tokens a
piece lie within a fifth of their median for one tokenizer and language.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence

from longbench_write.serving.text_kind import ENGLISH, LATIN
from longbench_write.serving.token_fit import Counted, fit_tokens

_FEWEST = 8
"""Answers of one kind of text from which on they say what its tokens are."""

_SHORTEST = 40
"""Pieces of an answer from which on its tokens say something."""

_LEAST = 0.2
"""The least distance, in natural logarithms, that is no chance: 0.41 is what a lost third makes, and -0.29
what a third too much does."""

_SPREADS = 4.0
"""The same in standard deviations of the run's own answers of that kind."""

_WIDEST = 0.15
"""A spread above which the tokens are not those of the texts alone, as where a server counts reasoning that
it neither shows nor tells apart."""

_MOST_A_PIECE = 4.5
"""Tokens a piece that no tokenizer has on a text in Latin letters: three times the most that was measured."""


def misfits(answers: Sequence[Counted], kinds: Sequence[str]) -> set[int]:
    """Return the places of answers that have more or fewer tokens than their text can have.

    Args:
        answers: What was written, reasoning included where the tokens include it.
        kinds: What kind of text each is, as `text_kind.kind_of` says.
    """
    found: set[int] = set()
    alike: dict[str, list[int]] = defaultdict(list)
    for place, (answer, kind) in enumerate(zip(answers, kinds, strict=True)):
        pieces = sum(answer.pieces)
        if kind in (ENGLISH, LATIN) and answer.tokens > _MOST_A_PIECE * max(1, pieces):
            found.add(place)
        elif pieces >= _SHORTEST:
            alike[kind].append(place)
    for places in alike.values():
        if len(places) >= _FEWEST:
            odd = _outlying([answers[place] for place in places])
            found.update(place for place, is_odd in zip(places, odd, strict=True) if is_odd)
    return found


def _outlying(answers: Sequence[Counted]) -> list[bool]:
    """Return which of several answers of one kind of text lie apart from most of them."""
    fit = fit_tokens(answers, constant=False)
    distances = [math.log(each.tokens / fit.tokens_of(each.pieces)) for each in answers]
    middle = statistics.median(distances)
    spread = 1.4826 * statistics.median(abs(each - middle) for each in distances)
    if spread > _WIDEST:
        return [False] * len(answers)
    bound = max(_LEAST, _SPREADS * spread)
    return [abs(distance - middle) > bound for distance in distances]
