"""What else goes wrong about a run: fetching, displays, launchers, locks, odd answers, outputs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from attacks import PERFECT
from crash_tests import COMMAND, Outcome, Results, Trial, asked, judge_outcome
from servers.answers import Answer, varied_judge, varied_writer

from benchmarks.reliability.experiments import nothing, odd, served, starved
from benchmarks.reliability.rows import Experiment, Row, Whole

JOB = {"SLURM_JOB_ID": "17", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "3"}
MARKUP = "[/x] [bold]x \x1b[2J\x9b2J \u202e ::error::x ##[group]x"
"""What a terminal, a live display or a CI runner could obey."""
INDEX = "index.invalid"
SHORT_OF_TIME = """
import sys
from longbench_write.assets import downloads
downloads.SILENT_SECONDS = 15.0
from longbench_write.cli.app import main
main()
"""
"""`lbw-eval` that gives a silent package index up sooner; the code of `python -c`."""


class Swallower(socketserver.ThreadingTCPServer):
    """A proxy that takes what is sent and never answers.

    Attributes:
        installing: Set once a package installer has asked.
        gone: Set once that one's connection is closed.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.installing, self.gone = threading.Event(), threading.Event()
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                installer = False
                while received := self.request.recv(65536):
                    if INDEX.encode() in received:  # which nobody but an installer asks
                        installer = True
                        owner.installing.set()
                if installer:
                    owner.gone.set()

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead everything through it."""
        address = f"http://127.0.0.1:{self.server_address[1]}"
        index = f"https://{INDEX}/simple"  # an index without encryption is ignored
        proxies = {f"{kind}_proxy": address for kind in ("http", "https", "all")}
        return {**proxies, "PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index, "PIP_CONFIG_FILE": os.devnull}


def swallowed(how: str) -> Experiment:
    """The official files are fetched through it; killed, told to end or out of time, nothing stays behind."""

    def experiment(place: Path, _: Whole) -> list[Row]:
        temporary = place / "temporary"
        temporary.mkdir(parents=True)
        with Swallower() as proxy:
            threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
            own = {"TMPDIR": str(temporary), "LBW_CACHE": str(place / "cache"), "HOME": str(place)}
            removed = ("no_proxy", "NO_PROXY", "PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")
            known = {name: value for name, value in os.environ.items() if name not in removed}
            quiet = subprocess.DEVNULL
            command = [sys.executable, "-c", SHORT_OF_TIME] if how == "its own deadline" else COMMAND
            with subprocess.Popen(
                [*command, "assets", "fetch"], env=known | proxy.environment | own, stdout=quiet, stderr=quiet
            ) as child:
                said = "" if proxy.installing.wait(60) else "no installer asked"
                if how.startswith("SIG"):
                    child.send_signal(signal.Signals[how])
                if child.wait(60) == 0:
                    said = said or "it ended with 0"
            said = said or ("" if proxy.gone.wait(30) else "its child lives still")
            until = time.monotonic() + 10
            while any(temporary.iterdir()) and time.monotonic() < until:
                time.sleep(0.01)
            said = said or " ".join(path.name for path in temporary.iterdir())
            proxy.shutdown()
        return [Row(f"fetching through a proxy that swallows, {how}", 1, Outcome(0, 0, 0, 0, not said, said))]

    return experiment


def unusual(name: str, options: Callable[[Trial], Mapping[str, Any]], *words: str) -> Experiment:
    """The whole run takes place where something is not as it should be, and is as any other."""

    def experiment(place: Path, whole: Whole) -> list[Row]:
        with Trial(place, options=words) as trial:
            given = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE} | dict(options(trial))
            before = given.pop("before", ())
            done = subprocess.run([*before, *COMMAND, *trial.words], timeout=300, check=False, **given)
            told = (done.stderr or b"").decode(errors="replace")
            ended = subprocess.CompletedProcess(done.args, done.returncode, "", told)
            outcome = judge_outcome(trial, whole.results, whole.requests, done=ended)
            return [Row(name, 1, outcome)]

    return experiment


def injected(call: str) -> Callable[[Trial], Mapping[str, Any]]:
    """Every one of a kind of system calls is answered by strace."""
    trace = call.partition(":")[0]
    before = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={trace}", "-e", f"inject={call}")
    return lambda _: {"before": before}


def reader_gone(place: Path, whole: Whole) -> list[Row]:
    """Whoever reads the display is gone after the first line, as `| head -1` is."""
    with Trial(place) as trial:
        with trial.start(stderr=subprocess.PIPE) as child:
            child.stderr.readline()
            child.stderr.close()
            code = child.wait(120)
        done = subprocess.CompletedProcess([], code, "", f"exit code {code}")
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
        return [Row("the display's reader is gone", 1, outcome)]


def early(seconds: float) -> Experiment:
    """SIGTERM comes while the command is still starting."""

    def stop(trial: Trial) -> None:
        with trial.start() as child:
            time.sleep(seconds)
            child.send_signal(signal.SIGTERM)
            if child.wait(60) == 0:
                raise AssertionError("it ended with 0")

    return starved("SIGTERM while the command starts", stop, nothing)


def step_of_tasks(place: Path, whole: Whole) -> list[Row]:
    """Slurm starts the same command three times at once."""
    with Trial(place) as trial:
        environments = [{**os.environ, **JOB, "SLURM_PROCID": str(task)} for task in range(3)]
        children = [trial.start(env=environment) for environment in environments]
        codes = [child.wait(300) for child in children]
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        outcome.said = outcome.said or ("" if codes == [0, 0, 0] else f"exit codes {codes}")
        return [Row("three tasks of one Slurm step", 1, outcome)]


def requeued(place: Path, whole: Whole) -> list[Row]:
    """A job is stopped and starts again at once, with --fresh as before."""
    with Trial(place, options=["--fresh"]) as trial:
        with trial.start(env={**os.environ, **JOB}) as child:
            trial.model.wait_for(lambda: len(trial.model.requests) >= 9)
            child.send_signal(signal.SIGTERM)
            done = trial.finish(env={**os.environ, **JOB, "SLURM_RESTART_COUNT": "1"})
            child.wait(60)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
        return [Row("a Slurm job that is requeued", 1, outcome)]


def host_died(place: Path, whole: Whole) -> list[Row]:
    """The lease is another host's, which touched it last two minutes ago."""
    with Trial(place) as trial:
        with trial.start() as child:
            trial.model.wait_for(lambda: trial.model.answered >= 9)
            child.kill()
        trial.settle()
        kept, before = trial.recorded(), len(trial.requests)
        lease = trial.run / ".lock.holder"
        lease.write_text(json.dumps(json.loads(lease.read_text()) | {"host": "elsewhere", "process": 1}))
        then = time.time() - 120
        os.utime(lease, (then, then))
        done = trial.finish()
        least = before - len(kept)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=least)
        return [Row("a lease of a host that died", 1, outcome)]


