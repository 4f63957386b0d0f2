"""What a run is about to take, in requests, tokens and money, without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass

from longbench_write.backends.prices import Prices, prices_of
from longbench_write.config import RunConfig
from longbench_write.runs.observer import Observer
from longbench_write.runs.plan import JudgeRole, plan_roles
from longbench_write.suites.suite import Prompt, load_suite, select
from longbench_write.writers.estimate import (
    ExpectedRequest,
    expected_requests,
    tokens_of_text,
    tokens_of_words,
)

_REPLY = 400
"""About the tokens of a judge's reply: some sentences of analysis and six numbers."""


@dataclass(frozen=True, slots=True)
class RoleEstimate:
    """What one role is about to take.

    Attributes:
        requests: About how many.
        prompt_tokens: Of all of them, about.
        completion_tokens: Of all of them, about, without reasoning.
        cost: At the prices that were given; None where there are none.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a run from its beginning is about to take, without retries and reviews of lengths.

    Attributes:
        prompts: How many are selected.
        responses: How many are to be written.
        longest_chain: Requests of the response that takes most of them.
        roles: By name, those that ask: "writer", "planner", "judge".
    """

    prompts: int
    responses: int
    longest_chain: int
    roles: dict[str, RoleEstimate]


def estimate_run(config: RunConfig, observer: Observer) -> RunEstimate:
    """Check a configuration and estimate what its run takes; nothing is asked, loaded or recorded.

    Raises:
        UsageError: The configuration cannot be run.
        AssetError: An official file cannot be had.
    """
    roles = plan_roles(config, observer.note)
    suite = load_suite(config.suite)
    prompts = select(suite, limit=config.limit, ids=config.ids, length_range=config.length_range)
    chains = [expected_requests(roles.under_test.writer, prompt) for prompt in prompts]
    requests = [request for chain in chains for request in chain] * config.samples
    if judge := roles.judge:
        asked = [_judgement(judge, prompt) for prompt in prompts]
        requests += asked * config.samples * judge.judge.card.repeats
    prefixes = {"writer": "", "planner": "planner_" if roles.planner else "", "judge": "judge_"}
    estimates = {
        role: _sum(
            [request for request in requests if request.role == role], prices_of(config.price, prefixes[role])
        )
        for role in dict.fromkeys(request.role for request in requests)
    }
    responses = len(prompts) * config.samples
    return RunEstimate(len(prompts), responses, max(map(len, chains), default=0), estimates)


def _judgement(judge: JudgeRole, prompt: Prompt) -> ExpectedRequest:
    """Return about one request to a judge, of a response as long as was asked for."""
    shown = tokens_of_text(judge.judge.template, "en") + tokens_of_text(prompt.prompt, prompt.language)
    written = tokens_of_words(prompt.length or 0, prompt.language)
    return ExpectedRequest("judge", shown + written, _REPLY)


def _sum(requests: list[ExpectedRequest], prices: Prices | None) -> RoleEstimate:
    prompt = round(sum(request.prompt_tokens for request in requests))
    completion = round(sum(request.completion_tokens for request in requests))
    cost = prices.of(prompt, completion) if prices else None
    return RoleEstimate(len(requests), prompt, completion, cost)
