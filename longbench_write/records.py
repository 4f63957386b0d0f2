"""The kinds of record that a run keeps, as dataclasses and as the JSON lines of the run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, TypedDict

from longbench_write.errors import ERROR_ACTIONS
from longbench_write.kinds import check_kinds
from longbench_write.metrics.quality import DIMENSIONS, SIX

Key = tuple[str, int]
"""A response's identity within a run: prompt id and sample number (from 0)."""

StepKey = tuple[str, int, str, int, str]
"""A step's identity within a run: prompt id, sample, step, attempt, the request's hash."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result.

    Attributes:
        type: A kind of `errors.ERROR_ACTIONS`, or for judgements also one of `judging.reply`.
        message: What happened, for people.
        final: False where the same command should ask again (the tries were used up on passing faults).
    """

    type: str
    message: str
    final: bool


class _Record:
    """What both kinds of record share: whose response it is about, and its line."""

    __slots__: tuple[str, ...] = ()
    id: str
    sample: int
    error: Failure | None

    @property
    def key(self) -> Key:
        """Prompt id and sample."""
        return self.id, self.sample

    def to_json(self) -> dict[str, Any]:
        """The JSON object of its line; what it holds is shared with the record."""
        line = {name: getattr(self, name) for name in self.__slots__}
        return line | {"error": asdict(self.error) if self.error else None}

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Self:
        """Read a line's JSON object.

        Raises:
            KeyError, TypeError, ValueError: It is no such record.
        """
        record = cls(**line | {"error": Failure(**line["error"]) if line["error"] else None})
        check_kinds(record)
        record._check()
        return record

    def _check(self) -> None:
        """Refuse values of the right type that cannot be."""


@dataclass(frozen=True, slots=True)
class Prediction(_Record):
    """A response to one prompt, or the reason that there is none; a line of predictions.jsonl.

    The first five fields are the reference scripts' own. Without a response, `response` and both lengths
    are None and `error` says why.

    Attributes:
        max_tokens_effective: New tokens that the context left room for, where that is known.
        length_rule: How the prompt words its required length (see `length.LENGTH_RULES`), where the suite
            says.
        length_bounds: Both ends of a "range".
        calls: Answered requests that the response was made of; None where that is not known.
        steps: Sections that a writer of many requests planned.
        planned_words: Their words.
        requests: The hashes of those requests, as `Step.request_sha256` has them; None where no step of the
            response is recorded.
        model_served: Who answered, as the server names it; None where that is not known or not one.
        provider: Who ran it, where a router says.
        system_fingerprint: The server's own mark of its configuration.
        prompt_sha256: Of the prompt as the model got it, where that is known.
    """

    prompt: str
    type: str
    length: int
    response_length: int | None
    response: str | None
    id: str
    language: str
    sample: int
    response_length_unicode: int | None
    reasoning: str
    finish_reason: str | None
    max_tokens_effective: int | None
    usage: dict[str, int | None] | None
    seconds: float | None
    error: Failure | None
    attempts: int
    reasoning_words: int
    length_rule: str | None = None
    length_bounds: list[int] | None = None
    calls: int | None = None
    steps: int | None = None
    planned_words: int | None = None
    requests: list[str] | None = None
    model_served: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    prompt_sha256: str | None = None

    @property
    def retries(self) -> int:
        """Requests that were made again: all of them less those that were answered or given up."""
        if self.calls is None:
            return self.attempts - 1
        return max(
            0, self.attempts - self.calls - (self.error is not None and self.error.type in ERROR_ACTIONS)
        )

    def _check(self) -> None:
        if self.length < 1 or (self.response_length or 0) < 0 or self.attempts < (self.calls != 0):
            raise ValueError("a number is too small")
        if (self.response is None) != (self.response_length is None):
            raise ValueError("response and response_length do not go together")
        _check_usage(self.usage)


