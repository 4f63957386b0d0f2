"""`lbw-eval plot` as a person runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from samples import RUN_INFO, judged, predicted

from longbench_write.cli.plot import Form
from longbench_write.cli.plot import plot as command
from longbench_write.errors import UsageError
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv

COMMAND = """
import sys
from longbench_write.cli import app
assert "matplotlib" not in sys.modules
app.main()
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""


def plot(*words):
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "plot", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
    )


def put_run(folder, **changes):
    summary, rows = summarise(
        replace(RUN_INFO, **changes),
        [predicted("a"), predicted("b", length=900)],
        [judged("a"), judged("b")] if changes.get("judge", "j") else [],
        owed=2,
        seconds=1.0,
    )
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text("")
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    (folder / "scores.csv").write_text(scores_csv(rows), encoding="utf-8")


def test_one_block_is_drawn_into_the_folder_itself(tmp_path):
    put_run(tmp_path / "results" / "m")
    (tmp_path / "results" / "half").mkdir()
    (tmp_path / "results" / "half" / "run.yaml").write_text("")
    out = tmp_path / "plots"
    done = plot(tmp_path / "results", "--out", out, "--format", "png")
    assert done.returncode == 0, done.stderr
    paths = [
        str(out / f"{name}.png")
        for name in (
            *("required-vs-written", "by-length", "dimensions", "dimensions-radar"),
            *("quality-vs-length", "deviation"),
        )
    ]
    assert done.stdout.splitlines() == paths
    assert sorted(map(str, out.iterdir())) == sorted(paths)
    assert done.stderr.splitlines() == [
        f"lbw-eval: not scored yet: lbw-eval score {tmp_path / 'results' / 'half'}",
    ]


def test_what_is_not_comparable_is_drawn_apart(tmp_path, capsys):
    put_run(tmp_path / "in" / "1", judge=None, judge_sha256=None, suite="../a b")
    put_run(tmp_path / "in" / "2", judge=None, judge_sha256=None, suite="ruler")
    out = tmp_path / "out"
    command([tmp_path / "in"], out=out, forms=[Form.svg, Form.svg])
    done = capsys.readouterr()
    paths = done.out.splitlines()
    assert len(paths) == 2 * 3
    assert {path.parent.parent for path in out.rglob("*.*")} == {out}
    assert len(list(out.iterdir())) == 2
    assert all("\n" not in path and path.startswith(str(out)) for path in paths)
    assert re.search(r"^.*\bruler · 4 prompts\b.*: .*\bdimensions\b", done.err, re.MULTILINE)


def test_errors_say_what_to_do(tmp_path):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "run.yaml").write_text("")
    with pytest.raises(UsageError, match="lbw-eval score"):
        command([tmp_path])
    put_run(tmp_path / "m", judge=None, judge_sha256=None)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "file"))):
        command([tmp_path], out=tmp_path / "file")
