"""The error of a prompt that a server answered without having read all of it."""

from __future__ import annotations

from longbench_write.backends.base import Completion
from longbench_write.errors import CONTEXT_LENGTH, BackendError
from longbench_write.metrics.prompt_size import PromptSize


class UnreadPromptError(BackendError):
    """A server read less of a prompt than there is, by its own count of the tokens, and answered with 200.

    Attributes:
        size: How large the prompt was.
        completion: What it answered, which is no answer to what was asked, and was paid for.
    """

    def __init__(self, message: str, size: PromptSize, completion: Completion) -> None:
        super().__init__(CONTEXT_LENGTH, message)
        self.attempts = completion.attempts
        self.size = size
        self.completion = completion
