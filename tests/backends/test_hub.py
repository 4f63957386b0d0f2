"""Files of a hub's models, from a real hub on this machine."""

import http.server
import json
import subprocess
import sys
import threading
from contextlib import contextmanager

from longbench_write.backends.hub import hub_commit, model_file, model_json

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_folder_has_files_and_no_commit(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "chatglm"}')
    (tmp_path / "bad.json").write_text("[")
    assert model_file(str(tmp_path), "config.json") == tmp_path / "config.json"
    assert model_file(str(tmp_path), "nothing.json") is None
    assert model_json(str(tmp_path), "config.json") == {"model_type": "chatglm"}
    assert model_json(str(tmp_path), "bad.json") == model_json(str(tmp_path), "nothing.json") == {}
    assert hub_commit(str(tmp_path)) is hub_commit("local/smollm2-135m") is None


class Hub(http.server.BaseHTTPRequestHandler):
    """A hub with one model of one file."""

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        body = b'{"model_type": "llama"}'
        there = self.path.startswith("/org/model/resolve/") and self.path.endswith("/config.json")
        self.send_response(200 if there else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", '"0badc0de"')
        self.send_header("Content-Length", str(len(body)))
        if not there:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *words):
        pass


@contextmanager
def hub():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


ASKS = """
import json
from longbench_write.backends.hub import hub_commit, model_json
files = [model_json("org/model", name) for name in ("config.json", "nothing.json")]
print(json.dumps([hub_commit("org/model"), *files]))
"""


def test_the_commit_that_a_name_stands_for_is_found_online_and_in_the_cache(tmp_path, monkeypatch):
    def ask():
        done = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with hub() as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        assert ask() == [COMMIT, {"model_type": "llama"}, {}]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert ask() == [COMMIT, {"model_type": "llama"}, {}]


def test_what_cannot_be_had_is_none():
    assert hub_commit("org/no-such-model") is None
    assert hub_commit("no hub id at all!") is None
