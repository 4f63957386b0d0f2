"""The scenarios: servers that behave in some way, and how much may be in flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.server import Profile

SUITE = Path(__file__).parents[2] / "benchmark_data/lbw-open@1.0.jsonl"
"""120 prompts with the types, languages and required lengths of LongBench-Write."""


@dataclass(frozen=True)
class Scenario:
    """Servers, a load, and what lbw-eval is to reach.

    Attributes:
        name: What RESULTS.md calls it.
        about: How the servers behave, in a sentence.
        profile: How fast they are.
        concurrency: Requests in flight to the model, and as many to the judge.
        rounds: How often it is run, at most.
        ratio: First to last request, at most so many times the limit; None where that is no target.
        megabytes: Peak memory, at most.
    """

    name: str
    about: str
    profile: Profile
    concurrency: int
    rounds: int
    ratio: float | None
    megabytes: float


_CONSTANT = (
    "Each answer comes whole after 0.2 s: a response of 100 words (where it is streamed, as 100 events at "
    "once), or a judgement."
)

REALISTIC = Scenario(
    "realistic",
    "Responses have the required length (100 to 20,000 words). The first word comes after 0.3 s; a request "
    "alone gets 1,500 words a second, one among 32 half of that; streamed, each word is an event. A "
    "judgement takes 1 s.",
    Profile(first=0.3, rate=1500.0, half=32.0, judge=1.0),
    32,
    3,
    1.05,
    120.0,
)
SCENARIOS: Sequence[Scenario] = (
    *(
        Scenario(f"constant, {each} in flight", _CONSTANT, Profile(words=100), each, 7, ratio, 120.0)
        for each, ratio in ((10, 1.10), (32, 1.2), (120, 2.0))
    ),
    REALISTIC,
    Scenario(
        "long texts",
        "Each response has 30,000 words, 2,000 a second, and each word is an event where it is streamed. A "
        "judgement takes 0.2 s.",
        Profile(rate=2000.0, words=30_000),
        32,
        1,
        None,
        250.0,
    ),
)
