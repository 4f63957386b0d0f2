"""Names are looked up as the system has it, and nothing waits for a look-up that hangs."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading

import pytest
from crash_tests import HANGING

from longbench_write.backends.openai.resolver import DaemonResolver


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNSPEC])
async def test_the_addresses_are_those_of_the_system(family):
    found = await DaemonResolver().resolve("localhost", 80, family)
    assert {each["host"] for each in found} <= {"127.0.0.1", "::1"}
    assert all((each["hostname"], each["port"]) == ("localhost", 80) for each in found)
    assert found


async def test_a_name_that_nobody_has_is_an_error(monkeypatch):
    def nobody(*words, **more):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(socket.gaierror, match="no such name"):
        await DaemonResolver().resolve("nobody.invalid", 80)


async def test_a_look_up_that_is_cancelled_may_end_later(monkeypatch):
    release, ended = threading.Event(), threading.Event()

    def late(*words, **more):
        assert release.wait(60)
        ended.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", late)
    task = asyncio.ensure_future(DaemonResolver().resolve("late.invalid", 80))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    await asyncio.to_thread(ended.wait, 60)


def test_a_run_whose_time_is_over_ends_though_look_ups_hang(tmp_path):
    words = ["--model", "m", "--base-url", "http://hanging.invalid/v1", "--judge", "none", "--limit", "2"]
    words += ["--suite", "lbw-open", "--out", str(tmp_path), "--max-time", "0.5"]
    done = subprocess.run([sys.executable, "-c", HANGING, *words], stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
