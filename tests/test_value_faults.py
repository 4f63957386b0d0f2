"""Files with one wrong value: every command ends with a sentence that names the file and the key, or as ever.

A few of all faults are tried with every command each time, hundreds where tests may be slow.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from crash_tests import Trial
from value_faults import command, faults, sample, told

from longbench_write.metrics.quality import DIMENSIONS

FORMATS = ("table", "md", "csv", "json", "latex", "html")
FILES = ("run.yaml", "predictions.jsonl", "judgements.jsonl", "steps.jsonl", "scores.csv", "summary.json")
GATE = """baseline: main.json
metrics: [S_bar, S_l, S_q]
max_drop: {S_l: 2, default: 1}
min: {S_l: 1}
max_missing: 5
allow_different_judges: false
"""
LENGTHS = (100, 900, 2500, 5000)
OPTIONS = ("--judge-repeats", "2", "--progress", "none", "--writer", "extend")
QUICK, SLOW = 6, 60
"""Commands that are run on faults of each file."""


@dataclass
class Place:
    """A folder with a run, another one that stays as it is, a baseline and a gate's configuration.

    Beside them are people's scores, and two runs of one model on a public suite and an unseen one.
    """

    folder: Path
    trial: Trial

    def __post_init__(self) -> None:
        done = self.trial.finish()
        assert done.returncode == 0, done.stderr
        self.run = self.trial.run
        shutil.copytree(self.run, self.folder / "before")
        shutil.copytree(self.run, self.folder / "runs" / "other")
        assert command("baseline", self.run, "-o", self.folder / "main.json").code == 0
        (self.folder / "gate.yaml").write_text(GATE)
        self._write_human(self.folder / "human.csv")
        for name, suite in (("public", "longbench-write"), ("unseen", "lbw-open")):
            shutil.copytree(self.run, self.folder / name)
            path = self.folder / name / "summary.json"
            path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"suite": suite}))

    def _write_human(self, path: Path) -> None:
        lines = (self.run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [f"{json.loads(line)['id']},0,{','.join('345123')}" for line in lines]
        path.write_text("\n".join([",".join(("id", "sample", *DIMENSIONS)), *rows, ""]))

    def restore(self) -> None:
        """Make the run what it was."""
        shutil.rmtree(self.run)
        shutil.copytree(self.folder / "before", self.run)

    def file(self, name: str) -> Path:
        """Return a file of the run that commands change, or one beside it."""
        return self.run / name if name in FILES else self.folder / name

    def commands(self, name: str) -> list[tuple[object, ...]]:
        """Return the commands that read a file, in an order in which none mends it for the next."""
        run, made, other = self.run, self.folder / "made", self.folder / "runs" / "other"
        made.mkdir(exist_ok=True)
        baseline, words = self.folder / "main.json", self.trial.words
        report = ("report", run, "-o", made / "report.html")
        check = ("check", run, "--baseline", other, "--json")
        forms = ("reference", "csv", "jsonl", "parquet")
        exports = [("export", run, "--to", form, "-o", made / form) for form in forms]
        plot = ("plot", run, "--out", made / "plots", "--format", "svg")
        judge = words[words.index("--judge") :]
        judged = ("judge", run, *judge[:4], "--judge-repeats", "2", "--progress", "none")
        resumed = [("score", run), judged, tuple(words)]
        if name in ("summary.json", "scores.csv"):
            boards = [("leaderboard", run, "--format", form) for form in FORMATS]
            boards += [("leaderboard", run, "--by", by) for by in ("language", "type", "dimension")]
            read = [check, ("compare", other, run), ("baseline", run, "-o", made / "b.json"), ("power", run)]
            read += [report, *exports, ("export", run, "--to", "model-card")]
            return [*(boards if name == "summary.json" else ()), *read, plot]
        human = ("agree", run, "--human", self.folder / "human.csv")
        gap = ("contamination", self.folder / "public", self.folder / "unseen", "--format")
        return {
            "run.yaml": [report, ("agree", run), ("export", run, "--to", "model-card"), *resumed],
            "predictions.jsonl": [report, check, *exports, *resumed, plot],
            "judgements.jsonl": [report, ("agree", run), human, ("power", run), *exports, *resumed],
            "steps.jsonl": [report, *exports, *resumed, plot],
            "human.csv": [human, (*human, "--json")],
            "public/summary.json": [(*gap, form) for form in ("table", "json", "md")],
            "public/scores.csv": [(*gap, form) for form in ("table", "json", "md")],
            "main.json": [
                (
                    "check",
                    run,
                    "--baseline",
                    baseline,
                    "--junit",
                    made / "j.xml",
                    "--markdown",
                    made / "m.md",
                ),
                ("compare", baseline, run),
                ("power", baseline),
            ],
            "gate.yaml": [("check", run, "--config", self.folder / "gate.yaml")],
        }[name]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    with Trial(folder / "trial", lengths=LENGTHS, options=OPTIONS) as trial:
        yield Place(folder, trial)


def tried(place: Place, name: str, count: int, seed: int) -> list[str]:
    """Return what went wrong with so many faults of a file, each read by another of the commands.

    Args:
        place: The run and its copies.
        name: The file.
        count: Faults, and so commands.
        seed: Which of the faults.
    """
    path = place.file(name)
    before = path.read_bytes()
    commands = place.commands(name)
    chosen = sample(list(faults(path)), count, seed)
    well = {words: command(*words) for words in commands[:count]}
    assert all(ended.raised is None and ended.code in (0, 1, 3) for ended in well.values())
    found = []
    for number, fault in enumerate(chosen):
        words = commands[number % len(commands)]
        path.write_bytes(fault.content)
        ended = command(*words)
        if wrong := told(fault, path, ended, well[words]):
            found.append(f"{words[0]}: {fault}: {wrong}")
        if words[0] in ("score", "judge", "--model"):
            place.restore()
        path.write_bytes(before)
    return found


ALL = [*FILES, "main.json", "gate.yaml", "human.csv", "public/summary.json", "public/scores.csv"]


@pytest.mark.parametrize("name", ALL)
def test_a_wrong_value_is_named_or_changes_nothing(place, name):
    assert tried(place, name, QUICK, seed=1) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_many_wrong_values_are_named_or_change_nothing(place, name):
    assert tried(place, name, SLOW, seed=2) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["summary.json", "scores.csv"])
def test_plots_of_wrong_values(place, name):
    path = place.run / name
    before = path.read_bytes()
    for fault in sample(list(faults(path)), 30, seed=3):
        path.write_bytes(fault.content)
        done = command("plot", place.run, "--format", "svg", "--out", place.folder / "plots")
        assert done.raised is None, fault
        assert done.code == 0 or name in done.err, fault
    path.write_bytes(before)
