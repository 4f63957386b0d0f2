"""A command line that is UTF-8 is read as such in any locale."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import yaml
from crash_tests import COMMAND
from samples import write_suite
from servers.openai_server import OpenAIServer, writer

ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""A locale without UTF-8, in which Python is not to help itself."""


def run(tmp_path, server, out, *words, **environment):
    command = [*COMMAND, "--model", "模型-ü", "--suite", str(write_suite(tmp_path, [100]))]
    command += ["--base-url", server.base_url, "--out", out, *words]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, timeout=120, cwd=tmp_path, check=False
    )


@pytest.mark.parametrize("environment", [ASCII, {"LC_ALL": "C"}, {}])
def test_names_texts_and_paths_are_what_was_typed(tmp_path, environment):
    with OpenAIServer(writer()) as server:
        done = run(tmp_path, server, "läufe", "--system", "Schreibe schön.", **environment)
        assert done.returncode == 0, done.stderr
        (body,) = [request.body for request in server.requests]
    assert body["model"] == "模型-ü"
    assert body["messages"][0]["content"] == "Schreibe schön."
    (manifest,) = (tmp_path / "läufe").rglob("run.yaml")
    assert yaml.safe_load(manifest.read_text(encoding="utf-8"))["model"] == "模型-ü"


@pytest.mark.skipif(sys.platform == "win32", reason="file names are text there")
def test_a_word_that_is_no_utf8_stays_what_it_is(tmp_path):
    with OpenAIServer(writer()) as server:
        done = run(tmp_path, server, b"out-\xfc", **ASCII)
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 2)
