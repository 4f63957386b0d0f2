"""Servers without a tokenizer, which say a share of a text's characters, bytes or words as its tokens."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

_FEWEST = 8
"""Texts from which on they say whether tokens are estimated."""

_LEAST = 100
"""Tokens of a text that tells it."""

_NEARLY_ALL = 0.8
"""The share of texts whose tokens have to be the same share of their length; some are spoilt."""

_ROUNDED, _PART = 3.0, 0.01
"""Tokens, or the part of them, within which they are the same: a tokenizer's spread by several hundredths."""

_OFF = 0.2
"""The least distance, in natural logarithms, of a spoilt text: a third that is lost makes 0.41, a third that
came twice -0.29."""


class Lengths(NamedTuple):
    """How long a text is."""

    characters: int
    octets: int
    words: int

    @classmethod
    def of(cls, text: str) -> Lengths:
        """Measure a text."""
        return cls(len(text), len(text.encode("utf-8", "surrogatepass")), len(text.split()))


def misfits_of_estimates(tokens: Sequence[int], lengths: Sequence[Lengths]) -> set[int] | None:
    """Return the places of texts whose tokens are another share of their length than those of nearly all.

    Args:
        tokens: As a server says them.
        lengths: Of the texts.

    Returns:
        None where the server does not estimate tokens, or where too few texts tell.
    """
    places = [place for place, count in enumerate(tokens) if count >= _LEAST and all(lengths[place])]
    if len(places) < _FEWEST:
        return None
    for kind in range(len(lengths[places[0]])):
        shares = {place: tokens[place] / lengths[place][kind] for place in places}
        middle = statistics.median(shares.values())
        same = sum(
            abs(tokens[place] - middle * lengths[place][kind]) <= max(_ROUNDED, _PART * tokens[place])
            for place in places
        )
        if same >= _NEARLY_ALL * len(places):
            return {place for place, share in shares.items() if abs(math.log(share / middle)) > _OFF}
    return None
