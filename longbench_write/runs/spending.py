"""What a run costs: the prices that the user gives, and the limits that are kept before they are passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from longbench_write.backends.base import Backend
from longbench_write.backends.budget import BudgetedBackend, Limit
from longbench_write.backends.prices import FREE, TOKENS, prices_of
from longbench_write.config import RunConfig
from longbench_write.errors import UsageError
from longbench_write.runs.folder import MANIFEST
from longbench_write.runs.plan import Roles
from longbench_write.runs.store import load_run


class Spending:
    """Puts limits around the backends of a run.

    Args:
        config: Its prices and limits count.
        roles: Who writes and who judges.

    Attributes:
        price: As the user gave it.

    Raises:
        UsageError: A price is none, or a limit on cost cannot be kept for want of prices.
    """

    def __init__(self, config: RunConfig, roles: Roles) -> None:
        self.price = config.price
        self._cost = Limit("--max-cost", config.max_cost) if config.max_cost else None
        self._tokens = (
            Limit("--max-judge-tokens", config.max_judge_tokens) if config.max_judge_tokens else None
        )
        self._model_prices = prices_of(config.price)
        self._judge_prices = prices_of(config.price, "judge_")
        asked = ((roles.writer, self._model_prices, ""), (roles.judge, self._judge_prices, "judge_"))
        for role, prices, prefix in asked:
            if self._cost and role and role.backend.metered and prices is None:
                raise UsageError(
                    f"--max-cost needs prices: give --price {prefix}input=X and --price {prefix}output=X, "
                    "per million tokens"
                )

    def count(self, path: Path) -> None:
        """Count what a run folder holds already."""
        if not (self._cost or self._tokens) or not (path / MANIFEST).exists():
            return
        run = load_run(path)
        model = _tokens(record.usage for record in run.predictions)
        judge = _tokens(record.usage for record in run.judgements)
        if self._cost:
            self._cost.spent = (self._model_prices or FREE).of(*model) + (self._judge_prices or FREE).of(
                *judge
            )
        if self._tokens:
            self._tokens.spent = sum(judge)

    def of_writer(self, backend: Backend) -> Backend:
        """The model under test, within its limits."""
        limits = [(self._cost, self._model_prices or FREE)] if self._cost else []
        return BudgetedBackend(backend, limits) if limits else backend

    def of_judge(self, backend: Backend) -> Backend:
        """The judge's model, within its limits."""
        limits = [(self._cost, self._judge_prices or FREE)] if self._cost else []
        limits += [(self._tokens, TOKENS)] if self._tokens else []
        return BudgetedBackend(backend, limits) if limits else backend


def _tokens(usages: Iterable[Mapping[str, Any] | None]) -> tuple[int, int]:
    prompt = completion = 0
    for usage in usages:
        prompt += (usage or {}).get("prompt_tokens") or 0
        completion += (usage or {}).get("completion_tokens") or 0
    return prompt, completion
