"""A writer of several requests: a plan, then two parts at once."""

import asyncio

from longbench_write.backends.base import Message
from longbench_write.writers.base import Draft


class PartsWriter:
    """Asks for a plan and for two parts."""

    name = "parts"

    async def write(self, prompt, sample, context):
        plan = await context.complete("plan", [Message(role="user", content=prompt.prompt)], context.sampling)

        async def part(number):
            text = f"{prompt.prompt}\n\n{plan.text}\n\nPart {number}"
            chat = [Message(role="user", content=text)]
            done = await context.complete(f"write-{number}", chat, context.sampling, planned_words=100)
            return done.text

        return Draft("\n\n".join(await asyncio.gather(part(1), part(2))))
