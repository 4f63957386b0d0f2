"""A coroutine is run from ordinary code, inside a running event loop too."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading

import pytest

from longbench_write.runs.blocking import run_blocking


async def thread_name():
    await asyncio.sleep(0)
    return threading.current_thread()


def test_without_a_loop_it_runs_in_this_thread():
    assert run_blocking(thread_name) is threading.current_thread()


async def test_inside_a_loop_it_runs_in_another_thread():
    assert run_blocking(thread_name) is not threading.current_thread()


async def test_its_error_is_raised_here():
    async def fail():
        raise ValueError(17)

    with pytest.raises(ValueError, match="17"):
        run_blocking(fail)


INTERRUPTED = """
import asyncio, signal, sys
from longbench_write.runs.blocking import run_blocking

async def forever():
    try:
        print("running", flush=True)
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise

async def notebook():
    run_blocking(forever)

signal.signal(signal.SIGINT, signal.default_int_handler)
loop = asyncio.new_event_loop()
try:
    loop.run_until_complete(notebook())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_cancels_it_before_it_is_raised():
    child = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "running\n"
    child.send_signal(signal.SIGINT)
    assert child.communicate()[0] == "cancelled\ninterrupted\n"
    assert child.returncode == 0
