"""Whole files: what stands at a name is the old file or the new one, whatever happens between."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.errors import RunFolderError, UsageError
from longbench_write.files import whole
from longbench_write.files.whole import replacing, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", ["täxt\r\n", b"\x00\xff", ["a", "b\n"]])
def test_what_is_written_is_there_and_nothing_else(tmp_path, content):
    path = tmp_path / "f"
    write_whole(path, "before")
    write_whole(path, content)
    expected = content if isinstance(content, bytes) else "".join(content).encode()
    assert path.read_bytes() == expected
    assert names(tmp_path) == ["f"]


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_utf_8(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("whole") / "f"
    write_whole(path, text)
    assert path.read_bytes().decode() == text.encode("utf-8", "backslashreplace").decode()


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    path = tmp_path / ("n" * 255)
    write_whole(path, "x")
    assert path.read_text() == "x"


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_a_new_file_has_the_umasks_permissions_and_an_old_one_keeps_its_own(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "new", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask
    (tmp_path / "new").chmod(0o640)
    write_whole(tmp_path / "new", "y")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_link_at_the_files_name_is_replaced_and_what_it_names_is_left_alone(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "f"
    victim.write_text("mine")
    path.symlink_to(victim)
    write_whole(path, "x")
    assert (victim.read_text(), path.read_text(), path.is_symlink()) == ("mine", "x", False)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    write_whole(tmp_path / "dangling", "x")
    assert names(tmp_path) == ["dangling", "f", "victim"]


def test_a_link_planted_at_the_temporary_name_is_not_followed(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    monkeypatch.setattr(whole.secrets, "token_hex", lambda length: "guessed")
    (tmp_path / ".guessed.tmp").symlink_to(victim)
    with pytest.raises(RunFolderError):
        write_whole(tmp_path / "f", "x")
    assert victim.read_text() == "mine"
    assert names(tmp_path) == [".guessed.tmp", "victim"]


def test_temporary_names_differ_and_none_is_derived_from_the_files(tmp_path):
    seen = set()
    for _ in range(20):
        with replacing(tmp_path / "f"):
            seen |= set(names(tmp_path)) - {"f"}
    assert len(seen) == 20


def test_an_exception_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "f"
    path.write_text("before")

    def pieces():
        yield "half"
        raise KeyError

    with pytest.raises(KeyError):
        write_whole(path, pieces())
    assert path.read_text() == "before"
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize("error", [RunFolderError, UsageError])
@pytest.mark.parametrize("name", ["nowhere/f", "file/f", "folder", "n" * 256])
def test_what_cannot_be_written_is_the_callers_error(tmp_path, name, error):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(error) as caught:
        write_whole(tmp_path / name, "x", error=error)
    assert str(tmp_path / name) in str(caught.value)
    assert names(tmp_path) == ["file", "folder"]


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(path, "x")
        assert os.read(reader, 10) == b"x"
    finally:
        os.close(reader)
    assert path.is_fifo()


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(RunFolderError, match="nobody reads"):
        write_whole(path, "x")
    assert path.is_fifo()


def test_a_full_device_is_told_and_stays_one():
    with pytest.raises(RunFolderError, match="No space left on device"):
        write_whole(Path("/dev/full"), "x" * 100_000)
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("target", ["pipe", "/dev/full", "/dev/stdout", "folder"])
def test_a_link_to_what_is_no_file_is_replaced_too(tmp_path, target):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "f").symlink_to(tmp_path / target)
    write_whole(tmp_path / "f", "x")
    assert (tmp_path / "f").read_text() == "x"
    assert not (tmp_path / "f").is_symlink()
    assert list((tmp_path / "folder").iterdir()) == []


def test_the_permissions_are_set_on_the_new_file_whatever_is_planted_at_its_name(tmp_path):
    """A link put where the half written file was is moved into place; its target is untouched."""
    victim, path = tmp_path / "victim", tmp_path / "f"
    victim.write_text("mine")
    victim.chmod(0o600)
    path.write_text("before")
    path.chmod(0o644)
    with replacing(path) as file:
        file.write(b"x")
        (temporary,) = (each for each in tmp_path.iterdir() if each.suffix == ".tmp")
        temporary.unlink()
        temporary.symlink_to(victim)
    assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode)) == ("mine", 0o600)


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    left = tmp_path / f".{'a' * 24}.tmp"
    left.write_text("half")
    (tmp_path / f".{'b' * 24}.tmp").symlink_to(victim)
    others = [".a.tmp", f".{'g' * 24}.tmp", f"{'a' * 24}.tmp", f".{'c' * 24}.tmp2", "victim"]
    for name in others[:-1]:
        (tmp_path / name).touch()
    (tmp_path / f".{'d' * 24}.tmp").mkdir()
    whole.remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted([*others, f".{'d' * 24}.tmp"])
    assert victim.read_text() == "mine"


def test_what_cannot_be_synced_is_written_all_the_same():
    """The system refuses to sync a pipe, with EINVAL."""
    reader, writer = os.pipe()
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            os.fsync(writer)
        whole.sync(writer)
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("code", ["EINVAL", "ENOSYS", "EOPNOTSUPP", "EIO", "ENOSPC"])
def test_a_file_system_without_fsync_is_no_fault_and_a_disk_that_fails_is(tmp_path, monkeypatch, code):
    number = getattr(errno, code)

    def fails(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(whole.os, "fsync", fails)
    if code in ("EIO", "ENOSPC"):
        with pytest.raises(RunFolderError, match=os.strerror(number)):
            write_whole(tmp_path / "f", "x")
        assert names(tmp_path) == []
    else:
        write_whole(tmp_path / "f", "x")
        assert names(tmp_path) == ["f"]


def test_a_device_stays_one():
    write_whole(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()


def test_stdout_by_its_path_is_written_to_wherever_it_goes(tmp_path):
    code = "import pathlib; from longbench_write.files.whole import write_whole as w; "
    code += "w(pathlib.Path('/dev/stdout'), 'x')"
    with (tmp_path / "out").open("w") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert (tmp_path / "out").read_text() == "x"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"x"


KILLED = """
import os, pathlib, signal, sys
from longbench_write.files import whole
path, moment = pathlib.Path(sys.argv[1]), sys.argv[2]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
real = os.replace
if moment == "written":
    whole.os.fsync = die
if moment == "moved":
    whole.os.replace = die
if moment == "after":
    whole.os.replace = lambda *names: (real(*names), die())
def pieces():
    yield "new " * 10000
    if moment == "half":
        die()
    yield "end"
whole.write_whole(path, pieces())
"""


@pytest.mark.parametrize("moment", ["half", "written", "moved", "after"])
def test_a_killed_process_leaves_the_old_file_or_the_new_one(tmp_path, moment):
    path = tmp_path / "f"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), moment])
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == ("new " * 10000 + "end" if moment == "after" else "old")
    write_whole(path, "next")
    assert path.read_text() == "next"
