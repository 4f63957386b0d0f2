"""The data folders are found from a checkout and from an installed package."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from longbench_write.files import resources


@pytest.mark.parametrize("name", ["benchmark_data", "judges"])
def test_found_from_here(name):
    assert resources.data_root(name).is_dir()


@pytest.mark.parametrize("inside", [True, False], ids=["wheel", "checkout"])
def test_found_in_either_layout(tmp_path, inside):
    package = tmp_path / "longbench_write"
    (package / "files").mkdir(parents=True)
    shutil.copy(resources.__file__, package / "files" / "resources.py")
    folder = package / "_data" / "judges" if inside else tmp_path / "judges"
    folder.mkdir(parents=True)
    spec = importlib.util.spec_from_file_location("moved_resources", package / "files" / "resources.py")
    moved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(moved)
    assert moved.data_root("judges") == folder
    assert isinstance(moved.data_root("judges"), Path)
