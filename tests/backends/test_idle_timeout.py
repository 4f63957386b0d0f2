"""A time-out that only what is worth waiting for puts off."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from servers.raw_server import RawServer

from longbench_write.backends.openai.idle_timeout import IdleTimeout


async def test_what_is_fed_goes_on_and_what_is_not_ends():
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.3
    async with IdleTimeout(0.1) as idle:
        while loop.time() < end:
            idle.feed()
            await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with IdleTimeout(0.05):
            await asyncio.Event().wait()


async def test_a_cancellation_from_outside_stays_one():
    async def wait():
        async with IdleTimeout(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


ASK = """
    import asyncio, sys
    from longbench_write.backends.base import BackendSpec, Sampling
    from longbench_write.backends.openai.backend import OpenAIBackend
    from longbench_write.errors import RetryPolicy

    async def main():
        spec = BackendSpec("openai", "m", (sys.argv[1],), idle_timeout=0.5, retry=RetryPolicy(tries=1))
        async with OpenAIBackend(spec) as backend:
            done = await backend.complete([{"role": "user", "content": "Write."}], Sampling(64))
        print(done.text)

    asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are stopped by signals")
def test_what_arrived_while_the_process_was_stopped_is_read_before_time_is_judged():
    child = None

    def answer():
        """Stop whoever asks, send the rest of the answer, and let it go on when its time is long over."""
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        yield b'data: {"choices": [{"delta": {"content": "a river"}}]}\n\n'
        server.closing.wait(0.2)
        os.kill(child.pid, signal.SIGSTOP)
        yield b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
        server.closing.wait(1.0)
        os.kill(child.pid, signal.SIGCONT)

    with RawServer(answer) as server:
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ASK), server.base_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, error = child.communicate()
    assert (out.strip(), child.returncode) == ("a river", 0), error
