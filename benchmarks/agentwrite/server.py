"""A simulated planner and writer on loopback, in a process of its own, that checks each request.

    python -m benchmarks.agentwrite.server --seconds 0.5

prints its port, serves /v1 and answers GET /report with what it has seen so far. A plan has paragraphs of 500
words; a paragraph has exactly its words and begins with what tells it from all others.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections import Counter

from aiohttp import web

from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import load_suite
from longbench_write.writers.outline import even_plan, plan_text

SUITE = "lbw-open"
SERVED = "simulated"


class Planner:
    """Answers by what stands in a request.

    Attributes:
        asked: How often each request came, by its prompt's id and step.
        faults: Requests that hold some of the earlier texts, but not all.
        with_texts: Requests that hold all of them, of those that have any.
        first, last: When the first request came and the last answer went, on the monotonic clock.
        peak: The most requests in flight.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._plans = {
            prompt.prompt: (prompt, even_plan(prompt.length or 1, "en", least=200, most=500, sections=50))
            for prompt in load_suite(SUITE).prompts
        }
        self.reset()

    def reset(self) -> None:
        self.asked: Counter[str] = Counter()
        self.faults: list[str] = []
        self.with_texts = 0
        self.first = self.last = 0.0
        self.in_flight = self.peak = 0

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.first = self.first or time.monotonic()
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            text = self._text(body["messages"][-1]["content"])
            await asyncio.sleep(self._seconds)
        finally:
            self.in_flight -= 1
            self.last = time.monotonic()
        message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
        return web.json_response(
            {"id": "1", "object": "chat.completion", "choices": [message], "usage": usage}
        )

    def _text(self, chat: str) -> str:
        asked = max((text for text in self._plans if text in chat), key=len)
        prompt, plan = self._plans[asked]
        lines = plan_text(plan)
        if lines not in chat:
            self.asked[f"{prompt.id} plan"] += 1
            return lines
        step = next(section for section in plan if chat.count(section.line) > lines.count(section.line))
        self.asked[f"{prompt.id} {step.number}"] += 1
        marks = {int(number) for number in re.findall(rf"begin {prompt.id} (\d+) ", chat)}
        earlier = set(range(1, step.number))
        if marks not in (set(), earlier):
            self.faults.append(f"{prompt.id} {step.number}: it has the texts {sorted(marks)}")
        self.with_texts += bool(marks)
        opening = f"begin {prompt.id} {step.number} "
        return opening + "word " * (step.words - count_words(opening))

    async def report(self, request: web.Request) -> web.Response:
        seen = {
            "requests": self.asked.total(),
            "distinct": len(self.asked),
            "faults": self.faults,
            "with_texts": self.with_texts,
            "seconds": self.last - self.first,
            "peak": self.peak,
        }
        if "reset" in request.query:
            self.reset()
        return web.json_response(seen)


async def models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": SERVED, "object": "model"}]})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    planner = Planner(parser.parse_args().seconds)
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", planner.answer)
    app.router.add_get("/v1/models", models)
    app.router.add_get("/report", planner.report)

    async def serve() -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
