"""run.yaml of a run of very many prompts."""

import json

import pytest
import yaml
from samples import MANIFEST, write_suite
from servers.openai_server import OpenAIServer, writer

from longbench_write import evaluate
from longbench_write.errors import RunFolderError
from longbench_write.runs import manifest_file
from longbench_write.runs.manifest_file import read_manifest, write_manifest
from longbench_write.runs.store import load_run


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(manifest_file, "MOST_ASKED", 2)


def test_many_prompts_are_asked_for_beside_run_yaml_and_the_run_grows(tmp_path, few):
    suite = write_suite(tmp_path, lengths=(100, 200, 300, 400))
    with OpenAIServer(writer(5)) as server:
        given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "judge": "none"}
        evaluate(**given, out=tmp_path / "out", limit=2)
        (folder,) = (tmp_path / "out").glob("*/*/*")
        assert not (folder / "asked.json").exists()
        summary = evaluate(**given, out=tmp_path / "out")
        evaluate(**given, out=tmp_path / "out", samples=2)
        assert len(server.requests) == 8
    assert summary.counts["owed"] == 4
    asked = {f"rivers-{number}": 2 for number in range(1, 5)}
    assert json.loads((folder / "asked.json").read_text()) == asked
    assert yaml.safe_load((folder / "run.yaml").read_text())["asked"] == "asked.json"
    assert load_run(folder).manifest["asked"] == asked


@pytest.mark.parametrize("content", [None, "[", "[1]", '{"p": "many"}', '{"p": -1}'])
def test_a_spoilt_list_is_named(tmp_path, few, content):
    suite = write_suite(tmp_path, lengths=(100, 200, 300))
    with OpenAIServer(writer(5)) as server:
        evaluate(model="m", suite=str(suite), base_url=[server.base_url], judge="none", out=tmp_path / "out")
    (folder,) = (tmp_path / "out").glob("*/*/*")
    (folder / "asked.json").unlink()
    if content is not None:
        (folder / "asked.json").write_text(content)
    with pytest.raises(RunFolderError, match="asked"):
        load_run(folder)


def test_a_hundred_thousand_prompts_can_be_read_back(tmp_path):
    manifest = MANIFEST | {"asked": {f"p-{number}": 1 for number in range(100_000)}, "owed": 100_000}
    manifest["prompts"] = MANIFEST["prompts"] | {"n": 100_000}
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
