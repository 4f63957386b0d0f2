"""What a run costs: the prices that the user gives, and the limits that are kept before they are passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from longbench_write.backends.base import Backend, Message
from longbench_write.backends.budget import BudgetedBackend, Limit, most_tokens, text_tokens
from longbench_write.backends.prices import FREE, TOKENS, Prices, prices_of
from longbench_write.errors import UsageError
from longbench_write.records import Judgement, Key, Prediction, Step
from longbench_write.runs.plan import Roles


class Spending:
    """Puts limits around the backends of a run.

    Args:
        roles: Who writes, plans and judges.
        price: Of tokens, as the user gave it.
        max_cost: What the run may cost, over all its sessions; None for no limit.
        max_judge_tokens: What its judgements may take, prompts included; None for no limit.

    Attributes:
        price: The same.

    Raises:
        UsageError: A price is none, or a limit on cost cannot be kept for want of prices.
    """

    def __init__(
        self,
        roles: Roles,
        price: Mapping[str, Any],
        *,
        max_cost: float | None = None,
        max_judge_tokens: int | None = None,
    ) -> None:
        self.price = dict(price)
        self._template = text_tokens(roles.judge.judge.template) if roles.judge else 0
        self._cost = Limit("--max-cost", max_cost) if max_cost else None
        self._tokens = Limit("--max-judge-tokens", max_judge_tokens) if max_judge_tokens else None
        self._prices = {prefix: prices_of(price, prefix) for prefix in ("", "planner_", "judge_")}
        self._own_planner = roles.planner is not None or self._prices["planner_"] is not None
        asked = {"": roles.writer, "planner_": roles.planner, "judge_": roles.judge}
        for prefix, role in asked.items():
            if self._cost and role and role.backend.metered and self._prices[prefix] is None:
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
        planner = _Tokens() if self._own_planner else model
        judged: dict[Key, int] = {}
        for record in predictions:
            asked, answer = text_tokens(record.prompt), text_tokens(record.response or "")
            judged[record.key] = asked + answer
            if record.requests is None and record.usage is not None:
                frame = most_tokens([Message(role="user", content="")])
                plans = record.unread is not None and record.unread["role"] == "planner"
                (planner if plans else model).add(
                    record.usage, asked + frame, answer + text_tokens(record.reasoning)
                )
        for step in steps:
            tokens = planner if step.role == "planner" else model
            tokens.add(
                step.usage, step.prompt_bytes or 0, text_tokens((step.raw or step.text) + step.reasoning)
            )
        for judgement in judgements:
            if judgement.usage is not None:
                most = (judged.get(judgement.key, 0) + self._template) * judgement.tries
                judge.add(judgement.usage, most, text_tokens(judgement.raw) * judgement.tries)
        if self._cost:
            spent = {"": model, "judge_": judge} | ({"planner_": planner} if self._own_planner else {})
            self._cost.spent = sum(
                self._of(prefix).of(tokens.prompt, tokens.completion) for prefix, tokens in spent.items()
            )
        if self._tokens:
            self._tokens.spent = judge.prompt + judge.completion

    def of_writer(self, backend: Backend) -> Backend:
        """Return the model under test, within its limits."""
        return self._limited(backend, "")

    def of_planner(self, backend: Backend) -> Backend:
        """Return the model that plans, where it is not the model under test, within its limits."""
        return self._limited(backend, "planner_")

    def of_judge(self, backend: Backend) -> Backend:
        """Return the judge's model, within its limits."""
        return self._limited(backend, "judge_", *([(self._tokens, TOKENS)] if self._tokens else []))

    def _of(self, prefix: str) -> Prices:
        return self._prices[prefix] or FREE

    def _limited(self, backend: Backend, prefix: str, *more: tuple[Limit, Prices]) -> Backend:
        limits = [*([(self._cost, self._of(prefix))] if self._cost else []), *more]
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
