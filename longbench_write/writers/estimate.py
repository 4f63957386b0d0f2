"""About how many requests and tokens a response will take, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Writer

TOKENS_A_WORD = {"en": 1.3, "zh": 0.9}
"""About the tokens of an English word and of an ideograph in prose, punctuation included: between those of
six tokenizers (o200k, cl100k, qwen, deepseek, tekken, an older one of claude)."""


@dataclass(frozen=True, slots=True)
class ExpectedRequest:
    """A request that a writer will make, in about so many tokens.

    Attributes:
        role: Whose model is asked, "writer" or "planner".
    """

    role: str
    prompt_tokens: float
    completion_tokens: float


def tokens_of_words(words: float, language: str) -> float:
    """Return about the tokens of so many words."""
    return words * TOKENS_A_WORD["zh" if language == "zh" else "en"]


def tokens_of_text(text: str, language: str) -> float:
    """Return about the tokens of a text."""
    return tokens_of_words(count_words(text), language)


def expected_requests(writer: Writer, prompt: Prompt) -> Sequence[ExpectedRequest]:
    """Return about the requests of one response; one for a writer that says nothing of itself.

    A writer says it with a method `expected(prompt)`.
    """
    expected: Callable[[Prompt], Iterator[ExpectedRequest]] = getattr(writer, "expected", directly)
    return list(expected(prompt))


def directly(prompt: Prompt) -> Iterator[ExpectedRequest]:
    """Yield the request of a model that is asked once and writes as many words as it is asked for."""
    asked = tokens_of_text(prompt.prompt, prompt.language)
    yield ExpectedRequest("writer", asked, tokens_of_words(prompt.length or 0, prompt.language))
