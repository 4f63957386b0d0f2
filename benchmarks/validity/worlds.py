"""Worlds: how models write and judges see it, with what a metric truly is in each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from longbench_write.metrics.base import complete, measure
from longbench_write.metrics.catalogue import BESIDE, BUILT_IN
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import DIMENSIONS, S_Q, SIX
from longbench_write.scoring.rows import Measured
from longbench_write.suites.suite import LENGTH_RANGES, Prompt, length_range

UNICODE = 1.03
"""Words that the Unicode-aware count sees for each of the official one."""

_COMMON, _OWN, _SAMPLE = 0.5, 0.25, 0.25
"""The shares of a response's variance that lie in its prompt, in the model at that prompt, in the sample."""
_SAME_STATE = 0.7
"""How often a model is at a prompt in the state in which the other models of its world are."""
_SEEN = 0.5
"""The standard deviation of a single score of a dimension, on the judge's scale."""
_TOPIC = (0.15, 0.2)
"""That of topics, where prompts share them: of the log ratio, and of quality."""
_POINTS = 200
"""Midpoints at which a state's scores are averaged: the error lies far below a tenth of a point."""


@dataclass(frozen=True)
class State:
    """A way in which responses turn out.

    Attributes:
        share: Of the prompts.
        ratio: The mean log ratio of written to required words.
        spread: Its standard deviation.
        quality: The mean of a dimension, on the judge's scale, before it is rounded and cut off at its ends.
        unevenness: The standard deviation of that, dimensions aside.
    """

    share: float
    ratio: float
    spread: float
    quality: float
    unevenness: float = 0.5


@dataclass(frozen=True)
class World:
    """How a model writes.

    Attributes:
        ranges: The states of a prompt in each of `LENGTH_RANGES`; the last that is given serves the others.
        clustered: Whether prompts of one type share a topic, which has an effect of its own.
    """

    name: str
    ranges: tuple[tuple[State, ...], ...]
    clustered: bool = False

    def states(self, length: int) -> tuple[State, ...]:
        """Return the states of a prompt that requires so many words."""
        return self.ranges[min(LENGTH_RANGES.index(length_range(length)), len(self.ranges) - 1)]

    def moved(self, *, ratio: float = 0.0, quality: float = 0.0) -> World:
        """Return the world of a model whose log ratios and qualities differ by so much."""
        return replace(
            self,
            ranges=tuple(
                tuple(replace(s, ratio=s.ratio + ratio, quality=s.quality + quality) for s in states)
                for states in self.ranges
            ),
        )


def _world(name: str, *ranges: tuple[State, ...]) -> World:
    return World(name, ranges)


WORLDS = (
    _world("good", (State(0.93, 0.0, 0.08, 4.7, 0.3), State(0.07, -0.8, 0.4, 3.5))),
    _world(
        "weak",
        (State(1, -0.4, 0.35, 3.2),),
        (State(1, -0.8, 0.35, 3.0),),
        (State(1, -1.2, 0.35, 2.6),),
        (State(1, -2.0, 0.35, 2.2),),
    ),
    _world(
        "mixed",
        (State(1, 0.0, 0.09, 4.5),),
        (State(1, -0.06, 0.14, 4.3),),
        (State(1, -0.48, 0.2, 4.0),),
        (State(1, -1.08, 0.25, 3.0),),
    ),
    _world("bimodal", (State(0.65, 0.0, 0.08, 4.6, 0.3), State(0.35, -1.6, 0.3, 2.2))),
)


@dataclass(frozen=True)
class Written:
    """What models wrote, and how it was judged.

    Attributes:
        words: Shape (models, prompts, samples).
        scores: The six dimensions, shape (models, prompts, samples, 6).
    """

    words: NDArray[np.int64]
    scores: NDArray[np.int64]


def draw(
    worlds: Sequence[World], rng: np.random.Generator, prompts: Sequence[Prompt], samples: int
) -> Written:
    """Draw what one model of each of these worlds writes to the same prompts, which they find alike hard."""
    number = len(prompts)
    luck = _shared(rng, len(worlds), number)
    length, quality = (_effects(rng, prompts, (len(worlds), number, samples), worlds[0]) for _ in range(2))
    lengths = [prompt.length or 1 for prompt in prompts]
    values = [
        [_values(world.states(length), lot) for length, lot in zip(lengths, lots, strict=True)]
        for world, lots in zip(worlds, luck.tolist(), strict=True)
    ]
    ratio, spread, level, unevenness = np.array(values).transpose(2, 0, 1)[..., None]
    logs = ratio + spread * length.effect + _TOPIC[0] * length.topic
    words = np.rint(np.array(lengths)[:, None] * np.exp(logs))
    seen = (level + unevenness * quality.effect + _TOPIC[1] * quality.topic)[..., None]
    seen = seen + _SEEN * rng.standard_normal((*words.shape, len(DIMENSIONS)))
    return Written(words.astype(np.int64), np.clip(np.rint(seen), SIX.low, SIX.high).astype(np.int64))


