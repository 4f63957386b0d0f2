"""What is around a command: containers, terminals, locales, proxies, odd paths, long lists, time limits."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crash_tests import BACKWARDS, COMMAND, Trial, faulty_servers, judge_outcome
from servers.answers import TRANSIENT, Answer, varied_judge

from benchmarks.reliability.experiments import nothing, starved
from benchmarks.reliability.leaks import safe
from benchmarks.reliability.more import Swallower, injected, unusual
from benchmarks.reliability.rows import Experiment, Row, Whole

TICKS = os.sysconf("SC_CLK_TCK")
MANY = 10_000
"""Prompts of a list that is checked."""
MOST_SECONDS, MOST_BYTES = 60, 1_000_000_000
ODD_PATHS: dict[str, Callable[[Path], Path]] = {
    "too long": lambda folder: folder / ("n" * 300),
    "inside a file": lambda folder: made(folder / "file") / "inside",
    "nobody's home": lambda _: Path("~nobody-of-this-name/x"),
    "no UTF-8": lambda folder: made(folder / "binary", b"\xff\xfe\x00\x80\n{"),
    "a dangling link": lambda folder: linked(folder / "link", folder / "gone"),
    "a link to itself": lambda folder: linked(folder / "loop", folder / "loop"),
    "without an end": lambda folder: linked(folder / "zero", Path("/dev/zero")),
    "a pipe": lambda folder: piped(folder / "pipe"),
    "a folder": lambda folder: folder,
}
READING = (
    ("--model", "m", "--base-url", "http://127.0.0.1:1/v1", "--suite", "@"),
    ("--model", "m", "--config", "@"),
    ("score", "@"),
    ("check", "@", "--baseline", "@"),
)


def made(path: Path, content: bytes = b"x") -> Path:
    """Make a file."""
    path.write_bytes(content)
    return path


def linked(path: Path, target: Path) -> Path:
    """Make a link."""
    path.symlink_to(target)
    return path


def piped(path: Path) -> Path:
    """Make a pipe."""
    os.mkfifo(path)
    return path


def first_process(seconds: float) -> Experiment:
    """The command is process 1 of a container, where a signal that nobody handles is swallowed.

    Args:
        seconds: Of processor time that it has had when SIGTERM comes.
    """

    def stop(trial: Trial) -> None:
        container = ["unshare", "--pid", "--fork", "--kill-child"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen([*container, *COMMAND, *trial.words], stdout=quiet, stderr=quiet) as outer:
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
            while not (found := children.read_text().split()):
                time.sleep(0.005)
            while spent(int(found[0])) < seconds:
                time.sleep(0.005)
            os.kill(int(found[0]), signal.SIGTERM)
            if outer.wait(60) == 0:
                raise AssertionError("it ended with 0")

    return starved("SIGTERM 0.25 s after the start, as process 1 (unshare)", stop, nothing)


def spent(process: int) -> float:
    """Return the seconds of processor time that a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def twice(place: Path, whole: Whole) -> list[Row]:
    """A launcher sends SIGTERM twice: one winding up, in which what is in flight is kept."""

    def stop(trial: Trial) -> None:
        with trial.start() as child:
            trial.model.wait_for(lambda: len(trial.model.requests) >= 6)
            child.send_signal(signal.SIGTERM)
            child.send_signal(signal.SIGTERM)
            child.wait(120)

    return starved("SIGTERM twice at once", stop, nothing)(place, whole)


def nohup(place: Path, whole: Whole) -> list[Row]:
    """SIGHUP is ignored at the start: it stays so."""
    with Trial(place) as trial:
        ignore = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
        with trial.start(**ignore) as child:
            trial.model.wait_for(lambda: len(trial.model.requests) >= 6)
            child.send_signal(signal.SIGHUP)
            code = child.wait(120)
        ended = subprocess.CompletedProcess([], code, "", f"exit code {code}")
        return [Row("SIGHUP under nohup", 1, judge_outcome(trial, whole.results, whole.requests, done=ended))]


def terminal_gone(place: Path, whole: Whole) -> list[Row]:
    """The terminal of the live display is closed in the middle: the run goes on without it."""
    with Trial(place, options=["--progress", "rich"]) as trial:
        mine, its = pty.openpty()
        with trial.start(stdin=its, stdout=subprocess.DEVNULL, stderr=its) as child:
            os.close(its)
            reader = threading.Thread(target=drained, args=(mine,), daemon=True)
            reader.start()
            trial.model.wait_for(lambda: len(trial.model.requests) >= 6)
            os.close(mine)
            code = child.wait(120)
        ended = subprocess.CompletedProcess([], code, "", f"exit code {code}")
        outcome = judge_outcome(trial, whole.results, whole.requests, done=ended)
        return [Row("the display's terminal is gone", 1, outcome)]


def drained(terminal: int) -> None:
    """Read what is written to a terminal, until it is closed."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


def posix(place: Path, _: Whole) -> list[Row]:
    """A command line in UTF-8 is given in the locale POSIX: it is read as in any other."""
    words = ["--system", "请用心写。"]
    whole = Whole.of(place / "meant", options=words)
    known = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    bare = {**known, "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with Trial(place / "posix", options=words) as trial:
        done = trial.finish(env=bare)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
        return [Row("a command line in UTF-8, in the locale POSIX", 1, outcome)]


def replaced(place: Path, whole: Whole) -> list[Row]:
    """Another folder takes the run folder's place in the middle: nothing is written to it."""

    def stop(trial: Trial) -> None:
        away = trial.out.parent / "away"
        with trial.start() as child:
            trial.model.wait_for(lambda: trial.model.answered >= 6)
            run = trial.run
            run.rename(away)
            run.mkdir()
            if child.wait(120) != 1:
                raise AssertionError(f"a run that has lost its folder ended with {child.returncode}")
        trial.settle()
        run.rmdir()  # it is empty, else this fails
        away.rename(run)

    return starved("the run folder replaced in the middle", stop, nothing)(place, whole)


