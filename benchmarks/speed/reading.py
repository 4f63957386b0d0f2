"""The cost of reading an answer, by several methods: where the time of a request goes.

    python -m benchmarks.speed.reading WAY ADDRESS REQUESTS CONCURRENCY

makes that many requests in one of the ways and prints CPU seconds.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.speed.measure import output, served
from benchmarks.speed.scenarios import SUITE
from benchmarks.speed.section import Section, Settings, table
from benchmarks.speed.server import Profile

if TYPE_CHECKING:
    import httpx2
    import openai

REQUESTS, CONCURRENCY, WORDS = 480, 32, 100
WAYS = {
    "typed": "the client's objects, one an event (`chat.completions.create(stream=True)`)",
    "untyped": "plain JSON, one an event (`post` with `AsyncStream[object]`)",
    "batched": "the response's bytes, all that one read brings parsed at once",
    "batched-aiohttp": "the same, through aiohttp",
    "direct-aiohttp": "the same, the request put together by hand",
    "lbw-eval": "what lbw-eval does: the same, with its pace, retries, checks and counts",
    "whole": "not streamed, typed",
    "bare": "aiohttp alone, nothing parsed: the limit",
}

Ask = Callable[[], Awaitable[None]]


def measure(settings: Settings) -> Section:
    """Every way, in turns, each in a process of its own."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    with served(Profile(first=0.0, words=WORDS), SUITE) as address:
        for _ in range(settings.rounds):
            for way, seconds in found.items():
                words = ["-m", "benchmarks.speed.reading", way, address, str(REQUESTS), str(CONCURRENCY)]
                seconds.append(float(output([sys.executable, *words])))
    medians = {way: 1000 * median(seconds) / REQUESTS for way, seconds in found.items()}
    rows = [
        (about, f"{medians[way]:.2f} ms", f"{medians[way] / medians['bare']:.1f}")
        for way, about in WAYS.items()
    ]
    return Section(
        "What each way to read an answer costs",
        f"CPU a request, answers of {WORDS} events, {CONCURRENCY} in flight, {REQUESTS} requests, medians of "
        f"{settings.rounds} turns. All but the last use one openai client.\n\n"
        f"{table(('', 'CPU', '× the last'), rows)}",
    )


def _body(*, stream: bool) -> dict[str, Any]:
    with SUITE.open(encoding="utf-8") as lines:
        prompt = json.loads(next(lines))["prompt"]
    return {"model": "m", "messages": [{"role": "user", "content": prompt}], "stream": stream}


async def _through_client(way: str, address: str, use: Callable[[Ask], Awaitable[None]]) -> None:
    import httpx2
    import openai

    from longbench_write.backends.base import Meter
    from longbench_write.backends.openai.event_stream import EventStream
    from longbench_write.backends.openai.reply import ChatResponse
    from longbench_write.backends.openai.transport import AiohttpTransport

    own = AiohttpTransport(ssl.create_default_context(), None, 5.0) if way.endswith("aiohttp") else None
    limits = httpx2.Limits(max_connections=None)
    transport = httpx2.AsyncClient(limits=limits, trust_env=False, transport=own)
    async with openai.AsyncOpenAI(
        api_key="none", base_url=f"{address}/model/v1", http_client=transport
    ) as client:

        async def ask() -> None:
            body = _body(stream=way != "whole")
            if way == "whole":
                await client.chat.completions.create(**body)
            elif way == "typed":
                async for _ in await client.chat.completions.create(**body):
                    pass
            else:
                answer = await _answer(way, client, transport, body)
                if way == "untyped":
                    async for _ in answer:
                        pass
                    return
                events, reply = EventStream(), ChatResponse(Meter())
                async with aclosing(answer):
                    async for received in answer.aiter_bytes():
                        reply.add_chunks(events.feed(received))

        await use(ask)


async def _answer(
    way: str, client: openai.AsyncOpenAI, transport: httpx2.AsyncClient, body: dict[str, Any]
) -> Any:
    """What is there when an answer has begun: a stream of JSON, or a response to read."""
    import httpx2
    import openai

    if way.startswith("direct"):
        url, content = client.base_url.join("chat/completions"), json.dumps(body).encode()
        headers = client.auth_headers | {"Content-Type": "application/json"}
        return await transport.send(
            httpx2.Request("POST", url, headers=headers, content=content), stream=True
        )
    streamed: dict[str, Any] = {"stream": True, "stream_cls": openai.AsyncStream[object]}
    kind = object if way == "untyped" else httpx2.Response
    return await client.post("/chat/completions", cast_to=kind, body=body, **streamed)


async def _through_backend(address: str, use: Callable[[Ask], Awaitable[None]]) -> None:
    from longbench_write.backends.base import BackendSpec, Message, Sampling
    from longbench_write.backends.openai.backend import OpenAIBackend

    spec = BackendSpec("openai", "m", (f"{address}/model/v1",), concurrency=CONCURRENCY)
    messages = [Message(**message) for message in _body(stream=True)["messages"]]
    async with OpenAIBackend(spec) as backend:

        async def ask() -> None:
            await backend.complete(messages, Sampling(max_tokens=spec.max_tokens))

        await use(ask)


async def _bare(address: str, use: Callable[[Ask], Awaitable[None]]) -> None:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> None:
            url = f"{address}/model/v1/chat/completions"
            async with session.post(url, json=_body(stream=True)) as answer:
                async for _ in answer.content.iter_any():
                    pass

        await use(ask)


async def _ask_all(ask: Ask, requests: int, concurrency: int) -> None:
    """Ask once to warm up, then so many times; prints the CPU seconds of those."""
    free = asyncio.Semaphore(concurrency)

    async def one() -> None:
        async with free:
            await ask()

    await ask()
    began = time.process_time()
    await asyncio.gather(*(one() for _ in range(requests)))
    print(time.process_time() - began)


def main() -> None:
    way, address, requests, concurrency = sys.argv[1:]

    async def use(ask: Ask) -> None:
        await _ask_all(ask, int(requests), int(concurrency))

    if way == "bare":
        asyncio.run(_bare(address, use))
    elif way == "lbw-eval":
        asyncio.run(_through_backend(address, use))
    else:
        asyncio.run(_through_client(way, address, use))


if __name__ == "__main__":
    main()
