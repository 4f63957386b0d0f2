import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest

from longbench_write.backends.vllm.engine_guard import EngineGuard

WAITS = [sys.executable, "-c", "input()"]
OWNER = (
    "import sys; from longbench_write.backends.vllm.engine_guard import EngineGuard;"
    "guard = EngineGuard();"
    "guard.watch([int(sys.argv[1])]); print(flush=True); input()"
)


@pytest.fixture
def started():
    with ExitStack() as stack:

        def start(*words, **streams):
            child = stack.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE, text=True, **streams))
            stack.callback(child.kill)
            return child

        yield start


def test_it_ends_what_it_was_told_of(started):
    told, other = started(*WAITS), started(*WAITS)
    guard = EngineGuard()
    reaper = threading.Thread(target=told.wait)
    reaper.start()
    guard.watch([told.pid])
    guard.watch([told.pid])
    guard.end()
    reaper.join(60)
    assert told.returncode == -signal.SIGTERM
    assert other.poll() is None


def test_what_has_ended_already_is_left_alone(started):
    gone = started(*WAITS)
    gone.kill()
    gone.wait()
    guard = EngineGuard()
    guard.watch([gone.pid])
    guard.end()


def test_it_acts_when_its_owner_is_killed(started):
    engine = started(*WAITS)
    owner = started(sys.executable, "-c", OWNER, str(engine.pid), stdout=subprocess.PIPE)
    owner.stdout.readline()
    assert engine.poll() is None
    owner.kill()
    assert engine.wait(60) == -signal.SIGTERM


HAS_A_WORKER = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", "print('there', flush=True); input()"])
worker.wait()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
@pytest.mark.parametrize("killed", [False, True])
def test_it_ends_what_the_told_processes_have_started_too(started, killed):
    told = started(sys.executable, "-c", HAS_A_WORKER, stdout=subprocess.PIPE)
    assert told.stdout.readline() == "there\n"
    if killed:
        owner = started(sys.executable, "-c", OWNER, str(told.pid), stdout=subprocess.PIPE)
        owner.stdout.readline()
        reaper = threading.Thread(target=told.wait)
        reaper.start()
        owner.kill()
    else:
        guard = EngineGuard()
        reaper = threading.Thread(target=told.wait)
        reaper.start()
        guard.watch([told.pid])
        guard.end()
    reaper.join(60)
    assert told.stdout.read() == ""  # the pipe is closed once the worker too has ended
