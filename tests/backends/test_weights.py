"""Which model a file or folder is: told by its content, whatever its times, size and place."""

from __future__ import annotations

import hashlib
import os
import shutil
import time

import pytest

from longbench_write.backends import weights
from longbench_write.backends.weights import weights_sha256


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"one")
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"two")
    return folder


@pytest.fixture
def later(monkeypatch):
    """Lets files be old enough for their hashes to be kept."""
    now = time.time_ns() + 3_600_000_000_000
    monkeypatch.setattr(weights.time, "time_ns", lambda: now)


def digest(path):
    return weights_sha256(path, lambda text: None)


def restored(path, content):
    """Overwrite a file in place, with its size and modification time as they were."""
    status = path.stat()
    assert len(content) == status.st_size
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return path


def test_a_file_is_its_content(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF")
    assert digest(path) == hashlib.sha256(b"GGUF").hexdigest()


def test_touch_and_a_copy_are_one_model(tmp_path, model, later):
    first = digest(model)
    os.utime(model / "config.json", (1, 1))
    assert digest(model) == first
    shutil.copytree(model, tmp_path / "copy")
    assert digest(tmp_path / "copy") == first
    (model / "README.md").write_text("about")
    (model / "optimizer.pt").write_bytes(b"state")
    (model / "checkpoint-1").mkdir()
    assert digest(model) == first


def test_two_steps_of_a_training_are_two_models(tmp_path, model, later):
    shutil.copytree(model, tmp_path / "next")
    (tmp_path / "next" / "model-00002-of-00002.safetensors").write_bytes(b"2nd")
    assert digest(tmp_path / "next") != digest(model)


def test_a_file_overwritten_in_place_is_another_model(model, later):
    first = digest(model)
    assert digest(model) == first
    restored(model / "model-00001-of-00002.safetensors", b"eno")
    assert digest(model) != first


def test_files_that_change_places_are_another_model(model, later):
    first = digest(model)
    one, two = sorted(model.glob("*.safetensors"))
    one.rename(model / "x")
    two.rename(one)
    (model / "x").rename(two)
    assert digest(model) != first


def test_a_file_is_read_once(model, later, monkeypatch, cache):
    first = digest(model)
    assert len(list((cache / "weights").iterdir())) == 3
    monkeypatch.setattr(weights, "_read", lambda file: pytest.fail(f"{file} is read again"))
    assert digest(model) == first


def test_the_hash_of_a_file_that_has_just_changed_is_not_kept(model, cache):
    digest(model)
    assert not (cache / "weights").exists()


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"stamp": null, "sha256": 1}', "\xff"])
def test_a_broken_cache_is_read_past(model, later, cache, kept):
    first = digest(model)
    for note in (cache / "weights").iterdir():
        note.write_text(kept, encoding="latin-1")
    assert digest(model) == first


def test_without_a_cache_it_is_read_each_time(model, later, cache):
    cache.write_text("no folder")
    assert digest(model) == digest(model)


def test_a_hubs_blobs_carry_their_hashes(tmp_path, monkeypatch):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "main"
    for folder in (blobs, snapshot):
        folder.mkdir(parents=True)
    content = b"weights"
    name = hashlib.sha256(content).hexdigest()
    (blobs / name).write_bytes(content)
    (blobs / ("0" * 40)).write_text("{}")
    (snapshot / "model.safetensors").symlink_to(blobs / name)
    (snapshot / "config.json").symlink_to(blobs / ("0" * 40))
    read = []
    real = weights._read
    monkeypatch.setattr(weights, "_read", lambda file: read.append(file.name) or real(file))
    found = digest(snapshot)
    assert read == ["config.json"]
    plain = tmp_path / "plain"
    shutil.copytree(snapshot, plain)
    assert digest(plain) == found


def test_reading_much_is_said(model, monkeypatch):
    monkeypatch.setattr(weights, "_LARGE", 6)
    told = []
    weights_sha256(model, told.append)
    assert len(told) == 1
    assert str(model) in told[0]
