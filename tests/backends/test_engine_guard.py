import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest

from longbench_write.backends.vllm.engine_guard import EngineGuard

WAITS = [sys.executable, "-c", "input()"]


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
    code = (
        "import sys; from longbench_write.backends.vllm.engine_guard import EngineGuard;"
        "guard = EngineGuard();"
        "guard.watch([int(sys.argv[1])]); print(flush=True); input()"
    )
    owner = started(sys.executable, "-c", code, str(engine.pid), stdout=subprocess.PIPE)
    owner.stdout.readline()
    assert engine.poll() is None
    owner.kill()
    assert engine.wait(60) == -signal.SIGTERM
