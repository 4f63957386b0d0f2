"""The kinds of record that a run keeps, as dataclasses and as the JSON lines of the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Self

from annotated_types import Ge, Le, Len

from longbench_write.errors import ERROR_ACTIONS
from longbench_write.files.schema import MOST, Amount, Count, Time, check_plain, check_values, known_names
from longbench_write.metrics.base import Rubric
from longbench_write.metrics.chapters import Chapter, over_chapters
from longbench_write.metrics.length import LENGTH_RULES
from longbench_write.metrics.prompt_size import PromptSize, UnreadPrompt
from longbench_write.metrics.quality import RUBRICS, SIX

Key = tuple[str, int]
"""A response's identity within a run: prompt id and sample number (from 0)."""

StepKey = tuple[str, int, str, int, str]
"""A step's identity within a run: prompt id, sample, step, attempt, the request's hash."""

Usage = dict[str, Count | None]
"""Tokens by kind; None where the server did not count them."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result.

    Attributes:
        type: A kind of `errors.ERROR_ACTIONS`, or for judgements also one of `judging.reply`.
        message: What happened, for people.
        final: False where the same command should ask again (the tries were used up on transient errors).
        unknown: What a line says of it under keys that this version does not know; it is written back.
    """

    type: str
    message: str
    final: bool
    unknown: dict[str, Any] = field(default_factory=dict, hash=False)

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the failure in its record's line."""
        return {"type": self.type, "message": self.message, "final": self.final, **self.unknown}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the JSON object of a failure.

        Raises:
            ValueError: It is none.
        """
        check_values(cls, values, "error")
        rest = dict(values)
        known = {name: rest.pop(name) for name in known_names(cls)}
        check_plain(rest, ("error",))
        return cls(**known, unknown=rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What all kinds of record share: a line of JSON, checked when it is read.

    Attributes:
        schema: Of the line; 1 where it says none.
        unknown: What the line says under keys that this version does not know; it is written back.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"schema"})
    """Fields that a line leaves out where they hold their default."""

    schema: int = 1
    unknown: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of its line; what it holds is shared with the record."""
        kind: Any = type(self)
        line = {name: getattr(self, name) for name in _names(kind)}
        for name, default in _left_out(kind).items():
            if line[name] == default:
                del line[name]
        if error := line.get("error"):
            line["error"] = error.to_json()
        return line | self.unknown if self.unknown else line

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Self:
        """Read a line's JSON object.

        Raises:
            ValueError: It is no such record; the field is named.
        """
        values = dict(line)
        if (error := values.get("error")) is not None:
            values["error"] = Failure.from_json(error)
        check_values(cls, values)
        kind: Any = cls
        known = _known(kind)
        unknown = {name: values.pop(name) for name in line if name not in known}
        if unknown:
            check_plain(unknown)
        record = cls(**values, unknown=unknown)
        record.check()
        return record

    def check(self) -> None:
        """Refuse values of the right type that cannot be."""


@cache
def _names(cls: Any) -> tuple[str, ...]:
    """Return the fields of a line in their order, the schema last."""
    return (*(name for name in known_names(cls) if name != "schema"), "schema")


@cache
def _known(cls: Any) -> frozenset[str]:
    """The same as a set."""
    return frozenset(_names(cls))


@cache
def _left_out(cls: Any) -> dict[str, Any]:
    """Return the fields of `Record.LATER` and their defaults."""
    return {each.name: each.default for each in fields(cls) if each.name in cls.LATER}


