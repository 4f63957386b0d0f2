"""No model at all, for writers that ask nobody."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from longbench_write.backends.base import Completion, Message, ModelBackend, Sampling
from longbench_write.errors import UsageError


class NoModelBackend(ModelBackend):
    """Answers nothing; see `ModelBackend`."""

    title = "no model"
    metered = False

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Refuse to answer.

        Raises:
            UsageError: Always.
        """
        raise UsageError("the writer asks a model, and said that it needs none: it has to say otherwise")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return
