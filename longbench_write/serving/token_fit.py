"""How many tokens a model's tokenizer makes of a text, learned from texts whose tokens its server counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from longbench_write.serving.pieces import Pieces

EXPECTED = (1.05, 0.85, 0.0)
"""Tokens of a Latin piece and of an ideograph, and of what is added to each text, before anything is known:
the middle of what six tokenizers make of English and Chinese prose."""

_ROOM = (0.2, 0.4, 1000.0)
"""By how much those may be off (one standard deviation)."""

_NOISE = 0.07
"""How far texts of one tokenizer and language lie from its mean, as a share of it: a fifth at most."""

_LEAST_NOISE = 3.0
"""The same in tokens, for short texts."""

_OUTLYING = (0.2, 4.0)
"""Standard deviations from which on a text counts less, and at which it counts nothing: of some texts the
tokens are not those of the whole."""

_ROUNDS = (15, 5)
"""Of weighting anew by either, after which the fit stands still."""


class Counted(NamedTuple):
    """A text and the tokens that a server counted of it.

    Attributes:
        pieces: What it is made of.
        tokens: More than 0.
    """

    pieces: Pieces
    tokens: int


@dataclass(frozen=True, slots=True)
class TokenFit:
    """Tokens of a text as `latin` x its Latin pieces + `ideographs` x its ideographs + `constant`.

    Attributes:
        latin: Tokens a Latin piece.
        ideographs: Tokens an ideograph.
        constant: Tokens that each text has besides: a chat template, a system prompt of the server's.
        covariance: Of those three, in tokens squared, as rows.
        explained: The share of the texts that lie near the fit; 0 without any. Where it is small, the numbers
            are no tokens of the texts.
    """

    latin: float
    ideographs: float
    constant: float
    covariance: tuple[tuple[float, ...], ...]
    explained: float

    def tokens_of(self, pieces: Pieces) -> float:
        """Return how many tokens a text of these pieces has."""
        return self.latin * pieces.latin + self.ideographs * pieces.ideographs + self.constant

    def error_of(self, pieces: Pieces) -> float:
        """Return the standard error of that number, in tokens: large where the fit saw nothing of the kind.

        What sets one text apart from others of its size comes on top.
        """
        row = (pieces.latin, pieces.ideographs, 1.0)
        variance = sum(
            left * value * right
            for left, line in zip(row, self.covariance, strict=True)
            for value, right in zip(line, row, strict=True)
        )
        return float(max(0.0, variance) ** 0.5)


def fit_tokens(counted: Iterable[Counted], *, constant: bool = True) -> TokenFit:
    """Fit the tokens of texts to their pieces.

    The least squares of relative distances, reweighted so that outlying texts count little (Huber's weights)
    and then nothing (Tukey's biweight), with a Gaussian prior from the measured bounds of tokenizers: few
    texts, or texts of one size, leave the fit near what is usual, and its error large.

    Args:
        counted: The texts; none is enough.
        constant: Whether each text may have tokens besides, as prompts do and answers do not.
    """
    import numpy as np

    counted = list(counted)
    rows = [(each.pieces.latin, each.pieces.ideographs, 1.0, each.tokens) for each in counted]
    table = np.array(rows, dtype=float).reshape(len(rows), 4)
    pieces, tokens = table[:, :3], table[:, 3]
    room = np.array([*_ROOM[:2], _ROOM[2] if constant else 1e-6])
    expected, precision = np.array(EXPECTED), np.diag(1 / room**2)
    deviation = np.maximum(_NOISE * (pieces @ expected), _LEAST_NOISE)
    weights = np.ones(len(rows))
    for number in range(sum(_ROUNDS)):
        scaled = pieces * (weights / deviation**2)[:, None]
        covariance = np.linalg.inv(pieces.T @ scaled + precision)
        found = covariance @ (scaled.T @ tokens + precision @ expected)
        misses = np.abs(tokens - pieces @ found) / deviation
        if number < _ROUNDS[0]:
            weights = 1 / np.maximum(misses / _OUTLYING[0], 1)
        else:
            weights = np.clip(1 - (misses / _OUTLYING[1]) ** 2, 0, None) ** 2
    if constant and found[2] < 0:
        return fit_tokens(counted, constant=False)
    latin, ideographs, added = (float(max(0.0, value)) for value in found)
    rows_of_covariance = tuple(tuple(map(float, row)) for row in covariance)
    explained = float(np.mean(weights > 0)) if len(rows) else 0.0
    return TokenFit(latin, ideographs, added, rows_of_covariance, explained)
