"""The programs that are measured: lbw-eval and other harnesses that generate and judge.

All get the same prompts and servers, may have as many requests in flight, start cold, and retry as they do by
default. A published peer runs in an environment of its own, which is made where it is missing; the plain loop
in that of the benchmark, as lbw-eval does.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.section import Settings

PEERS = Path(__file__).parent / "peers"
TELL_VERSION = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"


@dataclass(frozen=True)
class Contestant:
    """Something that runs the evaluation; this one is lbw-eval.

    Attributes:
        name: What tables call it.
        package: The distribution whose version counts.
        python: The interpreter of its environment.
        note: What has to be known beside its figures.
    """

    name: str
    package: str
    python: Path
    note: str = ""

    @property
    def version(self) -> str:
        """That of its package, as its environment tells it."""
        told = subprocess.run(
            [self.python, "-c", TELL_VERSION, self.package], check=True, capture_output=True, text=True
        )
        return told.stdout.strip()

    def prepare(self) -> None:
        """Make its environment, or see that nothing is missing in it."""

    def command(self, address: str, concurrency: int, suite: Path, out: Path) -> list[str | Path]:
        """Return how to launch it.

        Args:
            address: The server's; /model/v1 and /judge/v1 are behind it.
            concurrency: How many requests may be in flight to the model, and as many to the judge.
            suite: The prompts.
            out: An empty folder for what it writes.
        """
        model = ["--model", "m", "--base-url", f"{address}/model/v1", "--concurrency", str(concurrency)]
        judge = ["--judge", "rubric", "--judge-base-url", f"{address}/judge/v1"]
        judges = ["--judge-concurrency", str(concurrency)]
        return [self.python.parent / "lbw-eval", *model, *judge, *judges, "--suite", suite, "--out", out]


@dataclass(frozen=True)
class Peer(Contestant):
    """One that a script of peers/ starts.

    Attributes:
        script: Its file name.
        requirements: What its environment is made of; none where it is the benchmark's.
    """

    script: str = ""
    requirements: tuple[str, ...] = ()

    def prepare(self) -> None:
        if not self.requirements:
            return
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", self.python.parent.parent], check=True)
        subprocess.run([self.python, "-m", "pip", "install", "--quiet", *self.requirements], check=True)

    def command(self, address: str, concurrency: int, suite: Path, out: Path) -> list[str | Path]:
        urls = ["--model-url", f"{address}/model/v1", "--judge-url", f"{address}/judge/v1"]
        limit = ["--concurrency", str(concurrency)]
        return [self.python, PEERS / self.script, *urls, *limit, "--suite", suite, "--out", out]


def contestants(settings: Settings) -> list[Contestant]:
    """All of them, lbw-eval first."""
    here = Path(sys.executable)
    return [
        Contestant(
            "lbw-eval",
            "longbench-write",
            here,
            "With all its defaults: it streams, and ends with scores.csv and summary.json.",
        ),
        Peer(
            "plain loop",
            "openai",
            here,
            "Written for this benchmark, as one writes it by hand: AsyncOpenAI, a semaphore a server, whole "
            "responses instead of streams, a line of JSON a result. It does not resume; one failure ends it.",
            "plain_loop.py",
        ),
        Peer(
            "evalscope",
            "evalscope",
            settings.work / "evalscope/bin/python",
            "Its longbench_write collects responses in the order in which they come and lays them beside the "
            "prompts in the order of the file: most are judged with a prompt that they do not answer, so its "
            "scores mean nothing. It judges when everything is written, in as many threads as Python's pools "
            "have by default (processors + 4, at most 32); no setting of its own changes that.",
            "evalscope_task.py",
            ("evalscope==1.14.1", "matplotlib", "torch==2.13.0"),
        ),
        Peer(
            "inspect_ai",
            "inspect_ai",
            settings.work / "inspect/bin/python",
            "A framework: the evaluation is a task with a scorer, written for this benchmark. A sample keeps "
            "its place until it is judged, so max_samples is twice max_connections: both servers are busy.",
            "inspect_task.py",
            ("inspect_ai==0.3.285", "openai"),
        ),
    ]
