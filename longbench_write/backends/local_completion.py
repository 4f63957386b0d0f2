"""A completion of token ids by llama.cpp's server, whose chat endpoint takes messages alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from longbench_write.backends.base import Completion, Meter, Sampling, Usage
from longbench_write.backends.finish_reasons import LENGTH, STOP
from longbench_write.backends.openai.event_stream import EventStream
from longbench_write.backends.openai.refusals import mapping, refusal
from longbench_write.errors import BackendError, RetryPolicy, shorten, with_retries

if TYPE_CHECKING:
    import httpx2


async def complete_ids(
    client: httpx2.AsyncClient, ids: Sequence[int], sampling: Sampling, meter: Meter, retry: RetryPolicy
) -> Completion:
    """Complete a prompt.

    Args:
        client: Of the server, whose time-out is that between two pieces.
        ids: The prompt.
        sampling: In llama.cpp's own names, every field set.
        meter: Told what comes.
        retry: How a request that failed is tried again.

    Raises:
        BackendError: There is no answer.
    """
    tries = count(1)

    async def ask() -> Completion:
        attempt = next(tries)
        return replace(await _complete(client, ids, sampling, meter), attempts=attempt)

    return await with_retries(ask, retry, meter.count_retry)


async def _complete(
    client: httpx2.AsyncClient, ids: Sequence[int], sampling: Sampling, meter: Meter
) -> Completion:
    """Ask once."""
    import httpx2

    began = time.perf_counter()
    texts: list[str] = []
    last: dict[str, Any] = {}
    meter.in_flight += 1
    try:
        async with client.stream("POST", "completion", json=_body(ids, sampling)) as response:
            if not response.is_success:
                await response.aread()
                raise refusal(response)
            events = EventStream()
            async for received in response.aiter_bytes():
                for event in events.feed(received):
                    last = dict(mapping(event))
                    if text := last.get("content"):
                        texts.append(text)
                        meter.pieces += 1
    except httpx2.TimeoutException:
        raise BackendError("timeout", "llama.cpp sent nothing for as long as --idle-timeout says") from None
    except (httpx2.HTTPError, ValueError) as error:
        raise BackendError("server_error", f"llama.cpp, completion: {shorten(str(error))}") from None
    finally:
        meter.in_flight -= 1
    if not last.get("stop"):
        raise BackendError("server_error", f"llama.cpp broke the answer off: {shorten(str(last))}")
    cut = last.get("stop_type") == "limit"
    written = last.get("tokens_predicted")
    return Completion(
        "".join(texts),
        "",
        LENGTH if cut else STOP,
        Usage(prompt_tokens=len(ids), completion_tokens=written),
        time.perf_counter() - began,
        max_tokens=sampling.max_tokens,
    )


def _body(ids: Sequence[int], sampling: Sampling) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": list(ids),
        "n_predict": sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "json_schema": {} if sampling.json_object else sampling.json_schema,
        "stream": True,
    }
    return {name: value for name, value in body.items() if value is not None} | dict(sampling.extra)
