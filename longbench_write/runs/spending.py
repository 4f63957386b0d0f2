"""What a run costs: the prices that the user gives, and the limits that are kept before they are passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from longbench_write.backends.base import Backend, Message
from longbench_write.backends.budget import BudgetedBackend, Limit, most_tokens, text_tokens
from longbench_write.backends.prices import FREE, TOKENS, prices_of
from longbench_write.config import RunConfig
from longbench_write.errors import UsageError
from longbench_write.records import Judgement, Key, Prediction, Step
from longbench_write.runs.plan import Roles


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
        self._template = text_tokens(roles.judge.judge.template) if roles.judge else 0
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

    def count(
        self, predictions: Iterable[Prediction], steps: Iterable[Step], judgements: Iterable[Judgement]
    ) -> None:
        """Count what a run has spent in earlier sessions: each answer, used or not, failures included.

        Tokens that the server did not count are bounded by bytes, as they were when they were spent.

        Args:
            predictions: The run's; of those that were made of steps, the steps count.
            steps: The run's, all of them.
            judgements: The run's.
        """
        if not (self._cost or self._tokens):
            return
        model, judge = _Tokens(), _Tokens()
        judged: dict[Key, int] = {}
        for record in predictions:
            asked, answer = text_tokens(record.prompt), text_tokens(record.response or "")
            judged[record.key] = asked + answer
            if record.requests is None and record.usage is not None:
                frame = most_tokens([Message(role="user", content="")])
                model.add(record.usage, asked + frame, answer + text_tokens(record.reasoning))
        for step in steps:
            model.add(
                step.usage, step.prompt_bytes or 0, text_tokens((step.raw or step.text) + step.reasoning)
            )
        for judgement in judgements:
            if judgement.usage is not None:
                most = (judged.get(judgement.key, 0) + self._template) * judgement.tries
                judge.add(judgement.usage, most, text_tokens(judgement.raw) * judgement.tries)
        if self._cost:
            prices = (self._model_prices or FREE, model), (self._judge_prices or FREE, judge)
            self._cost.spent = sum(price.of(part.prompt, part.completion) for price, part in prices)
        if self._tokens:
            self._tokens.spent = judge.prompt + judge.completion

    def of_writer(self, backend: Backend) -> Backend:
        """Return the model under test, within its limits."""
        limits = [(self._cost, self._model_prices or FREE)] if self._cost else []
        return BudgetedBackend(backend, limits) if limits else backend

    def of_judge(self, backend: Backend) -> Backend:
        """Return the judge's model, within its limits."""
        limits = [(self._cost, self._judge_prices or FREE)] if self._cost else []
        limits += [(self._tokens, TOKENS)] if self._tokens else []
        return BudgetedBackend(backend, limits) if limits else backend


@dataclass
class _Tokens:
    """Tokens of one role."""

    prompt: int = 0
    completion: int = 0

    def add(self, usage: Mapping[str, Any], most_prompt: int, most_completion: int) -> None:
        """Add those of an answer, or what they are at most where they were not counted."""
        counted = usage.get("prompt_tokens"), usage.get("completion_tokens")
        self.prompt += most_prompt if counted[0] is None else counted[0]
        self.completion += most_completion if counted[1] is None else counted[1]
