"""Which prompts of a role a server has not read whole, by the tokens that it says that they have.

A server whose window is too small may drop the front or the middle of a prompt and answer with 200; only
the tokens that it counted show it. They stop growing with the text: they are fewer than the shorter prompts
of the role let expect, or one number for prompts of different size.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from longbench_write.backends.base import Completion, Message
from longbench_write.metrics.prompt_size import PromptSize
from longbench_write.serving.cuts import Ceiling
from longbench_write.serving.pieces import Pieces, count_pieces
from longbench_write.serving.token_fit import EXPECTED, Counted, TokenFit, fit_tokens

_SHARE = 0.75
"""Of the tokens that a prompt should have, below which it was not read whole. Prompts of one tokenizer and
language lie within a fifth of what they should have."""

_FEWEST = 8
"""Of the smaller prompts, which the fit takes at least; of more than twice as many, the smaller half."""

_SAME = 3
"""Prompts that must say one number, the largest of all."""

_APART = 1.25
"""How many times the smallest of those the largest of them has to be."""

_ERRORS = 2.5
"""Standard errors by which the fit may be wrong: it expects nothing of a script that it has not seen."""

_SHORTEST = 100
"""Tokens that a prompt should have for its count to tell anything: shorter texts vary more."""

_SMALLEST = 120
"""Tokens of a window below which one number for all prompts is made up: no model is served with less."""

_SMALL, _SATURATED = 300, 0.45
"""Tokens below which a count must also be as large, as a share of the largest: a server that cuts prompts to
half of its window has read none of more than twice as many. Where a quarter of the characters is said, as
servers without a tokenizer do, short prompts with lists or of two languages have far fewer than others."""

_FEW, _NEAR = 64, 0.15
_GROWTH = 1.1
"""Prompts are fitted anew as often as their number has grown so; of the first few also where one is further
from what the fit expects, as a share of that, and of all once as many as `_SAME` say the largest number."""


def prompt_size(messages: Iterable[Message], completion: Completion) -> PromptSize | None:
    """Return how large the prompt of an answer was; None where the server counted no tokens."""
    usage, texts = completion.usage, (message["content"] for message in messages)
    return sized(texts, usage.prompt_tokens, usage.cached_tokens, completion.model_served)


def sized(
    texts: Iterable[str], tokens: int | None, cached: int | None, model: str | None
) -> PromptSize | None:
    """Return the size of a prompt of these texts; None where the server counted no tokens."""
    if not tokens:
        return None
    counted = [count_pieces(text) for text in texts]
    latin, ideographs = sum(each.latin for each in counted), sum(each.ideographs for each in counted)
    return PromptSize(latin=latin, ideographs=ideographs, tokens=tokens, cached=cached or 0, model=model)


@dataclass(frozen=True, slots=True)
class Unread:
    """A prompt that was not read whole.

    Attributes:
        tokens: Those that the server says to have read.
        expected: Those that the prompt has, by what the server says of smaller ones.
    """

    tokens: int
    expected: int

    def __str__(self) -> str:
        """Return what to tell of it."""
        return (
            f"the server read {self.tokens:,} tokens of a prompt that has about {self.expected:,}, by its "
            "own count, and answered all the same: its context is too small, and it cut the prompt"
        )


class PromptsRead:
    """Takes the prompts of a role, in any order, and says which of them were not read whole.

    Models are looked at one by one, by the name under which they answered: each may count in its own way.
    """

    def __init__(self) -> None:
        self._models: defaultdict[str | None, _OfModel] = defaultdict(_OfModel)

    def add(self, size: PromptSize | None) -> None:
        """Take a prompt; None for one of which nothing is known."""
        if size is not None and size["tokens"]:
            self._models[size["model"]].add(size)

    def unread(self, size: PromptSize | None) -> Unread | None:
        """Return what shows that a prompt that was taken was not read whole; None where nothing does."""
        return None if size is None else self._models[size["model"]].unread(_pieces(size))

    def settle(self) -> bool:
        """Look at all prompts anew once the last has come; return whether any was not read whole."""
        return any([model.settle() for model in self._models.values()])  # noqa: C419 - all are to settle

    def ceiling(self, role: str) -> Ceiling | None:
        """Return what the server lets through of a prompt of this role; None where it cut none.

        Where prompts have come since, `settle` first makes that exact.
        """
        tokens = [number for model in self._models.values() for number in model.read_of_cut()]
        return Ceiling(role, "prompt", max(tokens), len(tokens), "cut") if tokens else None


class _OfModel:
    """The prompts that a model answered.

    A prompt that was sent again counts as the time when most of its tokens were counted: a cache may leave
    out what it held. Where a cache's tokens are told beside the others, they may be among them or not: a
    prompt was cut only where it is either way.
    """

    def __init__(self) -> None:
        self._told, self._with_cached = _Counts(), _Counts()
        self._times: Counter[Pieces] = Counter()

    def add(self, size: PromptSize) -> None:
        pieces = _pieces(size)
        self._times[pieces] += 1
        self._told.add(pieces, size["tokens"])
        self._with_cached.add(pieces, size["tokens"] + size["cached"])

    def unread(self, pieces: Pieces) -> Unread | None:
        if pieces not in self._times:
            return None
        expected = self._told.expected_of_cut(pieces)
        if expected is None or self._with_cached.expected_of_cut(pieces) is None:
            return None
        return Unread(self._told.tokens[pieces], expected)

    def settle(self) -> bool:
        for counts in (self._told, self._with_cached):
            counts.refit()
        return any(self.unread(pieces) for pieces in self._times)

    def read_of_cut(self) -> Iterator[int]:
        """Yield the tokens that were read of each prompt that was cut."""
        for pieces, times in self._times.items():
            if unread := self.unread(pieces):
                yield from times * [unread.tokens]


def _pieces(size: PromptSize) -> Pieces:
    return Pieces(size["latin"], size["ideographs"])


class _Counts:
    """The tokens of each prompt, by its pieces, and what they let expect of the others."""

    def __init__(self) -> None:
        self.tokens: dict[Pieces, int] = {}
        self._fit: TokenFit | None = None
        self._fitted = 0
        self._same: int | None = None
        self._least, self._most = math.inf, 0
        self._tied = 0

    def add(self, pieces: Pieces, tokens: int) -> None:
        if tokens > self._most:
            self._tied = 0
            if self._same is not None:  # it is the largest no more
                self._fit = None
        self._least, self._most = min(self._least, tokens), max(self._most, tokens)
        if tokens > self.tokens.get(pieces, 0):
            self.tokens[pieces] = tokens
            tied = tokens == self._most
            self._tied += tied
            if (tied and self._tied == _SAME) or self._is_news(pieces, tokens):
                self._fit = None

    def _is_news(self, pieces: Pieces, tokens: int) -> bool:
        """Return whether a prompt is one of the first and is not what the fit expects."""
        if self._fit is None or len(self.tokens) > _FEW:
            return False
        expected = self._fit.tokens_of(pieces)
        return abs(tokens - expected) > _NEAR * expected

    def expected_of_cut(self, pieces: Pieces) -> int | None:
        """Return how many tokens a prompt should have; None for one that seems to have been read whole."""
        if self._fit is None or len(self.tokens) > _GROWTH * self._fitted:
            self._fit = self.refit()
        tokens, expected = self.tokens[pieces], self._fit.tokens_of(pieces)
        if tokens != self._same and tokens >= _SHARE * expected:  # as most are: the error takes time
            return None
        least = expected - _ERRORS * self._fit.error_of(pieces)
        grown = tokens < _SMALL and tokens < _SATURATED * self._most
        # Of prompts that all say one number nothing is learned: it may be made up, as `_same` finds.
        told = self._least < self._most and self._fit.explained > 0.5 and least >= _SHORTEST and not grown
        if tokens == self._same or (told and tokens < _SHARE * least):
            return max(round(expected), tokens)
        return None

    def refit(self) -> TokenFit:
        """Learn from all prompts what to expect: of the smaller half, and of those that say one number."""
        self._fitted = len(self.tokens)
        self._same = _same(self.tokens.items())
        rows = sorted(
            (Counted(pieces, tokens) for pieces, tokens in self.tokens.items() if tokens != self._same),
            key=lambda counted: _usual(counted.pieces),
        )
        self._fit = fit_tokens(rows[: max(_FEWEST, len(rows) // 2)])
        return self._fit


def _usual(pieces: Pieces) -> float:
    """Return about how many tokens most tokenizers make of a prompt."""
    return EXPECTED[0] * pieces.latin + EXPECTED[1] * pieces.ideographs


def _same(counted: Iterable[tuple[Pieces, int]]) -> int | None:
    """Return the largest number, where prompts of different size say it."""
    found = list(counted)
    top = max((tokens for _, tokens in found), default=0)
    sizes = sorted(_usual(pieces) for pieces, tokens in found if tokens == top)
    if len(sizes) < _SAME or top < _SMALLEST or sizes[-1] < _APART * sizes[0]:
        return None
    # A prompt that has far fewer tokens than the number was not cut to it: the number is made up.
    return top if sizes[0] >= top / 2 else None
