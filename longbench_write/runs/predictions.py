"""The record of a response, or of its failure: what was written, and what its requests took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from longbench_write.backends.base import Completion, Usage, only
from longbench_write.backends.finish_reasons import LENGTH, STOP, is_truncated
from longbench_write.errors import BackendError, ErrorAction
from longbench_write.files.times import now, parse_time
from longbench_write.metrics.length import count_words, count_words_unicode
from longbench_write.records import Failure, Prediction, Step
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Draft, WriterError

_SERVED = ("model_served", "provider", "system_fingerprint")
"""What records say of who answered."""


def answered_prediction(prompt: Prompt, sample: int, response: str, reasoning: str) -> Prediction:
    """Make the record of a response of which nothing but its text is known."""
    return replace(
        _empty(prompt, sample),
        response=response,
        response_length=count_words(response),
        response_length_unicode=count_words_unicode(response),
        reasoning=reasoning,
        reasoning_words=count_words(reasoning),
    )


def completed_prediction(prompt: Prompt, sample: int, draft: Draft, completion: Completion) -> Prediction:
    """Make the record of a response that one request, recorded nowhere else, has made."""
    record = answered_prediction(prompt, sample, draft.text, completion.reasoning)
    return replace(record, **_answer(completion))


def chained_prediction(
    prompt: Prompt, sample: int, draft: Draft, used: Sequence[Step], recorded: Sequence[Step]
) -> Prediction:
    """Make the record of a response that was made of steps.

    Args:
        prompt: What it answers.
        sample: Its number.
        draft: What the writer made.
        used: The steps that it was answered with, in the order in which it asked.
        recorded: Those and all others of this response: all of them have been paid for.
    """
    cut = any(is_truncated(step.finish_reason) for step in used if step.role == "writer")
    planned = {step.step: step.planned_words for step in used if step.planned_words is not None}
    steps = len(planned) or None if draft.steps is None else draft.steps
    words = sum(planned.values()) or None if draft.planned_words is None else draft.planned_words
    return replace(
        answered_prediction(prompt, sample, draft.text, ""),
        reasoning_words=sum(count_words(step.reasoning) for step in used),
        finish_reason=LENGTH if cut else STOP,
        steps=steps,
        planned_words=words,
        **_taken(used, recorded),
    )


def failed_prediction(
    prompt: Prompt,
    sample: int,
    error: BackendError | WriterError,
    used: Sequence[Step] = (),
    recorded: Sequence[Step] = (),
    *,
    completion: Completion | None = None,
    attempts: int = 0,
) -> Prediction:
    """Make the record of a prompt that got no response.

    Args:
        prompt: What was asked for.
        sample: The number of the response.
        error: Why there is none.
        used: The steps that were answered before.
        recorded: Those and all others of this response.
        completion: What was answered instead of steps, of which no response could be made.
        attempts: Requests that got no answer.
    """
    final = error.action is not ErrorAction.RETRY if isinstance(error, BackendError) else True
    record = replace(_empty(prompt, sample), error=Failure(error.kind, str(error), final=final))
    if completion:
        return replace(record, **_answer(completion))
    if not recorded:
        return replace(record, attempts=attempts, calls=0)
    taken = _taken(used, recorded)
    return replace(record, **taken | {"attempts": taken["attempts"] + attempts})


def _empty(prompt: Prompt, sample: int) -> Prediction:
    """Make the record of a prompt of whose response nothing is known."""
    return Prediction(
        prompt=prompt.prompt,
        type=prompt.type,
        length=prompt.length,
        response_length=None,
        response=None,
        id=prompt.id,
        language=prompt.language,
        sample=sample,
        response_length_unicode=None,
        reasoning="",
        reasoning_words=0,
        finish_reason=None,
        max_tokens_effective=None,
        usage=None,
        seconds=None,
        error=None,
        attempts=1,
        length_rule=prompt.length_rule,
        length_bounds=list(prompt.length_bounds) if prompt.length_bounds else None,
        answer_language=prompt.answer_language or None,
    )


def _answer(completion: Completion) -> dict[str, Any]:
    """Return what the only request of a response took, and how it ended."""
    return {
        "finish_reason": completion.finish_reason,
        "max_tokens_effective": completion.max_tokens,
        "usage": asdict(completion.usage),
        "seconds": completion.seconds,
        "attempts": completion.attempts,
        "calls": 1,
        "made": now(),
        "prompt_sha256": completion.prompt_sha256,
        "raw": completion.raw,
        "fallback": completion.fallback,
        "cache_hit": completion.cache_hit,
        "past_limit": completion.past_limit,
        "preemptions": completion.preemptions or None,
        **{name: getattr(completion, name) for name in _SERVED},
    }


def _taken(used: Sequence[Step], recorded: Sequence[Step]) -> dict[str, Any]:
    """Return what steps took: requests and seconds of those that were used, tokens of all."""
    counts = {part.name: [step.usage.get(part.name) for step in recorded] for part in fields(Usage)}
    known = {name: [count for count in each if count is not None] for name, each in counts.items()}
    return {
        "usage": {name: sum(each) if each else None for name, each in known.items()} if recorded else None,
        "seconds": sum(step.seconds for step in used),
        "attempts": sum(step.attempts for step in used),
        "calls": len(used),
        "requests": [step.request_sha256 for step in used],
        "made": _first(used),
        **{name: only(getattr(step, name) for step in used) for name in _SERVED},
    }


def _first(used: Sequence[Step]) -> str | None:
    """Return when the first of these steps was answered; None where one does not say."""
    times = [step.made for step in used if step.made is not None]
    return min(times, key=parse_time) if times and len(times) == len(used) else None
