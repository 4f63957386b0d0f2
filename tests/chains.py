"""A writer of a plan and twenty sections, for tests; as a command it stands beside `lbw-eval`.

python chains.py serial|parallel <words of lbw-eval>
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from longbench_write.backends.base import Message
from longbench_write.runs import plan
from longbench_write.writers.base import Draft, WriterError

SECTIONS = 20


@dataclass
class ChainWriter:
    """Asks for a plan, at most three times, and for each of its sections, one by one or all at once."""

    parallel: bool = False
    sections: int = SECTIONS
    name: str = "chain"

    async def write(self, prompt, sample, context):
        for attempt in range(3):
            chat = [Message(role="user", content=f"PLAN of {prompt.id} {sample}: {prompt.prompt}")]
            planned = await context.complete("plan", chat, context.sampling, attempt, role="planner")
            if "unreadable" not in planned.text:
                break
        else:
            raise WriterError("plan_unreadable", "no plan in three attempts", step="plan")

        async def section(number, before):
            text = f"SECTION {number} of {prompt.id} {sample} by {planned.text} after {before}"
            answer = await context.complete(
                f"write-{number}",
                [Message(role="user", content=text)],
                context.sampling,
                planned_words=100,
                clean=lambda text: text.removeprefix("Label: "),
            )
            return answer.text

        numbers = range(1, self.sections + 1)
        if self.parallel:
            texts = await asyncio.gather(*(section(number, "") for number in numbers))
        else:
            texts = []
            for number in numbers:
                texts.append(await section(number, texts[-1] if texts else ""))
        return Draft("\n\n".join(texts))


def main():
    from longbench_write.cli.app import main

    kind = sys.argv.pop(1)
    plan.load_writer = lambda *_: ChainWriter(parallel=kind == "parallel")
    main()


if __name__ == "__main__":
    main()
