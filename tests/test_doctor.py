import json
import os
import stat
import subprocess
import sys
from importlib import metadata

import pytest
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write.assets import assets
from longbench_write.backends import environment
from longbench_write.doctor import diagnose, find_gpus


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LBW_ASSETS", raising=False)


def nvidia_smi(tmp_path, monkeypatch, script):
    """A program of that name, first on the path."""
    path = tmp_path / "bin" / "nvidia-smi"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


def test_it_says_what_is_installed_and_what_is_not(monkeypatch):
    found = diagnose()
    assert found.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found.versions["openai"] == f"{metadata.version('openai')} (openai)"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert diagnose().versions["vllm"] is None


def test_gpus_are_what_nvidia_smi_lists(tmp_path, monkeypatch):
    nvidia_smi(tmp_path, monkeypatch, "echo 'NVIDIA H100, 81559 MiB'; echo 'NVIDIA H100, 81559 MiB'")
    assert find_gpus() == ["NVIDIA H100, 81559 MiB"] * 2


@pytest.mark.parametrize("script", ["exit 9", "echo"])
def test_a_broken_driver_is_no_gpu(tmp_path, monkeypatch, script):
    nvidia_smi(tmp_path, monkeypatch, script)
    assert find_gpus() == []


def test_without_nvidia_smi_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpus() == []


@pytest.mark.parametrize(
    ("model", "options", "backend", "card"),
    [
        ("THUDM/LongWriter-glm4-9b", {}, "vllm", "LongWriter-glm4-9b"),
        (
            "THUDM/LongWriter-glm4-9b",
            {"base_urls": ["http://127.0.0.1:1/v1"]},
            "openai",
            "LongWriter-glm4-9b",
        ),
        ("local/smollm2-135m", {}, "local", None),
    ],
)
def test_it_tells_the_backend_that_a_run_would_choose(model, options, backend, card):
    found = diagnose(model, **options)
    assert (found.backend[0], found.card) == (backend, card)
    assert diagnose().backend is None


def test_files_and_folders_are_looked_at_and_left_alone(tmp_path):
    asset = assets.find("judge-template")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / asset.filename).write_text("anything")
    found = diagnose(out=tmp_path / "not" / "yet")
    assert found.assets["judge-template"] == "present"
    assert found.assets["longbench-write"] == "missing"
    assert found.writable
    assert not (tmp_path / "not").exists()
    (tmp_path / "file").write_text("")
    assert not diagnose(out=tmp_path / "file" / "results").writable


def test_it_tells_what_an_env_file_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "_file", {})
    path = tmp_path / "keys.env"
    path.write_text("OPENAI_API_KEY=sk-of-the-file\nOPENAI_BASE_URL=http://h/v1\n")
    found = diagnose("some-model", env_file=path)
    assert found.backend[0] == "openai"
    assert found.keys["OPENAI_API_KEY"]
    assert any("OPENAI_BASE_URL" in told and "http://h/v1" in told for told in found.read)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    found = diagnose("some-model", env_file=path)
    assert any("is not used" in told for told in found.read)
    assert not any("sk-of" in told for told in found.read)


def lbw_eval(*words):
    code = "import sys; from longbench_write.cli.app import main; sys.argv[0] = 'lbw-eval'; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120)


def test_the_command_names_keys_and_shows_none(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-secret")
    plain = lbw_eval("doctor", "--model", "org/model", "--api-key-env", "MY_KEY")
    assert plain.returncode == 0, plain.stderr
    found = dict(line.split(maxsplit=1) for line in plain.stdout.splitlines() if line[0] != " ")
    assert found["backend"].startswith("vllm, ")
    assert found["MY_KEY"] != found["OPENAI_API_KEY"]
    assert "sk-secret" not in plain.stdout + plain.stderr
    options = ("--json", "--model", "org/model", "--api-key-env", "MY_KEY")
    as_json = json.loads(lbw_eval("doctor", *options).stdout)
    assert as_json["backend"][0] == "vllm"
    assert as_json["keys"] == {"MY_KEY": True, "OPENAI_API_KEY": False}
    assert set(as_json["versions"]) == {
        "python",
        "longbench-write",
        "openai",
        "xllamacpp",
        "vllm",
        "torch",
        "transformers",
    }


def test_a_server_says_what_it_has_and_answers_one_short_request():
    with OpenAIServer(writer(3), models=("m",)) as server:
        done = lbw_eval("doctor", "--model", "m", "--base-url", server.base_url, "--json")
        assert done.returncode == 0, done.stderr
        (request,) = server.requests
    (found,) = json.loads(done.stdout)["servers"]
    assert request.body["max_tokens"] <= 16
    assert (found["url"], found["listed"]["id"], found["model_served"]) == (server.base_url, "m", "m")
    assert found["usage"]["completion_tokens"] == 3
    assert (found["finish_reason"], found["error"]) == ("stop", "")


def test_a_server_that_does_not_answer_is_one_sentence_and_code_1(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-0123456789-secret")
    refusing = Answer(status=401, error={"message": "who is sk-0123456789-secret?"})
    with OpenAIServer(lambda body, number: refusing) as server:
        words = ["doctor", "--model", "m", "--base-url", server.base_url, "--api-key-env", "MY_KEY"]
        done = lbw_eval(*words)
        assert len(server.requests) == 1
    assert done.returncode == 1
    assert "401" in done.stdout
    assert "sk-0123456789-secret" not in done.stdout + done.stderr
    gone = lbw_eval("doctor", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    assert gone.returncode == 1
    assert "Traceback" not in gone.stderr
