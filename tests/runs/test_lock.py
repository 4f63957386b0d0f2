"""A run folder has one writer, where file locks do not lock too; a lost folder is noticed."""

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import predicted

from longbench_write.errors import FolderInUseError, RunFolderError, RunFolderLostError, UsageError
from longbench_write.runs import lock as lock_module
from longbench_write.runs.lock import LEASE, STALE, Holder, lock_run_folder
from longbench_write.runs.store import RunWriter
from longbench_write.runs.turn import Turn, in_turn

HOLD = """
import pathlib, sys
from longbench_write.runs.lock import lock_run_folder
with lock_run_folder(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path):
    """Another process that holds the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def is_free(path):
    with lock_run_folder(path):
        return True


def leased(path, holder, age=0.0):
    """Put another's lease into a folder, touched `age` seconds ago."""
    (path / LEASE).write_bytes(holder.to_json())
    then = time.time() - age
    os.utime(path / LEASE, (then, then))


def test_a_folder_whose_lock_was_removed_has_one_writer_still(tmp_path, held):
    (tmp_path / ".lock").unlink()
    with pytest.raises(FolderInUseError, match=f"process {held.pid} on "):
        is_free(tmp_path)
    held.kill()
    held.wait()
    assert is_free(tmp_path)


@pytest.mark.parametrize("code", ["ENOLCK", "EOPNOTSUPP"])
def test_without_file_locks_the_lease_decides(tmp_path, held, monkeypatch, code):
    def refuses(descriptor, how):
        raise OSError(getattr(errno, code), code)

    (tmp_path / ".lock").unlink()
    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(FolderInUseError, match=f"process {held.pid}"):
        is_free(tmp_path)
    held.communicate("")
    assert is_free(tmp_path)


def test_who_waits_is_told_at_once_and_how_to_end_it(tmp_path, held):
    said = []
    with pytest.raises(FolderInUseError):
        in_turn(lambda: is_free(tmp_path), Turn(0, said.append))
    assert not said

    def tell(text):
        said.append(text)
        held.communicate("")

    assert in_turn(lambda: is_free(tmp_path), Turn(600, tell))
    (text,) = said
    assert f"kill {held.pid}" in text
    assert "--wait" in text


def test_a_process_that_is_dead_but_not_waited_for_holds_nothing(tmp_path, held):
    held.kill()
    os.waitid(os.P_PID, held.pid, os.WEXITED | os.WNOWAIT)  # it stays as a zombie
    assert is_free(tmp_path)


def test_a_stopped_process_holds_its_folder(tmp_path, held):
    held.send_signal(19)
    (tmp_path / ".lock").unlink()
    os.utime(tmp_path / LEASE, (0, 0))
    with pytest.raises(FolderInUseError):
        is_free(tmp_path)


@pytest.mark.parametrize("changes", [{"host": "gpu-3"}, {"boot": "other"}, {"pids": "pid:[1]"}])
def test_a_lease_from_elsewhere_counts_for_a_minute(tmp_path, changes):
    elsewhere = replace(Holder.of_this_process(), **changes)
    leased(tmp_path, elsewhere, age=STALE - 10)
    with pytest.raises(FolderInUseError, match=f"process {os.getpid()} on {elsewhere.host}"):
        is_free(tmp_path)
    leased(tmp_path, elsewhere, age=STALE + 10)
    assert is_free(tmp_path)
    leased(tmp_path, elsewhere, age=-STALE - 10)
    assert is_free(tmp_path)


def test_a_process_id_that_another_process_has_now_holds_nothing(tmp_path):
    leased(tmp_path, replace(Holder.of_this_process(), process=os.getppid(), started="1"))
    assert is_free(tmp_path)


def test_a_lease_that_this_process_could_not_remove_holds_nothing(tmp_path):
    leased(tmp_path, Holder.of_this_process())
    assert is_free(tmp_path)
    with lock_run_folder(tmp_path):
        (tmp_path / ".lock").unlink()
        with pytest.raises(FolderInUseError):
            is_free(tmp_path)


@given(st.binary(max_size=80) | st.sampled_from([b"process 17 on gpu-3", b"[]", b"[" * 4000]))
def test_any_content_of_a_lease_is_a_holder_or_nobody(content):
    assert Holder.parse(content) is None


@given(st.fixed_dictionaries({name: st.text() | st.integers() | st.none() for name in lock_module._FIELDS}))
def test_whoever_a_lease_names_lives_or_does_not(values):
    holder = Holder.parse(json.dumps(values).encode())
    assert holder is None or holder.lives(0.0) in (True, False)


def test_links_that_somebody_planted_are_not_followed(tmp_path):
    victim, run = tmp_path / "victim", tmp_path / "run"
    victim.write_text("mine\n")
    run.mkdir()
    (run / LEASE).symlink_to(victim)
    with lock_run_folder(run):
        assert not (run / LEASE).is_symlink()
    for name in (".lock", "predictions.jsonl"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(victim)
        with (
            pytest.raises((UsageError, RunFolderError), match=name),
            RunWriter(run, writing=True, judge=None) as writer,
        ):
            writer.predictions.append(predicted("a"))
        (run / name).unlink()
    (run / f".{'0' * 24}.tmp").symlink_to(victim)
    for name in ("run.yaml", "scores.csv"):
        (run / name).symlink_to(victim)
    with RunWriter(run, writing=True, judge=None) as writer:
        writer.write_manifest({"model": "m"})
    assert not (run / "run.yaml").is_symlink()
    assert not (run / f".{'0' * 24}.tmp").is_symlink()
    assert victim.read_text() == "mine\n"


@pytest.mark.parametrize("what", ["removed", "moved", "replaced", "taken over", "lease removed"])
def test_a_lost_folder_is_noticed_and_nothing_is_written_to_what_took_its_place(tmp_path, what):
    run = tmp_path / "run"
    with RunWriter(run, writing=True, judge=None) as writer:
        writer.predictions.append(predicted("a"))
        writer.check()
        if what == "removed":
            shutil.rmtree(run)
        elif what in ("moved", "replaced"):
            run.rename(tmp_path / "gone")
            if what == "replaced":
                shutil.copytree(tmp_path / "gone", run)
        elif what == "taken over":
            (run / LEASE).unlink()
            leased(run, replace(Holder.of_this_process(), host="gpu-3"))
        else:
            (run / LEASE).unlink()
        with pytest.raises(RunFolderLostError):
            writer.check()
        with pytest.raises(RunFolderLostError):
            writer.write_manifest({"model": "m"})
        if what in ("removed", "moved", "replaced"):
            with pytest.raises(RunFolderLostError):
                writer.predictions.append(predicted("b"))
    assert not (run / "run.yaml").exists()
    assert (run / LEASE).exists() == (what in ("replaced", "taken over"))


def test_the_lease_is_touched_and_records_are_handed_to_the_disk_while_it_lasts(tmp_path, monkeypatch):
    monkeypatch.setattr(lock_module, "BEAT", 0.01)
    synced = []
    beaten = threading.Event()
    with RunWriter(tmp_path, writing=True, judge=None) as writer:
        real = os.fsync
        monkeypatch.setattr(os, "fsync", lambda descriptor: (real(descriptor), synced.append(descriptor)))
        writer.predictions.append(predicted("a"))
        os.utime(tmp_path / LEASE, (0, 0))
        writer._lock.beats.append(beaten.set)
        for _ in range(2):
            beaten.clear()
            assert beaten.wait(60)
        assert len(synced) == 1
        assert (tmp_path / LEASE).stat().st_mtime > 0
    assert not (tmp_path / LEASE).exists()