@dataclass(frozen=True, slots=True)
class Step:
    """One answered request of a writer that makes many; a line of steps.jsonl.

    Attributes:
        id: The prompt's.
        sample: Of the response, from 0.
        step: What was asked for, such as "plan" or "write-3".
        attempt: At this step, from 0.
        request_sha256: Of messages and sampling as the writer gave them.
        role: Whose model was asked.
        text: What goes into the response, without reasoning and label.
        reasoning: What the model thought before it.
        finish_reason: "stop", "length", or what else the server said.
        usage: Tokens as the server counted them.
        seconds: From sending the request that was answered to its last byte.
        attempts: Requests that were needed, 1 without a retry.
        planned_words: Words that a writing step was to have.
        raw: The text before its label was taken off, where that changed it.
        prompt_bytes: A bound on the prompt's tokens, kept where the server does not count them.
    """

    id: str
    sample: int
    step: str
    attempt: int
    request_sha256: str
    role: str
    text: str
    reasoning: str
    finish_reason: str
    usage: dict[str, int | None]
    seconds: float
    attempts: int
    max_tokens_effective: int | None = None
    planned_words: int | None = None
    model_served: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    raw: str | None = None
    prompt_bytes: int | None = None
    schema: int = 1

    @property
    def key(self) -> StepKey:
        """What sets the request apart from all others of the run."""
        return self.id, self.sample, self.step, self.attempt, self.request_sha256

    def to_json(self) -> dict[str, Any]:
        """The JSON object of its line."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Self:
        """Read a line's JSON object.

        Raises:
            TypeError, ValueError: It is no such record.
        """
        record = cls(**line)
        check_kinds(record)
        _check_usage(record.usage)
        return record


class Chapter(TypedDict):
    """A part of a response that was judged by itself, since the whole did not fit the judge's context."""

    words: int
    scores: dict[str, int]
    analysis: str


def over_chapters(chapters: Sequence[Chapter]) -> dict[str, float]:
    """The mean per dimension over chapters, weighted by their words (official count)."""
    words = [max(1, chapter["words"]) for chapter in chapters]
    return {
        name: sum(weight * chapter["scores"][name] for weight, chapter in zip(words, chapters, strict=True))
        / sum(words)
        for name in DIMENSIONS
    }


@dataclass(frozen=True, slots=True)
class Judgement(_Record):
    """One judge's opinion of one response, or the reason that there is none; a line of judgements.jsonl.

    Attributes:
        judge: The judge's label: its folder's name, with what was overridden.
        repeat: From 0.
        scores: The six dimensions, each an integer from 1 to 5; None where no valid reply came.
        raw: The judge's last reply as it came.
        tries: Replies that were asked for.
        chapters: The parts that were judged by themselves; None for a response that was judged as a whole.
            `scores` is then their mean, weighted by words and rounded.
        retries: Requests that failed in passing and were made again.
    """

    id: str
    sample: int
    judge: str
    repeat: int
    scores: dict[str, int] | None
    analysis: str
    raw: str
    error: Failure | None
    usage: dict[str, int | None] | None
    seconds: float | None
    tries: int
    chapters: list[Chapter] | None = None
    retries: int = 0

    def _check(self) -> None:
        for scores in (self.scores, *(part["scores"] for part in self.chapters or ())):
            if scores is not None and not SIX.accepts(scores):
                raise ValueError("scores are not the six dimensions, each an integer from 1 to 5")
        _check_usage(self.usage)

    @property
    def values(self) -> dict[str, float] | None:
        """The scores as they count: those of chapters unrounded."""
        if self.scores is None:
            return None
        if self.chapters:
            return over_chapters(self.chapters)
        return {name: self.scores[name] for name in DIMENSIONS}


def _check_usage(usage: dict[str, Any] | None) -> None:
    for name, count in (usage or {}).items():
        if count is not None and type(count) is not int:
            raise ValueError(f"usage: {name} is no whole number")
