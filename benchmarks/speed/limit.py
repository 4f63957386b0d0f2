"""The least time that a run can take: what the servers need, given how much may be in flight to each.

It is a bound, not a plan: no client can be faster, and the best may be somewhat slower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.speed.server import Profile


def limit(lengths: Sequence[int], profile: Profile, concurrency: int) -> float:
    """Seconds from the first request to the last answer.

    The largest of: the longest chain (writing the longest response, then judging it); all writing over the
    concurrency, then one judgement; one response, then all judging over the concurrency.

    Args:
        lengths: Required words, one a prompt.
        profile: How fast the servers are.
        concurrency: Requests in flight to the model, and as many to the judge.
    """
    words = [profile.words or length for length in lengths]
    rounds = math.ceil(len(words) / concurrency)
    writing = (
        _equal(words[0], profile, rounds) if len(set(words)) == 1 else _mixed(words, profile, concurrency)
    )
    shortest = profile.first + (min(words) / profile.rate_among(1) if profile.rate else 0.0)
    return max(writing + profile.judge, shortest + rounds * profile.judge)


def _equal(words: int, profile: Profile, rounds: int) -> float:
    """So many rounds, as the responses take the same time; slowing is left out."""
    return rounds * (profile.first + (words / profile.rate_among(1) if profile.rate else 0.0))


def _mixed(words: Sequence[int], profile: Profile, concurrency: int) -> float:
    """Time t(n) with n responses in the making, such that all words and those of the longest get written.

    Minimise the sum of t(n) under sum t(n) n r(n) >= all words and sum t(n) r(n) >= the longest, r(n) the
    rate of each among n. A linear programme of two constraints has an optimum with at most two n.
    """
    total, longest = sum(words), max(words)
    rates = [(n, profile.rate_among(n)) for n in range(1, min(concurrency, len(words)) + 1)]
    best = min(max(total / (n * rate), longest / rate) for n, rate in rates)
    for few, fast in rates:
        for many, slow in rates[few:]:
            determinant = few * fast * slow - many * slow * fast
            with_few = (total * slow - longest * many * slow) / determinant
            with_many = (few * fast * longest - fast * total) / determinant
            if with_few >= 0 and with_many >= 0:
                best = min(best, with_few + with_many)
    return profile.first + best
