"""Runs of words or characters that two texts share, and how much of a text another one has."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from longbench_write.suites.suite import Prompt

WORD_RUN = 8
"""Words in a row that no two texts share by chance."""
CHARACTER_RUN = 12
"""Ideographs in a row that no two texts share by chance."""
NEAR = 0.3
"""Share of the shorter text's short runs from which on two prompts are one template with words exchanged."""

_SHORT_WORD_RUN = 3
_SHORT_CHARACTER_RUN = 5
TokenRun = tuple[str, ...]


def _tokens(text: str) -> tuple[list[str], list[str]]:
    """Return the words in lower case and the ideographs, each in order; all else is ignored."""
    return re.findall(r"[a-z]+(?:['’][a-z]+)?", text.lower()), re.findall(r"[\u4e00-\u9fff]", text)


def _grams(items: Sequence[str], size: int) -> Iterable[TokenRun]:
    return (tuple(items[start : start + size]) for start in range(len(items) - size + 1))


def long_runs(text: str) -> dict[TokenRun, str]:
    """Return every run of `WORD_RUN` words and `CHARACTER_RUN` ideographs of a text, with its wording."""
    words, characters = _tokens(text)
    runs = {run: " ".join(run) for run in _grams(words, WORD_RUN)}
    return runs | {run: "".join(run) for run in _grams(characters, CHARACTER_RUN)}


def shared_runs(prompts: Iterable[Prompt], others: Iterable[Prompt]) -> list[tuple[Prompt, Prompt, str]]:
    """Return each pair of a prompt and another one that share a long run, with the first such run."""
    holders: dict[TokenRun, list[Prompt]] = defaultdict(list)
    for other in others:
        for run in long_runs(other.prompt):
            holders[run].append(other)
    found: dict[tuple[str, str], tuple[Prompt, Prompt, str]] = {}
    for prompt in prompts:
        for run, text in long_runs(prompt.prompt).items():
            for other in holders.get(run, ()):
                found.setdefault((prompt.id, other.id), (prompt, other, text))
    return list(found.values())


def shared_share(one: str, other: str) -> float:
    """Return the share, 0 to 1, of the shorter text's runs of 3 words or 5 ideographs that the other has."""
    runs = _short_runs(one), _short_runs(other)
    least = min(map(len, runs))
    return len(runs[0] & runs[1]) / least if least else 0.0


@dataclass(frozen=True, slots=True)
class Alike:
    """Prompts that are the same, or nearly.

    Attributes:
        prompts: Two or more, in the suite's order.
        shared: The smallest share of a prompt's short runs that another of them has, of those looked at.
    """

    prompts: tuple[Prompt, ...]
    shared: float


def near_duplicates(prompts: Sequence[Prompt]) -> list[Alike]:
    """Group the prompts that share `NEAR` or more of the shorter one's runs of 3 words or 5 ideographs.

    Prompts that differ in numbers, case or punctuation alone share all of them: 1.0. A prompt that is near
    several groups stands in one of them, so that the time grows with the prompts and not with the pairs: of
    ten thousand that are alike, each is held against one other.
    """
    groups = _Groups(len(prompts))
    first: dict[str, int] = {}
    for place, prompt in enumerate(prompts):
        groups.join(first.setdefault(_letters(prompt.prompt), place), place, 1.0)
    runs = [_short_runs(prompt.prompt) for prompt in prompts]
    for one, other, shared in _near(runs, [groups.first(place) for place in range(len(prompts))]):
        groups.join(one, other, shared)
    return [
        Alike(tuple(prompts[place] for place in places), shared)
        for places, shared in groups.larger_than_one()
    ]


def _letters(text: str) -> str:
    """Return what is left of a text without numbers, case, blanks and punctuation."""
    return "".join(filter(str.isalpha, text.casefold())) or text


def _short_runs(text: str) -> frozenset[int]:
    """Return a text's short runs as hashes of 64 bits, which need a tenth of the runs' memory."""
    words, characters = _tokens(text)
    runs = itertools.chain(_grams(words, _SHORT_WORD_RUN), _grams(characters, _SHORT_CHARACTER_RUN))
    return frozenset(map(_hash, runs))


def _hash(run: TokenRun) -> int:
    return int.from_bytes(hashlib.blake2b(" ".join(run).encode(), digest_size=8).digest())


def _near(runs: Sequence[frozenset[int]], same: Sequence[int]) -> Iterator[tuple[int, int, float]]:
    """Yield a near one for each text that has one among those of more runs, and the share of its runs.

    A text that shares n of its N runs has one of them among its N - n + 1 rarest, whichever those are: only
    texts that hold one of these are looked at (the prefix filter of set similarity joins: Chaudhuri, Ganti,
    Kaushik 2006).

    Args:
        runs: Of each text.
        same: The first text that each one equals, itself where there is none before it; only firsts count.
    """
    frequency = Counter(itertools.chain.from_iterable(runs))
    holders: dict[int, list[int]] = defaultdict(list)
    for place in sorted(range(len(runs)), key=lambda place: -len(runs[place])):
        own = runs[place]
        if same[place] != place or not own:
            continue
        needed = max(1, math.ceil(NEAR * len(own) - 1e-9))
        rarest = sorted(own, key=lambda run: (frequency[run], run))[: len(own) - needed + 1]
        candidates = itertools.chain.from_iterable(holders.get(run, ()) for run in rarest)
        for other in _once(candidates):
            shared = len(own & runs[other])
            if shared >= needed:
                yield other, place, shared / len(own)
                break
        for run in own:
            if frequency[run] > 1:
                holders[run].append(place)


def _once(items: Iterable[int]) -> Iterator[int]:
    """Yield each item the first time."""
    seen: set[int] = set()
    for item in items:
        if item not in seen:
            seen.add(item)
            yield item


class _Groups:
    """Numbers from 0 in groups that grow together (union-find)."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))
        self._shared = [1.0] * count

    def first(self, place: int) -> int:
        """Return the smallest number of a number's group."""
        while (parent := self._parents[place]) != place:
            self._parents[place] = self._parents[parent]
            place = parent
        return place

    def join(self, one: int, other: int, shared: float) -> None:
        """Make one group of two numbers' groups, of which two prompts share this much."""
        low, high = sorted((self.first(one), self.first(other)))
        self._parents[high] = low
        self._shared[low] = min(self._shared[low], self._shared[high], shared)

    def larger_than_one(self) -> list[tuple[list[int], float]]:
        """Return each group of several numbers in order, and the smallest share; the first group first."""
        members: dict[int, list[int]] = defaultdict(list)
        for place in range(len(self._parents)):
            members[self.first(place)].append(place)
        return [(places, self._shared[first]) for first, places in members.items() if len(places) > 1]