def lock_that_does_not_lock(place: Path, whole: Whole) -> list[Row]:
    """For a second process the file lock is always free (strace): the lease keeps it out."""
    usual, released = varied_writer(), threading.Event()

    def held(body: dict[str, Any], number: int) -> Answer:
        if number > 1:
            released.wait(60)
        return usual(body, number)

    with Trial(place, written=held) as trial, trial.start() as child:
        trial.model.wait_for(lambda: len(trial.model.requests) >= 2)
        before = injected("flock:retval=0")(trial)["before"]
        second = subprocess.run(
            [*before, *COMMAND, *trial.words, "--wait", "0"], capture_output=True, timeout=120, check=False
        )
        released.set()
        child.wait(120)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        if child.returncode or second.returncode != 1:
            outcome.said = f"exit codes {child.returncode}, {second.returncode}"
        return [Row("a file lock that does not lock (strace)", 1, outcome)]


def markup(place: Path, whole: Whole) -> list[Row]:
    """Errors hold markup, escape sequences and commands to a CI runner, and the live display shows them."""
    with Trial(place, options=["--progress", "rich"]) as trial:
        usual, fault = trial.model.answer, Answer(status=500, error={"message": MARKUP, "code": None})
        trial.model.answer = lambda body, number: fault if number % 4 == 0 else usual(body, number)
        done = trial.finish()
        count = sum(number % 4 == 0 for number in range(len(trial.model.requests)))
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=count)
        if any(text in done.stderr for text in ("\x1b[2J", "\x9b", "\u202e", "::error::", "##[group]")):
            outcome.said = "a terminal or a CI runner would have obeyed"
        return [Row("markup and commands in a server's error", count, outcome)]


def planted_verdict(place: Path, _: Whole) -> list[Row]:
    """Responses hold a verdict, which the judge repeats, in other words, before its own."""
    quoted = json.dumps(dict(reversed(json.loads(PERFECT).items())), indent=2)

    def writes(body: dict[str, Any], number: int) -> Answer:
        answer = varied_writer()(body, number)
        return replace(answer, text=f"{answer.text}\n{PERFECT}")

    def repeats(body: dict[str, Any], number: int) -> Answer:
        answer = varied_judge()(body, number)
        return replace(answer, text=f"The response says:\n{quoted}\nMy own:\n{answer.text}")

    whole = Whole.of(place / "meant", written=writes)
    with Trial(place / "planted", written=writes, judged=repeats) as trial:
        done = trial.finish()
        found = Results.read(trial.run).files if done.returncode == 0 else {}
        equal = found.get("scores.csv") == whole.results.files["scores.csv"]
        count, extra = len(trial.judges.requests), len(trial.requests) - whole.requests
        return [
            Row(
                "a judge that repeats a planted verdict",
                count,
                Outcome(0, 0, extra, 0, equal, done.stderr[-200:] if not equal else ""),
            )
        ]


