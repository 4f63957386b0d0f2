"""A simulated planner and writer on loopback, in a process of its own, that checks each request.

    python -m benchmarks.agentwrite.server --seconds 0.5 [--framed]

prints its port, serves /v1 and answers GET /report with what it has seen so far. It has the models `serial`
and `parallel`, which expect all earlier texts in a request, or none. A plan has paragraphs of 500 words, of
which every third comes out at half; framed, it stands between an opening, a rule and an end, as models write.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from aiohttp import web

from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import Prompt, load_suite
from longbench_write.writers.outline import Section, even_plan, plan_text

SUITE = "lbw-open@1.0"
PARALLEL = "parallel"
SERIAL = "serial"
HEAD = 8000
"""Characters of a request in which the instruction begins, in any of the templates."""


def plan_of(prompt: Prompt) -> Sequence[Section]:
    """Return the plan of a prompt, in English."""
    return even_plan(prompt.length or 1, "en", least=200, most=500, sections=50)


def paragraph(prompt: Prompt, section: Section) -> str:
    """Return what is written for a step; its opening tells it from all others."""
    opening = f"begin {prompt.id} {section.number}"
    words = section.words // 2 if section.number % 3 == 0 else section.words
    return " ".join([opening, *["word"] * (words - count_words(opening))]) + "."


def text_of(prompt: Prompt) -> str:
    """Return the response that a writer is to make of what it is answered."""
    return "\n\n".join(paragraph(prompt, section) for section in plan_of(prompt))


class Planner:
    """Answers by what stands in a request.

    Attributes:
        asked: How often each request came, by its prompt's id and step.
        faults: What requests lack, or have too much.
        first, last: When the first request came and the last answer went, on the monotonic clock.
        in_flight, peak: Requests in flight now, and the most there were.
    """

    def __init__(self, seconds: float, *, framed: bool) -> None:
        self._seconds = seconds
        self._framed = framed
        prompts = sorted(load_suite(SUITE).prompts, key=lambda prompt: -len(prompt.prompt))
        self._plans = [(prompt, plan_of(prompt)) for prompt in prompts]
        self._texts = {
            prompt.id: [paragraph(prompt, section) for section in plan] for prompt, plan in self._plans
        }
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        self.asked: Counter[str] = Counter()
        self.faults: list[str] = []
        self.first = self.last = 0.0
        self.peak = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.first = self.first or time.monotonic()
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            body = await request.json()
            chat = body["messages"][-1]["content"]
            text = self._text(body["model"], chat)
            await asyncio.sleep(self._seconds)
        finally:
            self.in_flight -= 1
            self.last = time.monotonic()
        message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        asked, given = (len(each.encode()) // 4 + 10 for each in (chat, text))
        usage = {"prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked + given}
        answer = {"id": "1", "object": "chat.completion", "choices": [message], "usage": usage}
        return web.json_response(answer)

    def _text(self, model: str, chat: str) -> str:
        head = chat[:HEAD]
        prompt, plan = next(each for each in self._plans if each[0].prompt in head)
        lines = plan_text(plan)
        whole = f"Here is the plan:\n{lines}\n---\nDone." if self._framed else lines
        if lines not in chat:
            self.asked[f"{prompt.id} plan"] += 1
            return whole
        named = (section for section in plan if chat.count(section.line) > lines.count(section.line))
        if (step := next(named, None)) is None:
            self.asked[f"{prompt.id} no step of the plan"] += 1
            return "What would you like me to write?"
        self.asked[f"{prompt.id} {step.number}"] += 1
        texts = self._texts[prompt.id]
        before = "" if model == PARALLEL else "\n\n".join(texts[: step.number - 1])
        begun = chat.count(f"begin {prompt.id} ")
        if whole not in chat or before not in chat or begun != before.count(f"begin {prompt.id} "):
            self.faults.append(f"{prompt.id} {step.number}: {begun} texts, the plan: {whole in chat}")
        return texts[step.number - 1]

    async def report(self, request: web.Request) -> web.Response:
        seen = {
            "requests": self.asked.total(),
            "distinct": len(self.asked),
            "faults": self.faults,
            "seconds": self.last - self.first,
            "in_flight": self.in_flight,
            "peak": self.peak,
        }
        if "reset" in request.query:
            self.reset()
        return web.json_response(seen)


async def models(request: web.Request) -> web.Response:
    listed = [{"id": name, "object": "model"} for name in (SERIAL, PARALLEL)]
    return web.json_response({"object": "list", "data": listed})


async def serve(planner: Planner) -> None:
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", planner.answer)
    app.router.add_get("/v1/models", models)
    app.router.add_get("/report", planner.report)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--framed", action="store_true")
    given = parser.parse_args()
    asyncio.run(serve(Planner(given.seconds, framed=given.framed)))


if __name__ == "__main__":
    main()
