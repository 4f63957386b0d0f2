"""Answers whose tokens do not fit their text: a part of it was lost on the way, or came twice.

One run's answers are held against each other, since tokenizers differ by more than a text can lose: tokens a
piece lie within a fifth of their median for one tokenizer and language.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence

from longbench_write.serving.pieces import count_pieces
from longbench_write.serving.text_kind import ENGLISH, LATIN, STRUCTURED
from longbench_write.serving.token_fit import Counted, fit_tokens

_FEWEST = 8
"""Answers of one kind of text from which on they say what its tokens are."""

_SHORTEST = 40
"""Size of an answer from which on its tokens say something."""

_MORE, _FEWER = 0.25, 0.17
"""The least distances, in natural logarithms, that are no chance. A third of a text that is lost makes 0.41,
a third too much -0.29; names and foreign words take more tokens than others, and next to nothing fewer."""

_SPREADS = 3.0
"""The same in standard deviations of the run's own answers of that kind, which have no long tails."""

_CHANCE = 0.8
"""What comes on top of either for an answer of one word; it shrinks with the root of the size."""

_WIDEST = 0.1
"""A spread above which the tokens are not those of texts that are alike: some are of other kinds, or have
reasoning that the server counts and neither shows nor tells apart. Prose has 0.03 to 0.09."""

_MOST_A_PIECE = 4.5
"""Tokens a piece that no tokenizer has on a text in Latin letters: three times the most that was measured."""


def cannot_be(text: str, tokens: int, kind: str) -> bool:
    """Return whether no tokenizer makes so many tokens of a text.

    Args:
        text: The text.
        tokens: As they were counted.
        kind: What kind of text it is.
    """
    if kind not in (ENGLISH, LATIN, STRUCTURED) or tokens <= _MOST_A_PIECE * len(text.split()):
        return False
    return tokens > _MOST_A_PIECE * max(1, sum(count_pieces(text)))


def misfits(answers: Sequence[Counted], kinds: Sequence[str]) -> set[int]:
    """Return the places of answers that have more or fewer tokens than others of their size and kind.

    Structured texts are none of them: one table may have twice the tokens of another.

    Args:
        answers: The sizes (`token_size.sized`) of what was written, of its reasoning too where it is counted.
        kinds: What kind of text each is, as `text_kind.kind_of` says.
    """
    found: set[int] = set()
    alike: dict[str, list[int]] = defaultdict(list)
    for place, (answer, kind) in enumerate(zip(answers, kinds, strict=True)):
        if sum(answer.pieces) >= _SHORTEST and kind != STRUCTURED:
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
    odd = []
    for distance, answer in zip(distances, answers, strict=True):
        least = _MORE if distance > middle else _FEWER
        chance = _CHANCE / math.sqrt(sum(answer.pieces))
        odd.append(abs(distance - middle) > max(least, _SPREADS * spread) + chance)
    return odd
