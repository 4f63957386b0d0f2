"""Records that counted until later answers showed that a server had not read their prompts whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from longbench_write.errors import CONTEXT_LENGTH
from longbench_write.records import Failure, Judgement, Key, Prediction, Step
from longbench_write.runs.steps import StepFile
from longbench_write.serving.prompts_read import PromptsRead, Unread


@dataclass
class Disproved:
    """What had counted until now.

    Attributes:
        responses: How many.
        judgements: Which, by their response and the number of the repeat.
    """

    responses: int = 0
    judgements: list[tuple[Key, int]] = field(default_factory=list)


def is_for_parts(record: Judgement) -> bool:
    """Return whether a response did not fit the judge's context, and was not judged in parts either."""
    return record.error is not None and record.error.type == CONTEXT_LENGTH and record.chapters is None


def unread_judgements(judgements: Iterable[Judgement], prompts: PromptsRead) -> Iterator[Judgement]:
    """Yield the failures in the place of those judgements that were made without reading all of the prompt.

    Args:
        judgements: Of one judge. Those of parts stand: each part was looked at when it was judged.
        prompts: That judge's.
    """
    for record in judgements:
        if record.scores is None or record.chapters is not None:
            continue
        if unread := prompts.unread(record.prompt_size):
            yield replace(record, scores=None, analysis="", error=_failure(str(unread)))


def unread_responses(predictions: Iterable[Prediction], steps: StepFile) -> Iterator[Prediction]:
    """Yield the failures in the place of responses of which a step was answered without reading all of it."""
    cut = [prompts.settle() for prompts in steps.prompts.values()]
    if not any(cut):
        return
    found: dict[tuple[Key, str], tuple[Step, Unread]] = {}
    for step in steps:
        if unread := steps.unread(step):
            found.setdefault((step.key[:2], step.request_sha256), (step, unread))
    for record in predictions if found else ():
        if record.response is None:
            continue
        for request in record.requests or ():
            if known := found.get((record.key, request)):
                step, unread = known
                yield _without_response(record, f"{step.step}: {unread}")
                break


def _without_response(record: Prediction, told: str) -> Prediction:
    """Return the failure in the place of a response, with what it cost."""
    return replace(
        record,
        response=None,
        response_length=None,
        response_length_unicode=None,
        finish_reason=None,
        error=_failure(told),
    )


def _failure(told: str) -> Failure:
    return Failure(CONTEXT_LENGTH, told, final=True)
