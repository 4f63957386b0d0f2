"""A server that plans and writes what is known beforehand, and checks each request as it comes."""

from __future__ import annotations

import re
import threading
from collections import defaultdict

from .answers import Answer
from .openai_server import OpenAIServer

WORDS = (30, 60, 90)
"""Planned words of the three paragraphs; the second comes out at half of them."""
WRITTEN = (30, 30, 90)
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def plan_of(name: str) -> str:
    lines = [
        f"Paragraph {number} - Main Point: point {number} of {name} $TEXT$ - Word Count: {words} words"
        for number, words in enumerate(WORDS, 1)
    ]
    return "\n".join(["Here is the plan.", "", *lines])


def paragraph(name: str, number: int) -> str:
    return " ".join([f"{name}-{number}", "𝄞", *["word"] * (WRITTEN[number - 1] - 1)])


class PlanningServer(OpenAIServer):
    """Knows each prompt by its name: its instruction is `Write about NAME ...`.

    Args:
        parallel: Whether paragraphs are to come without the text before them.
        plans: Answers to requests for plans, by attempt; None for the known plan.
    """

    def __init__(self, *, parallel: bool = False, plans: tuple[str | None, ...] = (None,), **more) -> None:
        super().__init__(self._answer, **more)
        self._parallel = parallel
        self._plans = plans
        self._asked: dict[str, int] = defaultdict(int)
        self._guard = threading.Lock()
        self.faults: list[str] = []

    def _answer(self, body, number):
        chat = body["messages"][-1]["content"]
        name = re.search(r"Write about (\w+)", chat)[1]
        if "Your plan:" in chat:
            with self._guard:
                attempt, self._asked[name] = self._asked[name], self._asked[name] + 1
            plan = self._plans[min(attempt, len(self._plans) - 1)]
            return Answer(plan_of(name) if plan is None else plan, usage=USAGE)
        if "write this paragraph again" in chat.casefold():
            return Answer(f"{name} again " + "word " * 58, usage=USAGE)
        step = int(re.search(rf"^Paragraph (\d) .*{name} \$TEXT\$.*\n\nKeep to", chat, re.MULTILINE)[1])
        self._check(chat, name, step)
        return Answer(f"**Paragraph {step}**\n\n{paragraph(name, step)}\n", usage=USAGE)

    def _check(self, chat: str, name: str, step: int) -> None:
        before = [] if self._parallel else [paragraph(name, number) for number in range(1, step)]
        text = "\n\n".join(before)
        held = {
            "the plan": plan_of(name) in chat,
            "the texts before": f"----\n{text}\n----" in chat,
            "no later text": paragraph(name, step) not in chat,
            "the instruction as it is": f"Write about {name} with $PLAN$ and $STEP$ in it." in chat,
        }
        self.faults += [f"{name} {step}: {what}" for what, is_there in held.items() if not is_there]
