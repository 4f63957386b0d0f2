"""What a run is about to take, in requests, tokens and money, without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass

from longbench_write.backends.prices import Prices, prices_of
from longbench_write.config import RunConfig
from longbench_write.runs.observer import Observer
from longbench_write.runs.plan import (
    JudgeRole,
    Roles,
    check_options,
    judge_role,
    judge_seed,
    read_variables,
    writer_role,
)
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
    """What a run from its beginning is about to take, without retries.

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
    read_variables(config, observer.note)
    writer = writer_role(config, observer.note)
    seed = judge_seed(config.seed)
    judge = judge_role(config, seed=seed, max_tokens=config.max_tokens, note=observer.note)
    check_options(config, Roles(writer=writer, judges=(judge,) if judge else ()))
    suite = load_suite(config.suite)
    prompts = select(suite, limit=config.limit, ids=config.ids, length_range=config.length_range)
    chains = [expected_requests(writer.writer, prompt) for prompt in prompts]
    requests = [request for chain in chains for request in chain] * config.samples
    model = prices_of(config.price)
    roles = {
        role: _sum([request for request in requests if request.role == role], model)
        for role in dict.fromkeys(request.role for request in requests)
    }
    if judge:
        judgements = [_judgement(judge, prompt) for prompt in prompts]
        asked = judgements * config.samples * judge.judge.card.repeats
        roles["judge"] = _sum(asked, prices_of(config.price, "judge_"))
    responses = len(prompts) * config.samples
    return RunEstimate(len(prompts), responses, max(map(len, chains), default=0), roles)


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
