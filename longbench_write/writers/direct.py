"""The plain writer: one chat message in, one response out."""

from __future__ import annotations

from longbench_write.backends.base import Message
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Draft, WriterContext


class DirectWriter:
    """Asks the model once, with the prompt alone, as the paper does."""

    name = "direct"

    async def write(self, prompt: Prompt, sample: int, context: WriterContext) -> Draft:
        """Have one response written; see `Writer.write`."""
        chat = [Message(role="user", content=prompt.prompt)]
        completion = await context.complete(None, chat, context.sampling)
        return Draft(completion.text)
