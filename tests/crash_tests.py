"""Crash tests of real processes, killed or out of resources; shared with benchmarks/reliability/.

A `Trial` is one run with its own servers and folder. What it leaves is compared with an undisturbed run's.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samples import write_suite
from servers.answers import AnswerFunction, Faulty, varied_judge, varied_writer
from servers.openai_server import OpenAIServer, Request

COMMAND = [sys.executable, "-c", "from longbench_write.cli.entry import main; main()"]
"""`lbw-eval`, whether it is installed or not."""

BACKWARDS = """
import sys, time
now = time.time()
def back():
    global now
    now -= 3600
    return now
time.time = back
time.time_ns = lambda: int(back() * 1e9)
from longbench_write.cli.app import main
main()
"""
"""`lbw-eval` where each look at the clock shows an hour less; the code of `python -c`."""

HANGING = """
import socket, threading
looked_up = socket.getaddrinfo
def hang(host, *words, **more):
    if "hanging" in str(host):
        threading.Event().wait()
    return looked_up(host, *words, **more)
socket.getaddrinfo = hang
from longbench_write.cli.app import main
main()
"""
"""`lbw-eval` where looking up names that contain "hanging" never ends; the code of `python -c`."""

FILES = ("run.yaml", "predictions.jsonl", "judgements.jsonl", "scores.csv", "summary.json")
TEMPLATE = "Rate what follows.\nAsked: $INST$\nWritten: $RESPONSE$\nReply in JSON."
LENGTHS = tuple(range(150, 4950, 200))
VARYING = ("seconds", "start", "end", "made")
"""Keys that differ between two equal runs."""


@dataclass
class Results:
    """The results of a run, without what differs between two runs that are the same.

    Attributes:
        files: The text of scores.csv; the records of each kind by identity; the summary.
        doubled: Records that stand twice.
    """

    files: dict[str, Any] = field(default_factory=dict)
    doubled: int = 0

    @classmethod
    def read(cls, run: Path) -> Results:
        """Read a run folder."""
        found = cls()
        for name in ("predictions.jsonl", "judgements.jsonl"):
            records = {}
            for line in (run / name).read_bytes().splitlines():
                record = json.loads(line)
                key = (record["id"], record["sample"], record.get("repeat", 0))
                found.doubled += key in records
                records[key] = _without(record, *VARYING, "attempts", "retries")
            found.files[name] = records
        summary = _without(json.loads((run / "summary.json").read_text(encoding="utf-8")), *VARYING)
        summary["counts"] = _without(summary["counts"], "retries", "judge_retries")
        found.files["summary.json"] = summary
        found.files["scores.csv"] = (run / "scores.csv").read_text(encoding="utf-8")
        return found

    def lost(self, whole: Results) -> int:
        """Records of an undisturbed run that are missing or not the same."""
        return sum(
            self.files[name].get(key) != record
            for name in ("predictions.jsonl", "judgements.jsonl")
            for key, record in whole.files[name].items()
        )


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


class Trial:
    """One run of `lbw-eval` with servers of its own; a context manager.

    Args:
        place: An empty folder for suite, judge and runs.
        written: What the model answers.
        judged: What the judge answers.
        lengths: Of the suite's prompts.
        options: More words of the command.

    Attributes:
        model, judges: The servers.
        out: Where runs go.
        options: The same, and may be changed between two commands.
    """

    def __init__(
        self,
        place: Path,
        *,
        written: AnswerFunction | None = None,
        judged: AnswerFunction | None = None,
        lengths: Sequence[int] = LENGTHS,
        suite: Path | str | None = None,
        options: Sequence[str] = (),
    ) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.model = OpenAIServer(written or varied_writer())
        self.judges = OpenAIServer(judged or varied_judge())
        self.out = place / "out"
        self._suite = suite or write_suite(place, lengths)
        self._judge = place / "judge"
        self._judge.mkdir(exist_ok=True)
        (self._judge / "judge.yaml").write_text(
            "description: For tests.\nmodel: judge-model\ntemplate: template.txt\n"
        )
        (self._judge / "template.txt").write_text(TEMPLATE)
        self.options = [*options]
        self._stack = ExitStack()

    def __enter__(self) -> Trial:
        self._stack.enter_context(self.model)
        self._stack.enter_context(self.judges)
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    @property
    def words(self) -> list[str]:
        """The command's words."""
        return [
            *("--model", "m", "--suite", str(self._suite), "--base-url", self.model.base_url),
            *("--judge", str(self._judge), "--judge-base-url", self.judges.base_url),
            *("--out", str(self.out), "--concurrency", "4", "--judge-concurrency", "4", *self.options),
        ]

    @property
    def run(self) -> Path:
        """The run folder, which may not be there yet."""
        found = [path for path in self.out.glob("*/*/*") if path.is_dir()]
        return found[0] if found else self.out / "none-yet"

    @property
    def requests(self) -> list[Request]:
        """All requests so far."""
        return [*self.model.requests, *self.judges.requests]

    def finish(self, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            [*COMMAND, *self.words], capture_output=True, text=True, timeout=300, check=False, **options
        )

    def start(self, **options: Any) -> subprocess.Popen[bytes]:
        """Begin it."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([*COMMAND, *self.words], **quiet | options)

    def settle(self) -> None:
        """Wait until the servers have dealt with all that a process asked before it ended."""
        self.model.settle()
        self.judges.settle()

    def recorded(self) -> set[str]:
        """The prompts whose responses stand in whole lines, and the responses that are judged likewise."""
        found = set()
        for name, word in (("predictions.jsonl", "prompt"), ("judgements.jsonl", "id")):
            path = self.run / name
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
            found |= {f"{name} {json.loads(line)[word]}" for line in lines if line.endswith(b"\n")}
        return found


def asked(requests: Sequence[Request]) -> Counter[str]:
    """Count the requests for each text."""
    return Counter(request.prompt for request in requests)


# Killing


@dataclass(frozen=True)
class Moment:
    """When a process is killed.

    Attributes:
        what: "model asked", "model answered", "judge asked", "judge answered", or a file of the run folder.
        number: So many requests; or so many bytes of the file.
    """

    what: str
    number: int

    def __str__(self) -> str:
        unit = "bytes" if "." in self.what else "th"
        return f"{self.what} {self.number} {unit}"


def moments(count: int, seed: int, *, prompts: int, sizes: Mapping[str, int]) -> list[Moment]:
    """Moments spread by seed over requests, answers and the bytes of the files of an undisturbed run."""
    rng = random.Random(seed)
    kinds = ("model asked", "model answered", "judge asked", "judge answered", *sizes)
    return [
        Moment(what, rng.randint(1, sizes.get(what, prompts)))
        for what in (kinds[place % len(kinds)] for place in range(count))
    ]


def kill_at(trial: Trial, moment: Moment) -> bool:
    """Begin the run and kill it at a moment; False if it ended before."""
    whom, _, what = moment.what.partition(" ")
    with trial.start() as child:
        try:
            if what:
                server = trial.model if whom == "model" else trial.judges
                if what == "asked":
                    server.wait_for(lambda: len(server.requests) >= moment.number)
                else:
                    server.wait_for(lambda: server.answered >= moment.number)
            else:
                while child.poll() is None and _size(trial.run / moment.what) < moment.number:
                    time.sleep(0.0005)
        finally:
            child.kill()
        return child.wait() == -signal.SIGKILL


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@dataclass
class Outcome:
    """The outcome of a trial.

    Attributes:
        lost: Records that are missing or not those of the undisturbed run.
        doubled: Records that stand twice, and requests that were made although their record was there.
        extra: Requests more than the undisturbed run's.
        least: The fewest that could have been.
        equal: Whether summary and scores are the undisturbed run's.
        said: What went wrong, "" if nothing did.
    """

    lost: int
    doubled: int
    extra: int
    least: int
    equal: bool
    said: str = ""

    @property
    def good(self) -> bool:
        """Return whether nothing was lost or doubled, and the results are the same."""
        return not (self.lost or self.doubled or self.said) and self.equal


def judge_outcome(
    trial: Trial,
    whole: Results,
    normal: int,
    *,
    done: subprocess.CompletedProcess[str],
    least: int = 0,
    paid_more: bool = False,
) -> Outcome:
    """Compare what a trial left with an undisturbed run.

    Args:
        trial: Whose command has been finished.
        whole: What the undisturbed run left.
        normal: How many requests that one made.
        done: The command that finished it.
        least: The fewest extra requests that could have been.
        paid_more: Whether a judgement that is on file counts no more, so that the usage has more tokens.
    """
    extra = len(trial.requests) - normal
    if done.returncode:
        return Outcome(0, 0, extra, least, False, done.stderr.strip()[-300:])
    found = Results.read(trial.run)
    if paid_more:
        found.files["summary.json"]["usage"] = whole.files["summary.json"]["usage"]
    same = all(found.files[name] == whole.files[name] for name in ("summary.json", "scores.csv"))
    return Outcome(found.lost(whole), found.doubled, extra, least, same)


def killed(place: Path, moment: Moment, whole: Results, normal: int) -> tuple[bool, Outcome]:
    """Kill a run at a moment and finish it with the same command.

    Returns:
        Whether it was killed before its end; and what came of it. `least` counts the requests that had
        been made and whose records were not there yet: they have to be made again.
    """
    with Trial(place) as trial:
        hit = kill_at(trial, moment)
        trial.settle()
        kept, before = trial.recorded(), len(trial.requests)
        first = asked(trial.requests)
        done = trial.finish()
        outcome = judge_outcome(trial, whole, normal, done=done, least=before - len(kept))
        written = {name.removeprefix("predictions.jsonl ") for name in kept}
        for prompt, times in asked(trial.model.requests).items():
            outcome.doubled += prompt in written and times > first[prompt]
        return hit, outcome


# Running out of resources


def small_files(limit: int) -> dict[str, Any]:
    """Return options of a child of which no file may have more than so many bytes, as on a disk that is full.

    It writes no bytecode: Python would take a part of a module for the whole, and each later process too.
    """
    return {
        "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)),
        "env": os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    }


def few_files(limit: int) -> Callable[[], None]:
    """For a child: no more than so many files and connections may be open."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def mounted(place: Path, kilobytes: int) -> bool:
    """Put a small file system at a place; False where this user may not."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def enlarged(place: Path, kilobytes: int) -> None:
    """Enlarge it."""
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(place)], check=True)


def unmounted(place: Path) -> None:
    """Take it away."""
    subprocess.run(["umount", str(place)], check=True)


def unprivileged() -> list[str]:
    """Return the words before a command that make it respect permission bits, root or not."""
    if os.geteuid():
        return []
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


def slow_share(run: Path, seconds: float) -> list[str]:
    """Return the words before a command's own for which each write to a run folder takes so long (strace)."""
    names = ("predictions.jsonl", "judgements.jsonl", "steps.jsonl")
    paths = [word for name in names for word in ("-P", str(run / name))]
    inject = ("-e", "trace=write", "-e", f"inject=write:delay_enter={round(seconds * 1e6)}")
    # Tracing from a grandchild: the process that is started is the command itself, and hears signals.
    return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", *paths, *inject, *COMMAND]


def faulty_servers(share: float, seed: int, faults: Mapping[str, Any]) -> tuple[Faulty, Faulty]:
    """A model and a judge that spoil a share of their answers."""
    return Faulty(varied_writer(), share, seed, faults), Faulty(varied_judge(), share, seed + 1, faults)
