"""What a writer works with while it makes one response: its requests, answered from the record or by a model.

A request runs in a task of its own, so that whatever becomes of the writer, an answer that has been paid for
is recorded before anything else happens. The first request that gets no answer ends the response: the ones in
flight beside it are waited for, those that were not sent are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from longbench_write.backends.base import CHAIN, Completion, Message, Sampling, Usage, derived_seed
from longbench_write.backends.budget import most_tokens
from longbench_write.backends.control_tokens import end_at_turn
from longbench_write.backends.finish_reasons import STOP, is_truncated
from longbench_write.backends.hashes import canonical_sha256
from longbench_write.backends.reasoning import split_reasoning
from longbench_write.backends.unread import UnreadPromptError
from longbench_write.errors import CONTEXT_LENGTH, BackendError
from longbench_write.files.times import now
from longbench_write.metrics.prompt_size import UnreadPrompt
from longbench_write.records import Key, Prediction, Step, StepKey
from longbench_write.runs.opening import ReasoningOpening
from longbench_write.runs.predictions import chained_prediction, completed_prediction, failed_prediction
from longbench_write.runs.requests import Requests
from longbench_write.runs.slots import Share
from longbench_write.runs.steps import StepFile
from longbench_write.runs.tasks import Tasks
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Draft, Refused, Writer, WriterError

_TRIES = 3
"""Answers to a step that are empty, after which the response has failed."""

_END = (Refused, BackendError, WriterError)
"""What ends a response without a text."""


def request_sha256(messages: Sequence[Message], sampling: Sampling) -> str:
    """Hash a request as its writer gave it: as canonical JSON, without the fields that are None or empty."""
    given = {part.name: getattr(sampling, part.name) for part in fields(sampling)}
    said = {name: value for name, value in given.items() if value is not None and value != {}}
    return canonical_sha256({"messages": list(messages), "sampling": said})


@dataclass(frozen=True)
class SessionContext:
    """What all responses of a session share.

    Attributes:
        requests: By role.
        sampling: What a response may have.
        seed: The run's.
        steps: Where answers are recorded.
        on_step: Called with each step that has been recorded.
        tasks: Runs requests to their end, whatever becomes of writers.
        retry_failed: Whether steps that failed permanently are retried.
        opening: Whether the chat template of the model under test opens a block of reasoning.
        discard: Keeps a response that counts for what it cost alone.
    """

    requests: Mapping[str, Requests]
    sampling: Sampling
    seed: int | None
    steps: StepFile
    on_step: Callable[[Step], None]
    tasks: Tasks
    retry_failed: bool
    opening: ReasoningOpening
    discard: Callable[[Prediction], None]


class ResponseContext:
    """The `WriterContext` of one response.

    Args:
        prompt: What is asked for.
        sample: The number of the response, from 0.
        session: What all responses share.
        share: The slots of this one.
    """

    def __init__(self, prompt: Prompt, sample: int, session: SessionContext, share: Share) -> None:
        self.sampling = session.sampling
        self._prompt = prompt
        self._sample = sample
        self._session = session
        self._share = share
        self._recorded = {step.key: step for step in session.steps.of((prompt.id, sample))}
        self._first: dict[str, int] = {}
        self._sent: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        """Forget what happened while the writer was called before."""
        self._tasks: dict[StepKey | None, asyncio.Task[Completion | BackendError | Refused]] = {}
        self._asked: dict[StepKey, None] = {}
        self._only: Completion | None = None
        self._offsets = dict(self._first)
        self._reached: dict[str, int] = {}
        self._failure: BackendError | WriterError | None = None
        self._failed_attempts = 0
        self._refused = False
        self._ended = False

    async def respond(self, writer: Writer) -> Prediction | None:
        """Have the response written.

        Returns:
            Its record, or that of its failure; None where the run is stopping, so that it is owed still.
        """
        while True:
            draft = await self._call(writer)
            self._ended, owed = True, self._refused
            self._share.refuse()
            if unfinished := [task for task in self._tasks.values() if not task.done()]:
                await asyncio.wait(unfinished)
            if not isinstance(self._failure, WriterError) or not self._moves_on(self._failure.step):
                return self._record(None if owed else draft)
            self._begin()

    async def _call(self, writer: Writer) -> Draft | None:
        """Call the writer; None where it ended without a text."""
        try:
            return await writer.write(self._prompt, self._sample, self)
        except _END as error:
            self._fail(error)
        except BaseExceptionGroup as group:
            if group.split(_END)[1]:
                raise
            for leaf in _leaves(group):
                self._fail(leaf)
        return None

    def _fail(self, error: BaseException, step: str | None = None) -> None:
        """End the response with its first error; one that was refused a request ends without any."""
        if self._failure is None and isinstance(error, BackendError | WriterError):
            self._failure = _of_step(error, step) if isinstance(error, BackendError) and step else error
            self._share.refuse()

    def _moves_on(self, step: str | None) -> bool:
        """Return whether to call the writer again, with later attempts of a step that failed in the past."""
        numbers = [key[3] for key in self._recorded if key[2] == step]
        if step is None or step in self._sent or not numbers:
            return False
        if max(numbers) > self._reached[step]:
            self._first[step] = self._reached[step] + 1
        elif self._session.retry_failed:
            self._first[step] = max(numbers) + 1
        else:
            return False
        return True

    def _record(self, draft: Draft | None) -> Prediction | None:
        place = self._prompt, self._sample
        used = [self._recorded[key] for key in self._asked if key in self._recorded]
        recorded = list(self._recorded.values())
        if self._failure:
            return failed_prediction(
                *place, self._failure, used, recorded, completion=self._only, attempts=self._failed_attempts
            )
        if draft is None:
            return None
        if self._only:
            return completed_prediction(*place, draft, self._only)
        return chained_prediction(*place, draft, used, recorded)

    async def complete(
        self,
        step: str | None,
        messages: Sequence[Message],
        sampling: Sampling,
        attempt: int = 0,
        *,
        role: str = "writer",
        planned_words: int | None = None,
        clean: Callable[[str], str] | None = None,
        left_out: Sequence[str] = (),
        allow_empty: bool = False,
    ) -> Completion:
        """Answer a chat; see `WriterContext.complete`."""
        if role not in self._session.requests:
            raise ValueError(f"nobody is asked as {role!r}; there are {', '.join(self._session.requests)}")
        if step is None:
            self._only = await self._answer_alone(messages, sampling, role)
            return self._only
        digest = request_sha256(messages, sampling)
        for _ in range(_TRIES):
            number = self._offsets.get(step, 0) + attempt
            key = (self._prompt.id, self._sample, step, number, digest)
            self._asked[key] = None
            self._reached[step] = max(number, self._reached.get(step, 0))
            request = _Request(key, messages, sampling, role, planned_words, clean, tuple(left_out))
            if key not in self._recorded:
                await self._answer(request)
            elif (raw := self._recorded[key].raw) and not self._recorded[key].text:
                self._recorded[key] = replace(self._recorded[key], text=self._cleaned(request, raw))
            if unread := self._session.steps.unread(self._recorded[key]):
                if not self._session.retry_failed or step in self._sent:
                    self._fail(BackendError(CONTEXT_LENGTH, str(unread)), step)
                    raise Refused("the response has failed")
                del self._asked[key]
                self._offsets[step] = self._offsets.get(step, 0) + 1
                continue
            if (line := self._recorded[key]).text.strip() or allow_empty:
                return _completion(line)
            self._offsets[step] = self._offsets.get(step, 0) + 1
        self._fail(WriterError("empty_step", f"{step}: {_TRIES} answers without a word", step=step))
        raise Refused("the response has failed")

    async def _answer_alone(self, messages: Sequence[Message], sampling: Sampling, role: str) -> Completion:
        """Answer the only request of a response; an answer that ends without a word is asked for again.

        Where all that comes is empty, so is the response.
        """
        attempts = 0
        for number in range(_TRIES):
            completion = await self._answer(_Request(None, messages, sampling, role, number=number))
            attempts += completion.attempts
            if completion.text.strip() or is_truncated(completion.finish_reason) or number == _TRIES - 1:
                break
            draft = Draft(completion.text)
            self._session.discard(completed_prediction(self._prompt, self._sample, draft, completion))
            del self._tasks[None]
        return replace(completion, attempts=attempts)

    async def _answer(self, request: _Request) -> Completion:
        """Send a request, unless it is in flight already, and wait for what comes of it.

        Raises:
            BackendError, Refused: There is no answer.
        """
        if (task := self._tasks.get(request.key)) is None:
            if self._ended or self._failure:
                raise Refused("the response has ended")
            task = self._session.tasks.begin(self._send(request))
            self._tasks[request.key] = task
        outcome = await asyncio.shield(task)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def _send(self, request: _Request) -> Completion | BackendError | Refused:
        """Send a request and record its answer; an error is returned, so that it ends no other task."""
        if request.key:
            CHAIN.set(request.key[:2])
        try:
            # The slot is kept until the answer is recorded: a kill costs no more than what is in flight.
            async with self._share.slot() as slot:
                requests = self._session.requests[request.role]
                completion = await requests.complete(
                    request.messages,
                    self._sent_sampling(request),
                    slot,
                    self._session.steps.prompts[request.role] if request.key else None,
                )
                own = requests is self._session.requests["writer"]
                opening = self._session.opening if own else ReasoningOpening()
                completion = _parted(completion, opening, (self._prompt.id, self._sample))
                if request.key:
                    await self._keep(request, request.key, completion)
            return completion
        except BackendError as error:
            if isinstance(error, UnreadPromptError):
                cost = completed_prediction(self._prompt, self._sample, Draft(""), error.completion)
                unread = UnreadPrompt(**error.size, role=request.role)
                self._session.discard(replace(cost, unread=unread))
            self._failed_attempts += error.attempts - (self._failed_attempts > 0)
            self._fail(error, request.key[2] if request.key else None)
            return error
        except Refused as refusal:
            self._refused = self._refused or not self._ended
            return refusal

    def _sent_sampling(self, request: _Request) -> Sampling:
        """Return the sampling that is sent: with a seed of its own for each response, step and attempt.

        Other fields of a request are those that the model under test takes: a planner of its own gets none.
        """
        sampling, requests = request.sampling, self._session.requests
        if requests[request.role] is not requests["writer"]:
            sampling = replace(sampling, extra={})
        if sampling.seed is not None or self._session.seed is None:
            return sampling
        step: tuple[str | int, ...] = request.key[2:4] if request.key else ()
        step += ("again", request.number) if request.number else ()
        seed = derived_seed(self._session.seed, self._prompt.id, self._sample, *step)
        return replace(sampling, seed=seed)

    def _cleaned(self, request: _Request, text: str) -> str:
        """Return what is left of an answer's text; "", and the response has failed, where `clean` raises."""
        try:
            return request.clean(text) if request.clean else text
        except Exception as error:
            step = request.key[2] if request.key else None
            told = f"{step}: the text could not be cleaned ({type(error).__name__}: {error})"
            self._fail(WriterError("clean_failed", told, step=step))
            return ""

    async def _keep(self, request: _Request, key: StepKey, completion: Completion) -> None:
        """Record a step."""
        text = self._cleaned(request, completion.text)
        counted = completion.usage.prompt_tokens is not None
        step = Step(
            *key,
            role=request.role,
            text=text,
            reasoning=completion.reasoning,
            finish_reason=completion.finish_reason,
            usage=asdict(completion.usage),
            seconds=completion.seconds,
            attempts=completion.attempts,
            max_tokens_effective=completion.max_tokens,
            planned_words=request.planned_words,
            model_served=completion.model_served,
            provider=completion.provider,
            system_fingerprint=completion.system_fingerprint,
            raw=completion.raw or (None if text == completion.text else completion.text),
            prompt_bytes=None if counted else most_tokens(request.messages),
            prompt_size=completion.prompt_size,
            left_out=list(request.left_out) or None,
            preemptions=completion.preemptions or None,
            fallback=completion.fallback,
            cache_hit=completion.cache_hit,
            past_limit=completion.past_limit,
            made=now(),
        )
        await self._session.steps.add(step, self._kept)

    def _kept(self, step: Step) -> None:
        """Take a step that is recorded."""
        self._session.on_step(step)
        self._recorded[step.key] = step
        self._sent.add(step.step)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as its writer gave it; without a key where it is recorded with the response alone.

    Attributes:
        number: Of the try, from 0, where an answer without a word is asked for again.
    """

    key: StepKey | None
    messages: Sequence[Message]
    sampling: Sampling
    role: str
    planned_words: int | None = None
    clean: Callable[[str], str] | None = None
    left_out: tuple[str, ...] = ()
    number: int = 0


def _parted(completion: Completion, opening: ReasoningOpening, key: Key) -> Completion:
    """Move the reasoning in a completion's text to the rest of it, and end the text where its turn ends."""
    truncated = is_truncated(completion.finish_reason)
    opened = opening.opens(completion, key)
    text, block = split_reasoning(completion.text, truncated=truncated, opened=opened)
    if block or text is not completion.text:
        reasoning = "\n\n".join(part for part in (completion.reasoning, block) if part)
        completion = replace(completion, text=text, reasoning=reasoning)
    if (ended := end_at_turn(text)) is text:
        return completion
    return replace(completion, text=ended, raw=text, finish_reason=STOP)


def _completion(step: Step) -> Completion:
    """Return the answer that a step has recorded."""
    return Completion(
        text=step.text,
        reasoning=step.reasoning,
        finish_reason=step.finish_reason,
        usage=Usage(*(step.usage.get(part.name) for part in fields(Usage))),
        seconds=step.seconds,
        attempts=step.attempts,
        max_tokens=step.max_tokens_effective,
        model_served=step.model_served,
        provider=step.provider,
        system_fingerprint=step.system_fingerprint,
        fallback=step.fallback,
        cache_hit=step.cache_hit,
        past_limit=step.past_limit,
    )


def _of_step(error: BackendError, step: str) -> BackendError:
    """Return the error with the step that it ended."""
    return BackendError(error.kind, f"{step}: {error}")


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Yield the errors of a group and of the groups in it."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