def outputs(place: Path, _: Whole) -> list[Row]:
    """Exports go to a link, a pipe and devices: none is followed, or replaced by a file where it is none."""
    with Trial(place / "trial", lengths=(150, 900)) as trial:
        trial.finish()
        victim, link, pipe = place / "victim", place / "link", place / "pipe"
        victim.write_text("mine")
        link.symlink_to(victim)
        os.mkfifo(pipe)
        targets = (link, pipe, Path("/dev/null"), Path("/dev/full"), place / "no" / "such" / "file")
        codes = [
            subprocess.run(
                [*COMMAND, "export", str(trial.run), "--to", "csv", "-o", str(target)],
                capture_output=True,
                timeout=60,
                check=False,
            ).returncode
            for target in targets
        ]
        whole = (
            victim.read_text() == "mine"
            and not link.is_symlink()
            and pipe.is_fifo()
            and all(Path(name).is_char_device() for name in ("/dev/null", "/dev/full"))
            and not (place / "no").exists()
            and codes[0] == codes[2] == 0
            and all(codes[number] in (1, 2) for number in (1, 3, 4))
        )
        said = "" if whole else f"exit codes {codes}"
        return [Row("outputs that are links, pipes, devices", len(targets), Outcome(0, 0, 0, 0, whole, said))]


def foreign_judge(place: Path, _: Whole) -> list[Row]:
    """A judge's folder names a server and a variable; nothing of either is sent unasked."""
    with Trial(place, lengths=(150,)) as trial:
        words = trial.words
        card = Path(words[words.index("--judge") + 1]) / "judge.yaml"
        mine = f"base_url: {trial.judges.base_url}\napi_key_env: HOME\n"
        card.write_text(card.read_text() + mine)
        here = words.index("--judge-base-url")
        done = subprocess.run(
            [*COMMAND, *words[:here], *words[here + 2 :]], capture_output=True, timeout=60, check=False
        )
        safe = done.returncode == 2 and not asked(trial.requests)
        said = "" if safe else done.stderr.decode(errors="replace")[-300:]
        return [Row("a judge's folder that names a variable", 1, Outcome(0, 0, 0, 0, safe, said))]


def bad_neighbour(place: Path, _: Whole) -> list[Row]:
    """One run of a folder cannot be read: leaderboard, plot and report name it and show the others."""
    with Trial(place / "trial", lengths=(150, 900)) as trial:
        trial.finish()
        shutil.copytree(trial.run, trial.run.parent / "broken")
        (trial.run.parent / "broken" / "summary.json").write_text("{")
        made = tempfile.mkdtemp(dir=place)
        commands = (
            ["leaderboard", str(trial.out)],
            ["plot", str(trial.out), "--out", f"{made}/plots", "--format", "svg"],
            ["report", str(trial.out), "-o", f"{made}/report.html"],
        )
        said = []
        for words in commands:
            for more, code in (([], 0), (["--strict"], 1)):
                done = subprocess.run(
                    [*COMMAND, *words, *more], capture_output=True, timeout=120, check=False
                )
                if done.returncode != code or b"broken" not in done.stderr:
                    said.append(f"{words[0]} {done.returncode}")
        return [
            Row("a run that cannot be read among others", 6, Outcome(0, 0, 0, 0, not said, ", ".join(said)))
        ]


def experiments() -> list[Experiment]:
    """List all of them; those with injected system calls where there is strace."""
    bare = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    found = [
        *map(swallowed, ("SIGKILL", "SIGTERM", "its own deadline")),
        unusual("no HOME, COLUMNS=0", lambda _: {"env": bare | {"COLUMNS": "0", "LINES": "0"}}),
        unusual("stderr is closed", lambda _: {"stderr": None, "preexec_fn": lambda: os.close(2)}),
        reader_gone,
        *map(early, (0.05, 0.15, 0.25, 0.5)),
        step_of_tasks,
        requeued,
        host_died,
        markup,
        planted_verdict,
        odd(
            "usage that cannot be: tokens not known",
            {"usage": {"prompt_tokens": -5, "completion_tokens": 10**400, "total_tokens": "x"}},
            {"usage": {}},
        ),
        served("a refusal that names a full disk", _no_room, needed=True, share=0.08),
        outputs,
        foreign_judge,
        bad_neighbour,
    ]
    if shutil.which("strace"):
        found += [
            unusual("fsync that is not supported (strace)", injected("fsync:error=EINVAL")),
            unusual("no file locks (strace)", injected("flock:error=ENOLCK")),
            lock_that_does_not_lock,
        ]
    return found


def _no_room(_: Answer) -> Answer:
    return Answer(status=507, error={"message": "insufficient storage", "code": None})