def late_clock(place: Path, whole: Whole) -> list[Row]:
    """Each look at the clock shows an hour less, and answers are to be asked again at a date."""
    name = "HTTP 429, Retry-After as a date"
    model, judges = faulty_servers(0.25, 8, {name: TRANSIENT[name]})
    with Trial(place, written=model, judged=judges) as trial:
        command = [sys.executable, "-c", BACKWARDS, *trial.words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        count = model.injected.total() + judges.injected.total()
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=count)
        return [Row(f"{name}, and a clock that is wrong", count, outcome)]


def slow_judge(place: Path, whole: Whole) -> list[Row]:
    """A judge stalls three times for longer than --prompt-timeout; what is owed is judged afterwards."""
    usual = varied_judge()
    with Trial(place, options=["--prompt-timeout", "4", "--idle-timeout", "60"]) as trial:
        stall = Answer(fault="stall_before")
        trial.judges.answer = lambda body, number: stall if number < 3 else usual(body, number)
        first = trial.finish()
        trial.judges.answer = usual
        trial.options += ["--retry-failed"]
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish(), least=3)
        if "Traceback" in first.stderr:
            outcome.said = first.stderr[-300:]
        return [Row("a judge that stalls for longer than --prompt-timeout", 3, outcome)]


def swallowed_list(place: Path, whole: Whole) -> list[Row]:
    """A server takes the question for its models and never answers: --max-time ends the command."""

    def stop(trial: Trial) -> None:
        with Swallower() as server:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            silent = f"http://127.0.0.1:{server.server_address[1]}/v1"
            words = [silent if word == trial.model.base_url else word for word in trial.words]
            subprocess.run(
                [*COMMAND, *words, "--max-time", "2"], capture_output=True, timeout=60, check=False
            )
            server.shutdown()

    return starved("a list of models that never comes, --max-time", stop, nothing)(place, whole)


def odd_paths(place: Path, _: Whole) -> list[Row]:
    """Commands are given paths that cannot be: a sentence and 1 or 2 for each, within a minute."""
    place.mkdir(parents=True)
    wrong, count = [], 0
    for number, (name, path_of) in enumerate(ODD_PATHS.items()):
        folder = place / str(number)
        folder.mkdir()
        path = str(path_of(folder))
        for words in READING:
            command = [*COMMAND, *(path if word == "@" else word for word in words)]
            done = subprocess.run(command, capture_output=True, cwd=place, timeout=60, check=False)
            count += 1
            if done.returncode not in (1, 2) or b"Traceback" in done.stderr:
                wrong.append(f"{words[0]} {name}: {done.returncode}")
    return [safe("paths that cannot be read", count, ", ".join(wrong))]


def full_streams(place: Path, _: Whole) -> list[Row]:
    """Stdout is closed, or a full device: 1 or 2, or as ever, and no traceback."""
    place.mkdir(parents=True)
    wrong = []
    with open("/dev/full", "wb") as full, Trial(place, lengths=(150, 900)) as trial:
        trial.finish()
        commands = (("leaderboard", str(trial.run)), ("score", str(trial.run)), ("judges",), ("--help",))
        streams: tuple[dict[str, Any], ...] = (
            {"stdout": full},
            {"preexec_fn": lambda: os.close(1), "stdout": None},
        )
        for words in commands:
            for options in streams:
                done = subprocess.run(
                    [*COMMAND, *words], stderr=subprocess.PIPE, timeout=60, check=False, **options
                )
                if done.returncode not in (0, 1, 2) or b"Traceback" in done.stderr:
                    wrong.append(f"{words[0]}: {done.returncode} {done.stderr[-200:]!r}")
    return [safe("stdout closed, or full", len(commands) * len(streams), ", ".join(wrong))]


def many_alike(place: Path, _: Whole) -> list[Row]:
    """A list of 10,000 prompts that are alike is checked within limits, and lines that repeat are named."""
    place.mkdir(parents=True)
    path = place / "alike.jsonl"
    lines = [
        {"prompt": f"Write about 200 words on river {number}.", "type": "News Report", "length": 200}
        for number in range(MANY)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with (place / "said").open("w+b") as said:
        child = subprocess.Popen([*COMMAND, "suites", "check", str(path), "--offline"], stdout=said)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told = said.read().decode()
    seconds, size = used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss
    named = any("duplicates: " in line and f"lines 1-{MANY}" in line for line in told.splitlines())
    good = child.returncode == 1 and named and seconds < MOST_SECONDS and size < MOST_BYTES
    told_short = f"{child.returncode}, {seconds:.1f} s, {size / 1e6:.0f} MB, {told[:300]}"
    return [safe("prompts that are alike, checked within 60 s and 1 GB", MANY, "" if good else told_short)]


def experiments() -> list[Experiment]:
    """List all of them; those with injected system calls, or in a container, where they can be had."""
    return [
        *(first_process(0.25) for _ in range(3) if os.geteuid() == 0),
        twice,
        nohup,
        unusual("the disk of the display's log is full", lambda _: {"stderr": open("/dev/full", "wb")}),
        terminal_gone,
        posix,
        replaced,
        late_clock,
        slow_judge,
        swallowed_list,
        *(
            unusual("fsync that is not supported (strace)", injected(f"fsync:error={code}"))
            for code in ("ENOSYS", "EOPNOTSUPP")
        ),
        unusual("no file locks (strace)", injected("flock:error=EOPNOTSUPP")),
        odd_paths,
        full_streams,
        many_alike,
    ]