@dataclass(frozen=True, slots=True)
class Prediction(Record):
    """A response to one prompt, or the reason that there is none; a line of predictions.jsonl.

    The first five fields are the reference scripts' own. Without a response, `response` and both lengths
    are None and `error` says why.

    Attributes:
        length: Required words; None where the prompt asks for no length.
        max_tokens_effective: New tokens that were asked for in the request that was answered; None for a
            response made of steps. Lines of 0.1.0 have a cut answer's own tokens here.
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
        prompt_sha256: Of what the model was asked (see `Completion`); None where that is not known, and for a
            response made of steps, whose prompts contain earlier answers: two runs would always differ.
        raw: The response before it was ended at a control token; None where it was not.
        preemptions: How often the engine put the request off when its memory ran short; None where that is
            not known, and where it did not.
        fallback, cache_hit: Whether a gateway says that another model or provider, or a cache, answered.
        past_limit: Whether the server wrote on past the limit, and was read no further.
        unread: Where this is no response, but what a prompt cost that was not read whole: that prompt.
        answer_language: What the answer is to be in, where the suite says that it is not `language`.
        made: When the answer came, in UTC; of a response made of steps, the first of them. None where that is
            not known.
    """

    LATER: ClassVar[frozenset[str]] = Record.LATER | {
        *("calls", "steps", "planned_words", "requests", "model_served", "provider", "system_fingerprint"),
        *("prompt_sha256", "raw", "preemptions", "fallback", "cache_hit", "past_limit", "unread"),
        *("answer_language", "made"),
    }

    prompt: str
    type: str
    length: Annotated[int, Ge(1), Le(MOST)] | None
    response_length: Count | None
    response: str | None
    id: str
    language: str
    sample: Count
    response_length_unicode: Count | None
    reasoning: str
    finish_reason: str | None
    max_tokens_effective: Count | None
    usage: Usage | None
    seconds: Amount | None
    error: Failure | None
    attempts: Count
    reasoning_words: Count
    length_rule: str | None = None
    length_bounds: Annotated[list[Count], Len(2, 2)] | None = None
    calls: Count | None = None
    steps: Count | None = None
    planned_words: Count | None = None
    requests: list[str] | None = None
    model_served: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    prompt_sha256: str | None = None
    raw: str | None = None
    preemptions: Count | None = None
    fallback: bool = False
    cache_hit: bool = False
    past_limit: bool = False
    unread: UnreadPrompt | None = None
    answer_language: str | None = None
    made: Time | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON object of its line; where calls are counted, it says that there are no steps."""
        line = Record.to_json(self)
        if self.calls is not None:
            line |= {"steps": self.steps, "planned_words": self.planned_words}
        return line

    @property
    def key(self) -> Key:
        """Prompt id and sample."""
        return self.id, self.sample

    @property
    def retries(self) -> int:
        """Requests that were made again: all of them less those that were answered or given up."""
        if self.calls is None:
            return self.attempts - 1
        return max(
            0, self.attempts - self.calls - (self.error is not None and self.error.type in ERROR_ACTIONS)
        )

    def check(self) -> None:
        """Refuse counts, words and lengths that do not go together."""
        if self.attempts < (self.calls != 0):
            raise ValueError("attempts: there was a request at least")
        if (self.response is None) != (self.response_length is None):
            raise ValueError("response and response_length do not go together")
        if self.length_rule is not None and self.length_rule not in LENGTH_RULES:
            raise ValueError(f"length_rule: none of {', '.join(LENGTH_RULES)}")
        if self.length_rule == "range" and not (self.length_bounds and min(self.length_bounds) > 0):
            raise ValueError("length_bounds: a range has two positive ends")


@dataclass(frozen=True, slots=True)
class Step(Record):
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
        raw: The text before it was ended at a control token and its label taken off, where that changed it.
        prompt_bytes: A bound on the prompt's tokens, kept where the server does not count them.
        prompt_size: What shows whether the server has read the whole prompt; None where it counts no tokens.
        left_out: The earlier steps whose texts the request lacks, since the writer keeps to the latest.
        preemptions, fallback, cache_hit, past_limit, made: As a prediction's.
    """

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"left_out", "preemptions", "fallback", "cache_hit", "past_limit", "prompt_size", "made"}
    )

    id: str
    sample: Count
    step: str
    attempt: Count
    request_sha256: str
    role: str
    text: str
    reasoning: str
    finish_reason: str
    usage: Usage
    seconds: Amount
    attempts: Count
    max_tokens_effective: Count | None = None
    planned_words: Count | None = None
    model_served: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    raw: str | None = None
    prompt_bytes: Count | None = None
    left_out: list[str] | None = None
    preemptions: Count | None = None
    fallback: bool = False
    cache_hit: bool = False
    past_limit: bool = False
    prompt_size: PromptSize | None = None
    made: Time | None = None

    @property
    def key(self) -> StepKey:
        """What sets the request apart from all others of the run."""
        return self.id, self.sample, self.step, self.attempt, self.request_sha256


