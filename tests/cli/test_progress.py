import io
from dataclasses import replace

import pytest
from samples import failed, judged, predicted

from longbench_write.backends.base import Meter
from longbench_write.cli.progress import (
    PLAIN_EVERY,
    PlainDisplay,
    RichDisplay,
    clock,
    download_line,
    make_progress,
)
from longbench_write.errors import UsageError
from longbench_write.render.terminal import escape_terminal
from longbench_write.runs.work import Judging, Work, Writing
from longbench_write.suites.suite import Prompt
from longbench_write.writers.registry import load_writer


class Clock:
    """Stands still until it is told to continue."""

    now = 1000.0

    def __call__(self):
        return self.now


class Backend:
    def __init__(self):
        self.meter = Meter()


@pytest.fixture
def time(monkeypatch):
    time = Clock()
    monkeypatch.setattr("longbench_write.cli.progress.time.monotonic", time)
    return time


@pytest.fixture
def plan(tmp_path):
    tasks = [(Prompt(f"p-{n}", "Write.", "t", length, "en"), 0) for n, length in enumerate([3000, 1000])]
    backend = Backend()
    return Work(tmp_path, tasks, [("p-9", 0)], 1, Writing(None, backend, 2), Judging(None, backend, 2))


def test_the_line_says_how_far_it_is_and_how_long_it_will_take(time, plan):
    progress = PlainDisplay(io.StringIO())
    progress.begin(plan)
    assert progress.line() == "written 0/2 · judged 0/3 · in flight 0 · 0:00 gone"
    meter = plan.writing.backend.meter
    meter.pieces, meter.retries, meter.last_retry, meter.in_flight = 600, 2, "HTTP 503: busy", 4
    time.now += 60
    progress.predicted(predicted("p-0", length=3000, response_length=3000))
    line = progress.line()
    assert line == (
        "written 1/2 · judged 0/3 · 10 tokens/s · S_l 100.0 · in flight 4 · retries 2 (HTTP 503: busy)"
        " · 1:00 gone · about 0:20 left"
    )
    progress.predicted(failed("p-1"))
    progress.judged(judged("p-0"))
    assert "written 2/2 · judged 1/2" in progress.line()
    assert "failed 1" in progress.line()
    assert "about 1:00 left" in progress.line()
    assert progress.kept().startswith("1 new responses and 1 judgements are kept in")


def test_steps_are_counted_beside_responses(plan):
    progress = PlainDisplay(io.StringIO())
    progress.begin(replace(plan, writing=replace(plan.writing, writer=load_writer("agentwrite"))))
    progress.stepped(None)
    # 3,000 and 1,000 words in paragraphs of 500, and a plan of each
    assert progress.line().split(" · ")[1] == "steps 1 of about 10"


def test_an_overloaded_server_is_told_of(time, plan):
    progress = PlainDisplay(io.StringIO())
    progress.begin(plan)
    plan.writing.backend.meter.allowed = 2
    assert "in flight 0 ·" in progress.line()
    plan.writing.backend.meter.allowed = 1
    assert "in flight 0 (slowed to 2 of 4) ·" in progress.line()


def test_plain_lines_come_every_so_often(time, plan):
    stream = io.StringIO()
    progress = PlainDisplay(stream)
    progress.begin(plan)
    for _ in range(25):
        time.now += 1
        progress.tick()
    assert stream.getvalue().count("written 0/2") == 25 // PLAIN_EVERY
    assert "resuming" in stream.getvalue()


def test_failures_are_told_as_they_happen_and_command_no_terminal(plan):
    stream = io.StringIO()
    progress = PlainDisplay(stream)
    progress.begin(plan)
    progress.predicted(failed("p-\x1b[2J"))
    progress.judged(judged("p-1", scores=None))
    assert "p-\ufffd[2J: no response: no room" in stream.getvalue()
    assert "p-1: not judged: no JSON object" in stream.getvalue()


def test_a_download_is_told_every_so_often(time):
    stream = io.StringIO()
    progress = PlainDisplay(stream)
    for megabytes in range(30):
        time.now += 1
        progress.downloading(megabytes * 1_000_000, 30_000_000)
    assert stream.getvalue().count("downloading the model") == 3
    assert download_line(15_000_000, 30_000_000).endswith("━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌ 15 of 30 MB")
    assert download_line(15_000_000, None).endswith("15 MB")


def test_the_modes(monkeypatch):
    assert isinstance(make_progress("auto"), PlainDisplay)
    assert isinstance(make_progress("rich"), RichDisplay)
    with pytest.raises(UsageError, match="--progress"):
        make_progress("loud")


def test_times_and_texts():
    assert [clock(5), clock(65), clock(3725)] == ["0:05", "1:05", "1:02:05"]
    assert escape_terminal("a\nb\tc\x07d\u202ee") == "a\nb\ufffdc\ufffdd\ufffde"
