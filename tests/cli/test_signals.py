"""Each signal that ends a process winds a run up: what is in flight is kept, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from samples import write_suite
from servers.openai_server import OpenAIServer, writer

COMMAND = [
    sys.executable,
    "-c",
    # However slow the machine is, signals that a test sends "at once" count as one.
    "from longbench_write.cli import app, signals; signals.TOGETHER = 1e9; app.main()",
]
OTHERS = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU]


class Held:
    """A run of eight prompts, two at once, of which all but the first two answers are held back."""

    def __init__(self, folder):
        self.release = threading.Event()
        suite = write_suite(folder)
        self.out = folder / "out"

        def answer(body, number):
            made = writer(80)(body, number)
            return made if number < 2 else replace(made, hold=self.release)

        self.server = OpenAIServer(answer)
        self.words = ["--model", "m", "--suite", str(suite), "--judge", "none", "--concurrency", "2"]
        self.words += ["--out", str(self.out)]

    def __enter__(self):
        self.server.__enter__()
        self.words += ["--base-url", self.server.base_url]
        return self

    def __exit__(self, *error):
        self.release.set()
        self.server.__exit__(*error)

    def start(self, **options):
        child = subprocess.Popen([*COMMAND, *self.words], stderr=subprocess.PIPE, text=True, **options)
        assert self.server.wait_for(lambda: len(self.server.requests) == 4)
        return child

    def kept(self):
        (path,) = self.out.glob("*/*/*/predictions.jsonl")
        return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_a_hang_up_winds_up_unless_it_is_ignored(tmp_path):
    (tmp_path / "heard").mkdir()
    with Held(tmp_path / "heard") as run, run.start() as child:
        child.send_signal(signal.SIGHUP)
        assert any("2 requests in flight" in line for line in iter(child.stderr.readline, ""))
        run.release.set()
        _, err = child.communicate(timeout=60)
        assert child.returncode == 130
        assert "interrupted; 4 new responses" in err
        assert len(run.kept()) == len(run.server.requests) == 4
    (tmp_path / "ignored").mkdir()
    with (
        Held(tmp_path / "ignored") as run,
        run.start(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as child,
    ):
        child.send_signal(signal.SIGHUP)
        run.release.set()
        child.communicate(timeout=60)
        assert child.returncode == 0
        assert len(run.kept()) == 8


@pytest.mark.slow
@pytest.mark.parametrize("number", OTHERS)
def test_each_other_signal_winds_up_and_two_at_once_are_one(tmp_path, number):
    with Held(tmp_path) as run, run.start() as child:
        for _ in range(3):
            child.send_signal(number)
        assert any("2 requests in flight" in line for line in iter(child.stderr.readline, ""))
        child.send_signal(number)
        run.release.set()
        _, err = child.communicate(timeout=60)
        assert child.returncode == 130
        assert "Traceback" not in err
        assert len(run.kept()) == len(run.server.requests) == 4


SENT_AT_ONCE = """
import os, signal, sys
from longbench_write.cli import app
app.app = lambda words: os.kill(os.getpid(), int(sys.argv[1]))
app.main()
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, *OTHERS])
def test_a_signal_is_heard_before_anything_else_is_done(number):
    done = subprocess.run([sys.executable, "-c", SENT_AT_ONCE, str(int(number))], capture_output=True)
    assert (done.returncode, done.stderr) == (130, b"")


SENT_WHILE_READ = """
import os, signal, sys
class Sends:
    def find_spec(self, name, path, target=None):
        if name == "longbench_write.cli.app":
            os.kill(os.getpid(), int(sys.argv[1]))
sys.meta_path.insert(0, Sends())
from longbench_write.cli import entry
heavy = {"typer", "pydantic", "rich"} & set(sys.modules)
print(*heavy)
entry.main()
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, *OTHERS])
def test_a_signal_is_heard_before_the_commands_are_read(number):
    done = subprocess.run([sys.executable, "-c", SENT_WHILE_READ, str(int(number))], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"\n", b"")


def test_main_leaves_the_signals_as_they_were():
    code = (
        "import signal; from longbench_write.cli import app; app.app = lambda words: None; app.main();"
        "print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,"
        " signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_run_folder_that_is_lost_stops_the_run_at_once(tmp_path, what):
    with Held(tmp_path) as run, run.start() as child:
        (folder,) = run.out.glob("*/*/*")
        gone = tmp_path / "gone"
        os.rename(folder, gone)
        if what == "replaced":
            folder.mkdir()
        _, err = child.communicate(timeout=60)
        assert child.returncode == 1
        assert str(folder) in err
        assert "are kept in" not in err
        assert "Traceback" not in err
        assert len(run.server.requests) == 4
        assert what == "removed" or list(folder.iterdir()) == []