@dataclass(frozen=True, slots=True)
class Judgement(Record):
    """One judge's opinion of one response, or the reason that there is none; a line of judgements.jsonl.

    Attributes:
        judge: The judge's label: its folder's name, with what was overridden.
        repeat: From 0.
        scores: The rubric's criteria, each an integer of its scale; None where no valid reply came.
        raw: The judge's last reply as it came.
        tries: Replies that were asked for.
        chapters: The parts that were judged by themselves, none where that failed; None for a response that
            was judged as a whole. `scores` is then their mean, weighted by words and rounded.
        retries: Requests that failed transiently and were made again.
        rubric: The name of what it was judged by; None in records of 0.1.0, for the six dimensions.
        segment: Which part of the response it is about, from 0; None for the whole.
        response_sha256: Of the text that was judged, in UTF-8.
        model_served: Who judged, as the server names it; None where that is not known or not one.
        system_fingerprint: The server's own mark of its configuration.
        reply_field: "reasoning" where the server put the reply there; None where it is the content.
        prompt_size: As a step's, of the whole response's first request.
        finish_reason: How the last reply ended.
        max_tokens_effective: As a prediction's, of the last reply.
    """

    LATER: ClassVar[frozenset[str]] = Record.LATER | {
        "rubric",
        "segment",
        "response_sha256",
        "model_served",
        "system_fingerprint",
        "reply_field",
        "prompt_size",
        "finish_reason",
        "max_tokens_effective",
    }

    id: str
    sample: Count
    judge: str
    repeat: Count
    scores: dict[str, int] | None
    analysis: str
    raw: str
    error: Failure | None
    usage: Usage | None
    seconds: Amount | None
    tries: Count
    chapters: list[Chapter] | None = None
    retries: Count = 0
    rubric: str | None = None
    segment: Count | None = None
    response_sha256: str | None = None
    model_served: str | None = None
    system_fingerprint: str | None = None
    reply_field: str | None = None
    prompt_size: PromptSize | None = None
    finish_reason: str | None = None
    max_tokens_effective: Count | None = None

    @property
    def key(self) -> Key:
        """Prompt id and sample."""
        return self.id, self.sample

    @property
    def judged_by(self) -> Rubric:
        """The rubric that it names."""
        return RUBRICS[self.rubric or SIX.name]

    def check(self) -> None:
        """Refuse a rubric that is not known, and scores outside of it."""
        if self.rubric is not None and self.rubric not in RUBRICS:
            raise ValueError(f"rubric: {self.rubric!r} is not known, only {', '.join(RUBRICS)}")
        rubric = self.judged_by
        if self.scores is None and self.error is None:
            raise ValueError("scores: there are none, and no error says why")
        for scores in (self.scores, *(part["scores"] for part in self.chapters or ())):
            if scores is not None and not rubric.accepts(scores):
                raise ValueError(
                    f"scores: they are not {', '.join(rubric.criteria)}, each an integer from {rubric.low} "
                    f"to {rubric.high}"
                )

    @property
    def values(self) -> dict[str, float] | None:
        """The scores as they count: those of chapters unrounded."""
        if self.scores is None:
            return None
        if self.chapters:
            return over_chapters(self.chapters, self.judged_by.criteria)
        return {name: self.scores[name] for name in self.judged_by.criteria}
