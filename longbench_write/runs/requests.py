"""One request to the model of a role: its slot, its time, and what it means when there is no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from longbench_write.backends.base import Backend, Completion, Message, Sampling
from longbench_write.backends.unread import UnreadPromptError
from longbench_write.errors import BackendError
from longbench_write.runs.faults import Meaning, StartupGate
from longbench_write.runs.slots import Share, Slot
from longbench_write.serving.prompts_read import PromptsRead, prompt_size
from longbench_write.writers.base import Refused


class Requests:
    """Sends the requests of one role.

    Args:
        backend: Whose model answers.
        answers: Whether it has answered in an earlier session.
        seconds: What a request may take, retries and waits included; None for no limit.
        stop: Ends the run for a reason.
        explain: Makes of an error's text and kind what the user is told.
        system: The system prompt before each request; None for none.

    Attributes:
        startup: Whether the model answers at all.
        stopped: Whether no more requests are sent.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        answers: bool,
        seconds: float | None,
        stop: Callable[[BackendError], None],
        explain: Callable[[str, str], str] | None = None,
        system: str | None = None,
    ) -> None:
        self.backend = backend
        self.startup = StartupGate(answers=answers)
        self.stopped = False
        self._seconds = seconds
        self._stop = stop
        self._explain = explain
        self._before = [Message(role="system", content=system)] if system else []

    async def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        slot: Slot,
        prompts: PromptsRead | None = None,
    ) -> Completion:
        """Answer a chat, in a slot that is taken.

        Args:
            messages: The chat.
            sampling: How it is answered.
            slot: The slot.
            prompts: Those of this role, this one's being added: what a server answers that has not read all
                of it is no answer. None where such an answer stands.

        Raises:
            UnreadPromptError: The server answered without having read the whole prompt.
            BackendError: There is no answer, and this request's prompt is the cause, or time.
            Refused: The run is stopping.
        """
        while True:
            if self.stopped:
                raise Refused("the run is stopping")
            try:
                with self.startup.ask():
                    completion = await self._within_time([*self._before, *messages], sampling)
            except _LateError:
                raise
            except BackendError as error:
                meaning = await self.startup.meaning(error)
                if meaning is Meaning.RECORD:
                    raise
                if meaning is Meaning.STOP:
                    self._stop(self._explained(error))
                    raise Refused(str(error)) from None
                await slot.queue_again()
            else:
                self.startup.answered()
                return completion if prompts is None else _read_whole(messages, completion, prompts)

    async def _within_time(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer within the time that a request has.

        Raises:
            _LateError: The time is over.
        """
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await self.backend.complete(messages, sampling)
        except TimeoutError:
            if not limit.expired():
                raise
            late = f"no response within --prompt-timeout {self._seconds:g} s"
            raise _LateError("timeout", late) from None

    def _explained(self, error: BackendError) -> BackendError:
        if self._explain is None:
            return error
        return BackendError(error.kind, self._explain(str(error), error.kind))


def _read_whole(messages: Sequence[Message], completion: Completion, prompts: PromptsRead) -> Completion:
    """Return an answer with the size of its prompt.

    Raises:
        UnreadPromptError: The server has not read all of it.
    """
    size = prompt_size(messages, completion)
    completion = replace(completion, prompt_size=size)
    prompts.add(size)
    if size is not None and (unread := prompts.unread(size)):
        raise UnreadPromptError(str(unread), size, completion)
    return completion


class _LateError(BackendError):
    """A request's time is over: its own failure, whatever becomes of the others."""


class SharedRequests:
    """The requests of one piece of work, as a backend.

    Args:
        requests: Sends them.
        share: The slots that they have.
        prompts: As for `Requests.complete`.
    """

    def __init__(self, requests: Requests, share: Share, prompts: PromptsRead) -> None:
        self.meter = requests.backend.meter
        self._requests = requests
        self._share = share
        self._prompts = prompts

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Complete as `Requests.complete` does, in a slot of this work."""
        async with self._share.slot() as slot:
            return await self._requests.complete(messages, sampling, slot, self._prompts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return
