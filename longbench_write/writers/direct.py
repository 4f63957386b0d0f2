"""The plain writer: one chat message in, one response out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from longbench_write.backends.base import Backend, Completion, Message, Sampling, derived_seed
from longbench_write.backends.reasoning import split_reasoning
from longbench_write.errors import BackendError, Verdict
from longbench_write.metrics.length import count_words, count_words_unicode
from longbench_write.records import Failure, Prediction
from longbench_write.suites.suite import Prompt


@dataclass(frozen=True)
class DirectWriter:
    """Asks the model once, with the prompt alone, as the paper does.

    Attributes:
        backend: The model under test.
        temperature: None leaves it to the model's own configuration.
        max_tokens: New tokens at most.
        seed: The run's seed; each request derives its own.
    """

    backend: Backend
    temperature: float | None
    max_tokens: int
    seed: int

    name = "direct"

    async def write(self, prompt: Prompt, sample: int) -> Completion:
        """Have one response written; `written_prediction` makes its record.

        Raises:
            BackendError: The model gave none.
        """
        sampling = Sampling(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=derived_seed(self.seed, prompt.id, sample),
        )
        return await self.backend.complete([Message(role="user", content=prompt.prompt)], sampling)


def written_prediction(prompt: Prompt, sample: int, completion: Completion) -> Prediction:
    """The record of what a model has written."""
    response, block = split_reasoning(completion.text, truncated=completion.finish_reason == "length")
    return replace(
        answered_prediction(
            prompt, sample, response, "\n\n".join(part for part in (completion.reasoning, block) if part)
        ),
        finish_reason=completion.finish_reason,
        max_tokens_effective=completion.max_tokens,
        usage=asdict(completion.usage),
        seconds=completion.seconds,
        attempts=completion.attempts,
    )


def answered_prediction(prompt: Prompt, sample: int, response: str, reasoning: str) -> Prediction:
    """The record of a response of which nothing but its text is known."""
    return Prediction(
        prompt=prompt.prompt,
        type=prompt.type,
        length=prompt.length,
        response_length=count_words(response),
        response=response,
        id=prompt.id,
        language=prompt.language,
        sample=sample,
        response_length_unicode=count_words_unicode(response),
        reasoning=reasoning,
        reasoning_words=count_words(reasoning),
        finish_reason=None,
        max_tokens_effective=None,
        usage=None,
        seconds=None,
        error=None,
        attempts=1,
        length_rule=prompt.length_rule,
        length_bounds=list(prompt.length_bounds) if prompt.length_bounds else None,
    )


def failed_prediction(prompt: Prompt, sample: int, error: BackendError) -> Prediction:
    """The record of a prompt that got no response."""
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
        error=Failure(error.kind, str(error), final=error.verdict is not Verdict.RETRY),
        attempts=error.attempts,
        length_rule=prompt.length_rule,
        length_bounds=list(prompt.length_bounds) if prompt.length_bounds else None,
    )
