"""What tells one run from another, and which folder a command's run has."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest
import yaml
from samples import MANIFEST, write_suite

from longbench_write.backends import model_cards
from longbench_write.config import build_config
from longbench_write.runs.folder import digest
from longbench_write.runs.identity import find_place, run_identity
from longbench_write.runs.identity_v1 import digest_v1, select_v1
from longbench_write.runs.plan import Roles, writer_role
from longbench_write.suites.suite import load_suite, select

SERVER = {"model": "m", "base_url": ["http://127.0.0.1:1/v1"]}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def suite(tmp_path):
    return load_suite(write_suite(tmp_path))


def config(**values):
    return build_config({"model": "org/model", "judge": "none"} | values)


@pytest.fixture
def identity(suite):
    def of(**values):
        settings = config(**values)
        return run_identity(settings, suite, Roles(writer=writer_role(settings, print)), print)

    return of


@pytest.mark.parametrize(
    "values",
    [
        {"dtype": "half"},
        {"revision": "v1"},
        {"max_model_len": 4096},
        {"engine_arg": {"quantization": "fp8"}},
        {"prompt_format": "raw"},
        {"model": "THUDM/LongWriter-llama3.1-8b"},
        {"tag": "checkpoint 2"},
        {"temperature": 0.0},
        {"temperature": "default"},
        {"seed": 0},
        {"seed": "none"},
        {"gen": ["top_p=0.8"]},
        {"gen": {"chat_template_kwargs.enable_thinking": False}},
        {"system": "Be long."},
        {"max_tokens": 100},
    ],
)
def test_what_changes_the_numbers_names_another_run(identity, values):
    assert digest(identity()) != digest(identity(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"tensor_parallel_size": 2},
        {"data_parallel_size": 2},
        {"gpu_memory_utilization": 0.5},
        {"engine_arg": {"pipeline_parallel_size": 2}},
        {"concurrency": 3},
        {"limit": 3},
        {"samples": 2},
        {"ids": ["rivers-1"]},
        {"trust_remote_code": True},
    ],
)
def test_where_a_model_runs_and_what_is_asked_does_not(identity, values):
    assert identity() == identity(**values)


def test_what_is_not_said_is_not_there(identity):
    assert identity(**SERVER) == {
        "version": 2,
        "model": "m",
        "sampling": {"temperature": 0.5, "max_tokens": 32768, "seed": 42},
        "writer": {"name": "direct"},
        "suite": {"version": identity()["suite"]["version"], "sha256": identity()["suite"]["sha256"]},
    }


def test_another_name_of_a_card_is_no_other_run(identity, monkeypatch):
    name = "THUDM/LongWriter-llama3.1-8b"
    first = identity(model=name)
    cards = model_cards.load_cards()
    monkeypatch.setattr(
        model_cards, "load_cards", lambda: [replace(card, names=(*card.names, "x/y")) for card in cards]
    )
    assert identity(model=name) == first
    monkeypatch.setattr(
        model_cards, "load_cards", lambda: [replace(card, sampling={"top_k": 50}) for card in cards]
    )
    assert identity(model=name) != first


def test_a_template_file_counts_by_its_text(identity, tmp_path):
    one, two = tmp_path / "one.jinja", tmp_path / "two.jinja"
    one.write_text("{{ messages }}")
    two.write_text("{{ messages }}")
    assert identity(prompt_format=str(one)) == identity(prompt_format=str(two))
    two.write_text("{{ messages }}!")
    assert identity(prompt_format=str(one)) != identity(prompt_format=str(two))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"1234")
    return made


def test_a_folder_counts_by_its_content(identity, folder, tmp_path):
    first = identity(model=str(folder))
    (folder / "README.md").write_text("about")
    os.utime(folder / "model.safetensors", (1, 1))
    assert identity(model=str(folder)) == first
    shutil.copytree(folder, tmp_path / "copy")
    assert identity(model=str(tmp_path / "copy")) == first
    (folder / "model.safetensors").write_bytes(b"1243")
    assert identity(model=str(folder)) != first


def test_a_gguf_file_counts_by_its_content(identity, tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF1")
    first = identity(model=f"local/{path}")
    os.utime(path, (1, 1))
    assert identity(model=f"local/{path}") == first
    path.write_bytes(b"GGUF2")
    assert identity(model=f"local/{path}") != first


class Places:
    """Finds places in a folder for runs, and begins runs there."""

    def __init__(self, out, suite):
        self.out = out
        self.suite = suite
        self.told = []

    def find(self, **values):
        settings = config(**{"out": self.out} | (values if "model" in values else SERVER | values))
        writer = writer_role(settings, print)
        prompts = select(self.suite, limit=settings.limit, ids=settings.ids)
        identity = run_identity(settings, self.suite, Roles(writer=writer), print)
        return find_place(settings, self.suite, prompts, writer.spec.kind, identity, self.told.append)

    def begin(self, place):
        place.path.mkdir(parents=True)
        manifest = {"supersedes": place.supersedes, "model": "m"}
        (place.path / "run.yaml").write_text(yaml.safe_dump(MANIFEST | manifest))
        return place

    def begin_old(self, **values):
        """Begin a run as 0.1.0 did."""
        settings = config(**SERVER | {"out": self.out} | values)
        name = digest_v1(settings, self.suite, select_v1(self.suite, settings), "openai")
        path = self.out / "m" / self.suite.name / f"openai-{name}"
        path.mkdir(parents=True)
        (path / "run.yaml").touch()
        return path


@pytest.fixture
def places(tmp_path, suite):
    return Places(tmp_path / "out", suite)


def test_a_smaller_and_a_larger_selection_have_one_folder(places):
    whole = places.begin(places.find())
    assert places.find(limit=2).path == places.find(samples=3).path == whole.path
    assert len(places.find(limit=2).prompts) == 2
    assert whole.identity["version"] == 2


def test_a_folder_of_version_1_serves_its_own_command_alone_and_comes_first(places):
    new = places.begin(places.find())
    old = places.begin_old(limit=2)
    served = places.find(limit=2)
    assert (served.path, served.identity) == (old, None)
    assert served.prompts == select_v1(places.suite, config(limit=2))
    for other in ({}, {"limit": 3}, {"limit": 2, "samples": 2}, {"limit": 2, "tag": "t"}):
        assert places.find(**other).path != old
    assert places.find(limit=3).path == new.path


def test_a_fresh_run_stands_in_the_place_of_a_folder_of_version_1(places):
    old = places.begin_old(limit=2)
    fresh = places.find(limit=2, fresh=True)
    assert fresh.supersedes == [old.name]
    assert places.find(limit=2).path == old
    places.begin(fresh)
    assert places.find(limit=2).path == fresh.path
    again = places.begin(places.find(fresh=True))
    assert again.path.name == f"{fresh.path.name}-2"
    assert places.find(limit=2).path == again.path


def test_a_copy_of_a_model_goes_on_with_its_run(places, tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF1")
    first = places.begin(places.find(model=f"local/{path}"))
    shutil.copy(path, tmp_path / "b.gguf")
    copy = {"model": f"local/{tmp_path / 'b.gguf'}"}
    assert places.find(**copy).path == first.path
    assert len(places.told) == 1
    assert places.find(**copy, tag="b").path != first.path
    assert places.find(**copy, fresh=True).path != first.path