def _shared(rng: np.random.Generator, models: int, prompts: int) -> NDArray[np.float64]:
    """Return uniform draws that decide on states, shape (models, prompts): mostly the same for all models."""
    common, own = rng.random((1, prompts)), rng.random((models, prompts))
    return np.where(rng.random((models, prompts)) < _SAME_STATE, common, own)


def _values(states: Sequence[State], luck: float) -> tuple[float, float, float, float]:
    ends = np.cumsum([state.share for state in states])
    state = states[min(int(np.searchsorted(ends, luck)), len(states) - 1)]
    return state.ratio, state.spread, state.quality, state.unevenness


@dataclass(frozen=True)
class _Effects:
    effect: NDArray[np.float64]
    topic: NDArray[np.float64]


def _effects(
    rng: np.random.Generator, prompts: Sequence[Prompt], shape: tuple[int, int, int], world: World
) -> _Effects:
    """Return normal effects of variance 1, and those of topics, 0 where prompts do not share them."""
    models, number, _ = shape
    effect = (
        math.sqrt(_COMMON) * rng.standard_normal((1, number, 1))
        + math.sqrt(_OWN) * rng.standard_normal((models, number, 1))
        + math.sqrt(_SAMPLE) * rng.standard_normal(shape)
    )
    topic = np.zeros((1, number, 1))
    if world.clustered:
        of_topics = {kind: rng.standard_normal() for kind in sorted({prompt.type for prompt in prompts})}
        topic[0, :, 0] = [of_topics[prompt.type] for prompt in prompts]
    return _Effects(effect, topic)


def expected(world: World, prompt: Prompt) -> Mapping[str, float]:
    """Return what the built-in metrics of a response to a prompt are on average, by name."""
    bounds = tuple(prompt.length_bounds) if prompt.length_bounds else None
    return _expected(world, prompt.length or 1, prompt.length_rule, bounds)


@lru_cache(maxsize=4096)
def _expected(
    world: World, length: int, rule: str | None, bounds: tuple[int, int] | None
) -> Mapping[str, float]:
    total: dict[str, float] = {}
    for state in world.states(length):
        quality = SIX.points(_mean_score(state, clustered=world.clustered))
        spread = NormalDist(state.ratio, math.hypot(state.spread, _TOPIC[0] * world.clustered))
        found = dict.fromkeys((S_Q.name, *DIMENSIONS), quality)
        for place in range(_POINTS):
            words = round(length * math.exp(spread.inv_cdf((place + 0.5) / _POINTS)))
            for name, value in measure(response_of(length, rule, bounds, words), (S_L, *BESIDE)).items():
                found[name] = found.get(name, 0.0) + value / _POINTS
        for name, value in complete(found, BUILT_IN).items():
            total[name] = total.get(name, 0.0) + value * state.share
    return total


def _mean_score(state: State, *, clustered: bool) -> float:
    """Return the mean of one dimension, rounded and cut off as a judge's scores are."""
    seen = NormalDist(state.quality, math.hypot(state.unevenness, _SEEN, _TOPIC[1] * clustered))
    return SIX.low + sum(1 - seen.cdf(score - 0.5) for score in SIX.scale[1:])


def response_of(length: int, rule: str | None, bounds: Sequence[int] | None, words: int) -> Measured:
    """Return a response of so many words, as metrics read it."""
    return Measured(
        id="p",
        response=None,
        language="en",
        length=length,
        length_rule=rule,
        length_bounds=bounds,
        response_length=words,
        response_length_unicode=round(words * UNICODE),
        rubric=SIX,
        scores=None,
    )


class Truth:
    """The true means of a world, over prompts that are drawn anew within the length ranges."""

    def __init__(self, world: World, prompts: Sequence[Prompt]) -> None:
        self._world = world
        self._prompts = prompts
        self._means: dict[tuple[object, ...], dict[str, float]] = {}

    def of(self, prompts: Iterable[Prompt], by: Callable[[Prompt], str] | None = None) -> dict[str, float]:
        """Return the means over some prompts, each of which stands for all of its range (and group).

        Args:
            prompts: A run's, or those of a group.
            by: The name of a prompt's group, where these are of one group.
        """
        chosen = list(prompts)
        label = by(chosen[0]) if by else None
        means = {name: self._mean(name, by, label) for name in {_range(prompt) for prompt in chosen}}
        return _average([means[_range(prompt)] for prompt in chosen])

    def by_shares(self, shares: Mapping[str, float]) -> dict[str, float]:
        """Return the means in which each length range counts a share."""
        found: dict[str, float] = {}
        for name, share in shares.items():
            for metric, value in self._mean(name, None, None).items():
                found[metric] = found.get(metric, 0.0) + share * value
        return found

    def _mean(self, within: str, by: Callable[[Prompt], str] | None, label: str | None) -> dict[str, float]:
        key = within, by, label
        if key not in self._means:
            fitting = [p for p in self._prompts if _range(p) == within and (by is None or by(p) == label)]
            self._means[key] = _average([expected(self._world, prompt) for prompt in fitting])
        return self._means[key]


def _range(prompt: Prompt) -> str:
    return length_range(prompt.length or 1)


def _average(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(each[name] for each in values) / len(values) for name in values[0]}
