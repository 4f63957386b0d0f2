"""The effect of order, overlap and concurrency on the time of a run: a simulation over the suite's lengths.

The client of the simulation takes no time, so that nothing but the schedule makes a difference.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.speed.limit import limit
from benchmarks.speed.scenarios import REALISTIC, SUITE
from benchmarks.speed.section import Section, Settings, Target, table
from benchmarks.speed.server import Profile

CONCURRENCIES = (4, 8, 16, 32, 64, 120)
DEFAULT = 32
SHUFFLES = 20
SERVERS = {
    "the realistic scenario's servers": REALISTIC.profile,
    "servers at the pace of one accelerator": Profile(first=0.3, rate=40.0, half=64.0, judge=8.0),
}


@dataclass(frozen=True)
class Policy:
    """In which order responses are asked for, and when they are judged.

    Attributes:
        order: Arranges the lengths; the number tells shuffles apart.
        from_behind: The share of the places that take from the order's end.
        overlapped: Whether a response is judged while others are written, rather than after all are.
        shuffles: How many orders there are to take the mean of.
    """

    name: str
    order: Callable[[Sequence[int], int], Sequence[int]]
    from_behind: float = 0.0
    overlapped: bool = True
    shuffles: int = 1


def _longest_first(lengths: Sequence[int], _: int = 0) -> list[int]:
    return sorted(lengths, reverse=True)


OURS = Policy("longest first", _longest_first)
POLICIES = (
    OURS,
    Policy("longest first, judged at the end", _longest_first, overlapped=False),
    Policy("longest first, a quarter of the places shortest first", _longest_first, from_behind=0.25),
    Policy("the file's order", lambda lengths, _: lengths),
    Policy(
        f"random, mean of {SHUFFLES}",
        lambda lengths, seed: random.Random(seed).sample(lengths, len(lengths)),
        shuffles=SHUFFLES,
    ),
    Policy("shortest first", lambda lengths, _: sorted(lengths)),
)


def span(lengths: Sequence[int], profile: Profile, concurrency: int, policy: Policy) -> float:
    """Seconds until everything is written and judged; the mean over the policy's shuffles."""
    return fmean(
        _span(deque(policy.order(lengths, seed)), profile, concurrency, policy)
        for seed in range(policy.shuffles)
    )


def _span(waiting: deque[int], profile: Profile, concurrency: int, policy: Policy) -> float:
    behind = round(concurrency * policy.from_behind)
    places: list[_Response | None] = [None] * concurrency
    written: list[float] = []
    now = 0.0
    while waiting or any(places):
        for place, response in enumerate(places):
            if response is None and waiting:
                words = waiting.pop() if place < behind else waiting.popleft()
                places[place] = _Response(now + profile.first, words)
        in_flight = [each for each in places if each]
        rate = profile.rate_among(len(in_flight))
        step = min(each.begins - now if each.begins > now else each.words / rate for each in in_flight)
        for each in in_flight:
            if each.begins <= now:
                each.words -= rate * step
        now += step
        for place, response in enumerate(places):
            if response and response.words <= 1e-6:
                places[place] = None
                written.append(now)
    free = [0.0 if policy.overlapped else now] * concurrency
    for arrival in written:
        soonest = min(range(concurrency), key=free.__getitem__)
        free[soonest] = max(free[soonest], arrival) + profile.judge
    return max(free)


@dataclass
class _Response:
    """A response in the making: when its first word is due, and the words that are left."""

    begins: float
    words: float


def read_lengths(suite: Path) -> list[int]:
    """The required lengths, in the file's order."""
    with suite.open(encoding="utf-8") as lines:
        return [json.loads(line)["length"] for line in lines]


def measure(settings: Settings) -> Section:
    """Simulate; nothing is timed."""
    lengths = read_lengths(SUITE)
    parts, targets = [], []
    for servers, profile in SERVERS.items():
        bounds = {each: limit(lengths, profile, each) for each in CONCURRENCIES}
        rows = [["lower bound, seconds", *(f"{bound:.1f}" for bound in bounds.values())]]
        for policy in POLICIES:
            ratios = [span(lengths, profile, each, policy) / bounds[each] for each in CONCURRENCIES]
            rows.append([f"{policy.name}, × bound", *(f"{ratio:.3f}" for ratio in ratios)])
        ratio = span(lengths, profile, DEFAULT, OURS) / bounds[DEFAULT]
        targets.append(
            Target(f"{OURS.name}, {DEFAULT} in flight, {servers}: of the bound", ratio, 1.05, " ×")
        )
        parts.append(
            f"On {servers} ({profile.rate:g} words/s alone, half of that among {profile.half:g}; a judgement "
            f"takes {profile.judge:g} s):\n\n{table(['in flight to each', *map(str, CONCURRENCIES)], rows)}"
        )
    return Section("Scheduling", "\n\n".join([_ABOUT, *parts, _CHOICE]), targets)


_ABOUT = """What order, overlap and concurrency do to the time of a run over the lengths of lbw-open, by a
simulation whose client takes no time. Responses are judged as soon as they are written where nothing else is
said."""
_CHOICE = """The default is longest first, judged at once, 32 in flight: from there on another order gains
nothing, and the longest response alone decides. With fewer in flight and a judge that takes as long as the
writing does, giving a quarter of the places to the shortest keeps the judge busy from the beginning; where
writing decides, as with one accelerator, that loses some percent. It is not worth a second way through the
scheduler."""
