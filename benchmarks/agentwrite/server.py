"""A simulated planner and writer on loopback, in a process of its own, that checks each request.

    python -m benchmarks.agentwrite.server --seconds 0.5 [--framed]

prints its port, serves /v1 and answers GET /report with what it has seen so far. It has the models of
`texts.py`; a plan has paragraphs of 500 words at most. Framed, it stands between an opening, a rule and an
end, as models write.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from aiohttp import web

from benchmarks.agentwrite.texts import AT_RANDOM, MODELS, PARALLEL, SUITE, first, plan_of, second, taken
from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import Prompt, load_suite
from longbench_write.writers.outline import Section, plan_text

HEAD = 8000
"""Characters of a request in which the instruction begins, in any of the templates."""


class Planner:
    """Answers by what stands in a request.

    Attributes:
        asked: How often each request came, by its prompt's id and step.
        faults: What requests lack, or have too much.
        tokens: Of all prompts, and of all answers.
        first, last: When the first request came and the last answer went, on the monotonic clock.
        in_flight, peak: Requests in flight now, and the most there were.
    """

    def __init__(self, seconds: float, *, framed: bool) -> None:
        self._seconds = seconds
        self._framed = framed
        prompts = sorted(load_suite(SUITE).prompts, key=lambda prompt: -len(prompt.prompt))
        self._plans = [(prompt, plan_of(prompt)) for prompt in prompts]
        self._first = {
            (model, prompt.id): [first(model, prompt, section) for section in plan]
            for model in MODELS
            for prompt, plan in self._plans
        }
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        self.asked: Counter[str] = Counter()
        self.faults: list[str] = []
        self.tokens = [0, 0]
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
        self.tokens = [self.tokens[0] + asked, self.tokens[1] + given]
        usage = {"prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked + given}
        answer = {"id": "1", "object": "chat.completion", "choices": [message], "usage": usage}
        return web.json_response(answer)

    def _text(self, model: str, chat: str) -> str:
        head = chat[:HEAD]
        prompt, plan = next(each for each in self._plans if each[0].prompt in head)
        lines = plan_text(plan)
        whole = f"Here is the plan:\n{lines}\n---\nDone." if self._framed else lines
        named = [section for section in plan if section.line in chat]
        if not named:
            self.asked[f"{prompt.id} plan"] += 1
            return whole
        if model in AT_RANDOM and len(named) == 1 and chat.count(named[0].line) == 1:
            return self._again(model, prompt, named[0], chat)
        step = next((each for each in plan if chat.count(each.line) > lines.count(each.line)), None)
        if step is None:
            self.asked[f"{prompt.id} no step of the plan"] += 1
            return "What would you like me to write?"
        self.asked[f"{prompt.id} {step.number}"] += 1
        before = "" if model == PARALLEL else self._before(model, prompt, plan[: step.number - 1])
        begun = chat.count(f"begin {prompt.id} ")
        if whole not in chat or before not in chat or begun != before.count(f"begin {prompt.id} "):
            self.faults.append(f"{prompt.id} {step.number}: {begun} texts, the plan: {whole in chat}")
        return self._first[model, prompt.id][step.number - 1]

    def _again(self, model: str, prompt: Prompt, step: Section, chat: str) -> str:
        """Answer a review: the request is to hold the text as it is, and both numbers of words."""
        self.asked[f"{prompt.id} {step.number} again"] += 1
        written = first(model, prompt, step)
        if any(each not in chat for each in (written, f"{count_words(written)}", f"{step.words}")):
            self.faults.append(f"{prompt.id} {step.number} again")
        return second(model, prompt, step)

    def _before(self, model: str, prompt: Prompt, steps: Sequence[Section]) -> str:
        """Return the text that precedes a step: of what was asked for again, the nearer to its plan."""
        return "\n\n".join(
            taken(model, prompt, step) if f"{prompt.id} {step.number} again" in self.asked else written
            for step, written in zip(steps, self._first[model, prompt.id], strict=False)
        )

    async def report(self, request: web.Request) -> web.Response:
        seen = {
            "requests": self.asked.total(),
            "distinct": len(self.asked),
            "faults": self.faults,
            "tokens": self.tokens,
            "seconds": self.last - self.first,
            "in_flight": self.in_flight,
            "peak": self.peak,
        }
        if "reset" in request.query:
            self.reset()
        return web.json_response(seen)


async def models(request: web.Request) -> web.Response:
    listed = [{"id": name, "object": "model"} for name in MODELS]
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
