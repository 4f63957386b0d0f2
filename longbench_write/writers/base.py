"""The protocol that every writer speaks: an ordinary coroutine that is replayed from its start.

A writer asks for completions, one after another or at once, and puts a text together. What it was answered
is recorded, so that a run which is resumed calls the writer again from its start, and only the requests that
were never answered are sent. A writer therefore does the same whenever it gets the same answers: what it asks
depends on the prompt and on earlier answers alone, never on time, chance or order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from longbench_write.backends.base import Completion, Message, Sampling
from longbench_write.errors import LbwError
from longbench_write.suites.suite import Prompt


@dataclass(frozen=True, slots=True)
class Draft:
    """What a writer returns.

    Attributes:
        text: The response.
        steps: Sections that were planned; None takes the number of steps that have `planned_words`.
        planned_words: Words that were planned; None takes the sum over those steps.
    """

    text: str
    steps: int | None = None
    planned_words: int | None = None


class WriterError(LbwError):
    """A writer cannot make a response of what it was answered: the response has failed permanently.

    Attributes:
        kind: The failure's type in the record, such as "plan_unreadable".
        step: The step whose answer is at fault, which is asked for by a retry; None if none is.
    """

    def __init__(self, kind: str, message: str, *, step: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.step = step


class Refused(BaseException):
    """A request was not sent, because the run is stopping or the response has failed already.

    No `Exception`, so that no writer swallows it: it has to travel on.
    """


class WriterContext(Protocol):
    """What a writer works with: it answers requests, and knows of resuming, limits, retries and recording.

    Attributes:
        sampling: The run's own: what the response may have, and its temperature.
    """

    @property
    def sampling(self) -> Sampling:
        """The run's own."""
        ...

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
        """Answer a chat: from the record where the same request was answered before, by the model otherwise.

        A step that is answered with nothing is retried, unless that is allowed; the response fails where that
        does not help.

        Args:
            step: What the request is for, such as "plan" or "write-3"; requests that are in flight together
                need names of their own. None for the only request of a writer: it is recorded with the
                response alone.
            messages: The chat.
            sampling: How to sample; a seed of None is derived from the run's, the step and the attempt.
            attempt: From 0; another attempt at a step is another request.
            role: Whose model is asked, "writer" or "planner".
            planned_words: Words that a writing step is to have.
            clean: Takes from the text what is no part of the response, such as a label; a pure function.
                Where it raises, the response fails, its answer kept as it came.
            left_out: The earlier steps whose texts the chat lacks for want of room, for the record.
            allow_empty: Whether an answer without a word is returned as it is: the writer judges it.

        Returns:
            The answer, its reasoning parted from its text, the text cleaned.

        Raises:
            BackendError: There is none; the response has failed.
            WriterError: The step stays empty; the response has failed.
            Refused: It was not sent.
        """
        ...


class Writer(Protocol):
    """How a prompt becomes a response.

    A writer may have four attributes more: `configuration`, plain values by name of all that would change
    its responses, such as its templates' hashes (part of the run's identity; none where it is left out),
    `needs_model`, False for a writer that asks nobody, `planner`, "model" where a model makes its plans, and
    `expected`, about the requests of a response (see `estimate`).

    Attributes:
        name: As it stands in manifest, summary and the run's identity.
    """

    @property
    def name(self) -> str:
        """Such as "direct"."""
        ...

    async def write(self, prompt: Prompt, sample: int, context: WriterContext) -> Draft:
        """Write one response.

        Args:
            prompt: What is asked for.
            sample: The number of this response to the same prompt, from 0.
            context: Answers requests.

        Raises:
            WriterError: No response can be made of the answers.
        """
        ...


def configuration_of(writer: Writer) -> dict[str, Any]:
    """Return what a writer says would change its responses, as plain values by name."""
    return dict(getattr(writer, "configuration", {}))


def needs_model(writer: Writer) -> bool:
    """Return whether a writer asks a model."""
    return bool(getattr(writer, "needs_model", True))
