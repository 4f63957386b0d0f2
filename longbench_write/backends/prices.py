"""What tokens cost, at the prices that the user gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from longbench_write.errors import UsageError, unknown_name

MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """What tokens are worth, in whatever is counted.

    Attributes:
        input: Of a million prompt tokens, cached ones included.
        output: Of a million new tokens, reasoning included.
    """

    input: float
    output: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what so many tokens are worth."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / MILLION


TOKENS = Prices(MILLION, MILLION)
"""Counts tokens themselves."""
FREE = Prices(0, 0)
"""A model on one's own machine."""

_KEYS = tuple(prefix + key for prefix in ("", "planner_", "judge_") for key in ("input", "output"))


def prices_of(price: Mapping[str, float], prefix: str = "") -> Prices | None:
    """Return the model's prices, or with "judge_" or "planner_" theirs; None where none is given.

    Raises:
        UsageError: A key is unknown, a price is no amount, or one of the two is missing.
    """
    for key, amount in price.items():
        if key not in _KEYS:
            raise unknown_name("price", key, _KEYS)
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < float("inf"):
            raise UsageError(f"--price {key}={amount}: an amount per million tokens is needed")
    given = {key: price.get(prefix + key) for key in ("input", "output")}
    if lacking := [prefix + key for key, amount in given.items() if amount is None]:
        if len(lacking) == 2:
            return None
        raise UsageError(f"--price {lacking[0]}=X is missing: both are needed")
    return Prices(**{key: float(amount) for key, amount in given.items() if amount is not None})


def costs(price: Mapping[str, float], usage: Mapping[str, Mapping[str, int]]) -> dict[str, float | None]:
    """Return what the tokens of each role cost; None where no price was given.

    Args:
        price: As --price gives it.
        usage: A summary's.
    """
    found: dict[str, float | None] = {}
    for who, tokens in usage.items():
        prices = prices_of(price, "" if who == "model" else f"{who}_")
        counts = tokens.get("prompt_tokens", 0), tokens.get("completion_tokens", 0)
        found[who] = prices.of(*counts) if prices else None
    return found
