"""Paths and files of a user that are not what they should be: one sentence, an exit code, no traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from longbench_write.cli.app import main
from longbench_write.files import reading

GOOD_SUITE = '{"prompt": "Write of a river.", "length": 50}\n'
WHERE = {
    "nothing": lambda folder: folder / "nothing",
    "folder": lambda folder: folder,
    "empty": lambda folder: made(folder / "empty", b""),
    "binary": lambda folder: made(folder / "binary", b"\xff\xfe\x00\x80\n{"),
    "latin-1": lambda folder: made(folder / "latin.yaml", "m: Müller\n".encode("latin-1")),
    "null": lambda folder: made(folder / "null.yaml", b"\x00\x00\n"),
    "dangling link": lambda folder: linked(folder / "link", folder / "gone"),
    "link to itself": lambda folder: linked(folder / "loop", folder / "loop"),
    "too long": lambda folder: folder / ("n" * 300),
    "inside a file": lambda folder: made(folder / "file", b"x") / "inside",
    "nobody's home": lambda folder: Path("~nobody-of-this-name/x"),
    "pipe": lambda folder: piped(folder / "pipe"),
    "without an end": lambda folder: linked(folder / "zero.yaml", "/dev/zero"),
}
READING = {
    "config": ("--model", "m", "--config", "@"),
    "suite": ("--model", "m", "--base-url", "http://127.0.0.1:1/v1", "--suite", "@"),
    "judge's folder": ("--model", "m", "--base-url", "http://127.0.0.1:1/v1", "--judge", "@"),
    "score": ("score", "@"),
    "judge": ("judge", "@", "--judge", "rubric"),
    "leaderboard": ("leaderboard", "@"),
    "plot": ("plot", "@"),
    "report": ("report", "@"),
    "compare": ("compare", "@", "@"),
    "contamination": ("contamination", "@", "@"),
    "check": ("check", "@", "--baseline", "@"),
    "gate": ("check", "@", "--config", "@"),
    "baseline": ("baseline", "@", "-o", "@"),
    "power": ("power", "@", "@"),
    "agree": ("agree", "@", "--human", "@"),
    "import reference": ("import", "@", "--from", "reference"),
    "import evalscope": ("import", "@", "--from", "evalscope"),
    "export": ("export", "@", "--to", "csv"),
    "suites check": ("suites", "check", "@"),
}


def made(path, content):
    path.write_bytes(content)
    return path


def piped(path):
    os.mkfifo(path)
    return path


def linked(path, target):
    path.symlink_to(target)
    return path


def ends(monkeypatch, capfd, *words):
    """The exit code and stderr of the command, run as its script runs it."""
    monkeypatch.setattr(sys, "argv", ["lbw-eval", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capfd.readouterr().err


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "given").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("command", READING)
def test_what_cannot_be_read_is_one_sentence(tmp_path, monkeypatch, capfd, command, where):
    monkeypatch.setattr(reading, "_PATIENCE", 0.01)
    monkeypatch.setattr(reading, "LARGEST", 1 << 16)
    path = WHERE[where](tmp_path / "given")
    code, err = ends(monkeypatch, capfd, *(str(path) if word == "@" else word for word in READING[command]))
    assert code in (1, 2)
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("lbw-eval: ")


RUN = Path(__file__).parent.parent / "fixtures" / "v0_1_0" / "runs" / "all"
WRITING = {
    "report": ("report", "@run", "-o", "@"),
    "plot": ("plot", "@run", "--out", "@"),
    "export csv": ("export", "@run", "--to", "csv", "-o", "@"),
    "export jsonl": ("export", "@run", "--to", "jsonl", "-o", "@"),
    "baseline": ("baseline", "@run", "-o", "@"),
}
UNWRITABLE = {
    "too long": lambda folder: folder / ("n" * 300),
    "inside a file": lambda folder: made(folder / "file", b"x") / "inside",
    "link to itself": lambda folder: linked(folder / "loop", folder / "loop") / "inside",
    "a folder": lambda folder: folder,
    "no such folder": lambda folder: folder / "no" / "such",
    "full": lambda folder: Path("/dev/full"),
    "pipe": lambda folder: piped(folder / "pipe"),
}


@pytest.fixture
def scored(tmp_path, monkeypatch, capfd):
    """A run folder, scored."""
    shutil.copytree(RUN, tmp_path / "runs")
    (run,) = (path.parent for path in (tmp_path / "runs").rglob("run.yaml"))
    monkeypatch.setattr(sys, "argv", ["lbw-eval", "score", str(run)])
    with pytest.raises(SystemExit):
        main()
    capfd.readouterr()
    return run


@pytest.mark.parametrize("command", WRITING)
def test_what_cannot_be_written_is_one_sentence_and_leaves_nothing(
    tmp_path, monkeypatch, capfd, scored, command
):
    for name, place in UNWRITABLE.items():
        if command == "plot" and name in ("a folder", "no such folder"):  # which it makes
            continue
        path = place(tmp_path / "given")
        before = sorted(each.name for each in (tmp_path / "given").iterdir())
        swap = {"@": path, "@run": scored}
        code, err = ends(monkeypatch, capfd, *(swap.get(word, word) for word in WRITING[command]))
        assert (code, err.splitlines()[-1][:10]) == (2, "lbw-eval: "), name
        assert "Traceback" not in err
        assert sorted(each.name for each in (tmp_path / "given").iterdir()) == before


@pytest.mark.parametrize("command", [name for name in WRITING if name != "plot"])
def test_a_dangling_link_is_replaced_by_the_file(tmp_path, monkeypatch, capfd, scored, command):
    path = linked(tmp_path / "given" / "link", tmp_path / "gone")
    swap = {"@": path, "@run": scored}
    code, _ = ends(monkeypatch, capfd, *(swap.get(word, word) for word in WRITING[command]))
    assert code == 0
    assert path.is_file()
    assert not path.is_symlink()
    assert not (tmp_path / "gone").exists()


def test_a_null_character_in_a_path_is_one_sentence(tmp_path, monkeypatch, capfd):
    suite = made(tmp_path / "s.jsonl", GOOD_SUITE.encode())
    for key, value in {"out": r'"a\0b"', "suite": r'"a\0b"', "judge": r'"a\0b"'}.items():
        text = f"model: m\nbase-url: http://127.0.0.1:1/v1\nsuite: {suite}\n".replace(f"{key}: {suite}", "")
        config = made(tmp_path / "config.yaml", f"{text}{key}: {value}\n".encode())
        code, err = ends(monkeypatch, capfd, "--config", config)
        assert (code, err.splitlines()[-1][:10]) == (2, "lbw-eval: "), key
    gate = made(tmp_path / "gate.yaml", rb'baseline: "a\0b"')
    code, err = ends(monkeypatch, capfd, "check", tmp_path, "--config", gate)
    assert (code, err[:10], len(err.splitlines())) == (2, "lbw-eval: ", 1)


def test_an_argument_that_is_not_utf_8_is_one_sentence(tmp_path):
    command = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
    for words in ([b"score", b"\xff\xfe"], [b"--model", b"m", b"--config", b"\xff"]):
        done = subprocess.run([*map(os.fsencode, command), *words], capture_output=True, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith(b"lbw-eval: ")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(13, "Permission denied", "/root/x"), 2),
        (OSError(28, "No space left on device", "/x"), 1),
        (OSError("odd"), 1),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2),
        (ValueError("embedded null byte"), 2),
        (RecursionError("maximum recursion depth exceeded"), 2),
        (OSError(24, "Too many open files"), 1),
        (OSError(116, "Stale file handle", "/share/x"), 1),
        (OSError(5, "Input/output error", "/x"), 1),
    ],
)
def test_what_no_command_foresaw_is_one_sentence_too(monkeypatch, capfd, error, code):
    def raises(words):
        raise error

    monkeypatch.setattr("longbench_write.cli.app.app", raises)
    ended, err = ends(monkeypatch, capfd, "score")
    assert ended == code
    assert err.startswith("lbw-eval: ")
    assert len(err.splitlines()) == 1
    monkeypatch.setattr(sys, "argv", ["lbw-eval", "--debug"])
    with pytest.raises(type(error)):
        main()


def test_other_faults_of_ours_are_not_taken_for_a_users(monkeypatch):
    def raises(words):
        raise ValueError("ours")

    monkeypatch.setattr("longbench_write.cli.app.app", raises)
    monkeypatch.setattr(sys, "argv", ["lbw-eval", "score"])
    with pytest.raises(ValueError, match="ours"):
        main()
