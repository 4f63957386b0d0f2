"""The loop that one writes by hand: AsyncOpenAI, a semaphore a server, a line of JSON a result, means last.

A response is judged as soon as it is there, while others are still written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from statistics import fmean
from typing import Any, TextIO

from openai import AsyncOpenAI
from shared import LENGTH, QUALITIES, judge_prompt, options, scores


class Server:
    """A model behind a base URL, asked so many things at once."""

    def __init__(self, base_url: str, concurrency: int, **sampling: Any) -> None:
        self._client = AsyncOpenAI(base_url=base_url, api_key="none")
        self._free = asyncio.Semaphore(concurrency)
        self._sampling = sampling

    async def ask(self, prompt: str) -> str:
        async with self._free:
            completion = await self._client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": prompt}], **self._sampling
            )
        return completion.choices[0].message.content or ""


async def evaluate(row: dict[str, Any], model: Server, judge: Server, out: TextIO) -> dict[str, float]:
    response = await model.ask(row["prompt"])
    reply = await judge.ask(judge_prompt(row["prompt"], response))
    row_scores = scores(row["length"], response, reply)
    result = row | {"response": response, "scores": row_scores}
    out.write(json.dumps(result, ensure_ascii=False) + "\n")
    out.flush()
    return row_scores


async def run(given: argparse.Namespace) -> None:
    model = Server(given.model_url, given.concurrency, temperature=0.5, max_tokens=32768)
    judge = Server(given.judge_url, given.concurrency, max_tokens=16384)
    with given.suite.open(encoding="utf-8") as lines:
        rows = list(map(json.loads, lines))
    with (given.out / "results.jsonl").open("a", encoding="utf-8") as out:
        results = await asyncio.gather(*(evaluate(row, model, judge, out) for row in rows))
    for name in (*QUALITIES, LENGTH):
        print(f"{name}: {fmean(each[name] for each in results):.2f}")


if __name__ == "__main__":
    asyncio.run(run(options(__doc__)))
