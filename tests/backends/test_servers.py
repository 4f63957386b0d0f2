"""Where requests go and what they carry: keys, headers, proxies, redirects, several servers, Azure."""

import asyncio
import contextlib
import http.server
import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.openai_server import Answer, OpenAIServer, in_turn, writer

from longbench_write.backends.base import CHAIN, BackendSpec, Sampling
from longbench_write.backends.environment import default_base_url, read_env_file, variable
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.openai.endpoint import is_this_machine, open_endpoint
from longbench_write.errors import BackendError, ErrorAction, RetryPolicy, UsageError

CHAT = [{"role": "user", "content": "Write."}]
OK = Answer("all is well")
SECRET = "sk-0123456789abcdefghij"


@pytest.fixture(autouse=True)
def no_env_file():
    """What one test reads from an env file is not there in the next."""
    yield
    read_env_file(None, print)


def spec(*urls, **values):
    return BackendSpec("openai", "m", base_urls=urls, **{"retry": RetryPolicy(base=0.0)} | values)


async def ask(*urls, **values):
    async with OpenAIBackend(spec(*urls, **values)) as backend:
        return await backend.complete(CHAT, Sampling(64))


async def failure(*urls, **values):
    with pytest.raises(BackendError) as caught:
        await ask(*urls, **values)
    return caught.value


# Keys and headers


async def test_a_header_carries_its_variables_value(monkeypatch):
    monkeypatch.setenv("MY_ORG", "org-7")
    with OpenAIServer(in_turn(OK)) as server:
        await ask(server.base_url, headers={"X-Org": "MY_ORG"})
        assert server.requests[0].headers["x-org"] == "org-7"


@pytest.mark.parametrize("value", ["", "two\nlines"])
async def test_a_header_without_a_value_is_refused(monkeypatch, value):
    monkeypatch.setenv("MY_ORG", value)
    with pytest.raises(UsageError, match="MY_ORG"):
        await ask("http://127.0.0.1:1/v1", headers={"X-Org": "MY_ORG"})


@pytest.mark.parametrize("place", ["text", "reasoning", "finish_reason", "model", "id", "role", "usage"])
async def test_no_secret_that_a_server_echoes_is_kept(monkeypatch, place):
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setenv("MY_ORG", SECRET[::-1])
    told = f"{SECRET} {SECRET[::-1]}"
    choice = {"index": 0, "message": {"role": "assistant", "content": "t"}, "finish_reason": "stop"}
    body = {"id": "c", "model": "m", "choices": [choice], "usage": {"prompt_tokens": 1}}
    if place in ("model", "id"):
        body[place] = told
    elif place == "usage":
        body["usage"] = {"prompt_tokens": told}
    elif place == "finish_reason":
        choice["finish_reason"] = told
    else:
        choice["message"] |= {"text": {"content": told}, "reasoning": {"reasoning": told}}.get(
            place, {"role": told}
        )
    with raw_server(json.dumps(body)) as url:
        try:
            found = repr(
                await ask(url, api_key_env="MY_KEY", headers={"X-Org": "MY_ORG"}, retry=RetryPolicy(tries=1))
            )
        except BackendError as error:
            found = str(error)
    assert SECRET not in found
    assert SECRET[::-1] not in found


async def test_a_password_that_a_server_echoes_is_struck_out():
    def answer(body, number):
        return Answer(status=400, error={"message": "who is bob with s3cr3t/pa:ss?"})

    with OpenAIServer(answer) as server:
        told = str(await failure(server.base_url.replace("://", "://bob:s3cr3t%2Fpa:ss@")))
    assert "s3cr3t" not in told


async def test_a_401_says_that_no_key_was_sent(monkeypatch):
    with OpenAIServer(in_turn(Answer(status=401))) as server:
        assert "no key was sent" in str(await failure(server.base_url))
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        told = str(await failure(server.base_url))
        assert "OPENAI_API_KEY is set" in told
        assert "--api-key-env" in told
        assert "no key was sent" not in str(await failure(server.base_url, api_key_env="OPENAI_API_KEY"))


async def test_an_unknown_model_lists_those_that_there_are():
    with OpenAIServer(in_turn(Answer(status=404)), models=("alpha", "beta")) as server:
        told = str(await failure(server.base_url))
        assert "alpha, beta" in told
        server.listed = None
        assert "alpha" not in str(await failure(server.base_url))


# The environment and env files


def test_an_env_file_never_overrides_the_environment(monkeypatch, tmp_path):
    path = tmp_path / "keys.env"
    path.write_text("MY_KEY=from-file\nOTHER=from-file\nHTTP_PROXY=http://evil\n")
    monkeypatch.setenv("MY_KEY", "from-environment")
    monkeypatch.setenv("OTHER", "")
    read_env_file(path, print)
    assert "HTTP_PROXY" not in os.environ
    assert (variable("MY_KEY"), variable("OTHER")) == ("from-environment", "")
    monkeypatch.delenv("MY_KEY")
    assert variable("MY_KEY") == "from-file"


@pytest.mark.parametrize(
    ("text", "environment", "used"),
    [
        ("OPENAI_API_KEY=k\nOPENAI_BASE_URL=http://f/v1", {}, "http://f/v1"),
        ("OPENAI_BASE_URL=http://f/v1", {"OPENAI_API_KEY": "k"}, None),
        ("OPENAI_API_KEY=f\nOPENAI_BASE_URL=http://f/v1", {"OPENAI_API_KEY": "k"}, None),
        ("OPENAI_API_KEY=f\nOPENAI_BASE_URL=http://f/v1", {"OPENAI_BASE_URL": "http://e/v1"}, "http://e/v1"),
        ("", {"OPENAI_BASE_URL": "http://e/v1", "OPENAI_API_KEY": "k"}, "http://e/v1"),
        ("OPENAI_BASE_URL=http://f/v1", {}, None),
    ],
)
def test_a_files_base_url_gets_only_a_key_of_the_same_file(monkeypatch, tmp_path, text, environment, used):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / ".env"
    path.write_text(text)
    read_env_file(path, print)
    assert default_base_url("OPENAI_API_KEY")[0] == used


def test_a_files_base_url_gets_no_header_from_elsewhere(monkeypatch, tmp_path):
    path = tmp_path / ".env"
    path.write_text("OPENAI_API_KEY=k\nOPENAI_BASE_URL=http://f/v1")
    read_env_file(path, print)
    monkeypatch.setenv("MY_ORG", "o")
    assert default_base_url("OPENAI_API_KEY", ["MY_ORG"])[0] is None


def test_the_env_file_of_the_working_folder_is_read_and_told(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("OPENAI_API_KEY=k\n")
    monkeypatch.chdir(tmp_path)
    said = []
    read_env_file(None, said.append)
    assert variable("OPENAI_API_KEY") == "k"
    assert any("OPENAI_API_KEY" in told and ".env" in told for told in said)
    assert not any(word == "k" for told in said for word in told.split())


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_an_env_file(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_text(text, encoding="utf-8")
    read_env_file(path, print)
    default_base_url("OPENAI_API_KEY")


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff")]
)
def test_a_named_env_file_that_cannot_be_read_is_refused(tmp_path, make):
    make(tmp_path / "x.env")
    with pytest.raises(UsageError, match="--env-file"):
        read_env_file(tmp_path / "x.env", print)


def test_the_default_server_is_the_one_that_the_environment_names(monkeypatch):
    said = []
    assert OpenAIBackend.configure(spec(), said.append).base_urls == ()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:pw@h/v1")
    assert OpenAIBackend.configure(spec(), said.append).base_urls == ("http://me:pw@h/v1",)
    assert OpenAIBackend.configure(spec("http://other/v1"), said.append).base_urls == ("http://other/v1",)
    assert OpenAIBackend.defaults(()) == {}
    assert len(said) == 1
    assert "pw" not in said[0]


# Redirects and proxies


@contextlib.contextmanager
def raw_server(body="", status=200, **headers):
    """A server that answers every request alike, with the requests' methods and paths."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.respond()

        def do_GET(self):
            self.respond()

        def respond(self):
            asked.append((self.command, self.path))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_server_is_refused(monkeypatch, status):
    monkeypatch.setenv("MY_KEY", SECRET)
    with OpenAIServer(in_turn(OK)) as other:
        where = other.base_url.replace("://", "://user:hidden@") + "/chat/completions"
        with raw_server(status=status, location=where) as url:
            error = await failure(url, api_key_env="MY_KEY")
        assert other.requests == []
    assert (error.kind, error.action) == ("redirected", ErrorAction.STOP)
    assert other.base_url in str(error)
    assert "hidden" not in str(error)


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_drops_the_body_is_no_answer(status):
    with raw_server(status=status, location="/v1/other") as url:
        assert (await failure(url)).kind == "redirected"


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_in_a_circle_ends(status):
    with raw_server(status=status, location="/v1/chat/completions") as url:
        assert (await failure(url)).kind == "redirected"


async def test_a_redirect_within_a_server_is_followed():
    class Moved(OpenAIServer):
        pass

    with OpenAIServer(
        in_turn(Answer(status=307, headers={"Location": "/v1/chat/completions"}), OK)
    ) as server:
        assert (await ask(server.base_url)).text == OK.text
        assert [request.body["max_tokens"] for request in server.requests] == [64, 64]


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True), ("a.localhost", True), ("127.0.0.1", True), ("127.0.0.2", True),
        ("127.1", True), ("0.0.0.0", True), ("::1", True), ("[::1]", True), ("::", True),
        ("::ffff:127.0.0.1", True), ("10.0.0.1", False), ("example.org", False), ("127.example.org", False),
    ],
)  # fmt: skip
def test_which_hosts_are_this_machine(host, own):
    assert is_this_machine(host) is own


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "localhost"])
async def test_no_proxy_is_asked_for_this_machine(monkeypatch, host):
    monkeypatch.setenv("MY_KEY", SECRET)
    with OpenAIServer(in_turn(OK)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url.removesuffix("/v1"))
        error = await failure(f"http://{host}:9/v1", api_key_env="MY_KEY", retry=RetryPolicy(tries=1))
        assert proxy.requests == []
    assert error.kind == "connection"


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
@pytest.mark.parametrize("kind", ["socks", "socks5", "socks5h", "socks4"])
async def test_a_socks_proxy_is_one_sentence(monkeypatch, name, kind):
    monkeypatch.setenv(name, f"{kind}://user:hidden@127.0.0.1:9")
    with pytest.raises(UsageError) as caught:
        await ask("http://example.org/v1")
    assert kind in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_socks_proxy_is_none_of_a_host_that_needs_none(monkeypatch):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with OpenAIServer(in_turn(OK)) as server:
        assert (await ask(server.base_url)).text == OK.text
    monkeypatch.setenv("no_proxy", "example.org")
    endpoint = open_endpoint("http://example.org/v1", "k", spec(), {})
    await endpoint.client.close()


# Azure


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (
            "https://n.openai.azure.com/openai?api-version=2024-06-01",
            "/openai/deployments/m%2Fx/chat/completions",
        ),
        (
            "https://n.openai.azure.com/openai/deployments/d?api-version=2024-06-01",
            "/openai/deployments/d/chat/completions",
        ),
        ("https://n.openai.azure.com/openai/v1?api-version=preview", "/openai/v1/chat/completions"),
    ],
)
async def test_azure_has_its_own_place_and_header(url, path):
    endpoint = open_endpoint(url, SECRET, BackendSpec("openai", "m/x", (url,)), {})
    await endpoint.client.close()
    assert endpoint.chat.raw_path.decode() == f"{path}?api-version={url.rpartition('=')[2]}"
    assert endpoint.headers["api-key"] == SECRET
    assert "api-version" not in endpoint.url
    assert not any(SECRET in value for name, value in endpoint.headers.items() if name != "api-key")


# Several servers


async def test_two_of_three_servers_that_are_dead_lose_no_prompt():
    with OpenAIServer(writer()) as one, OpenAIServer(writer()) as two:
        dead = (one.base_url, two.base_url)
    with OpenAIServer(writer(20)) as alive:
        async with OpenAIBackend(spec(*dead, alive.base_url, concurrency=32)) as backend:
            done = await asyncio.gather(*(backend.complete(CHAT, Sampling(64)) for _ in range(40)))
            before = sum(endpoint.asked for endpoint in backend._endpoints if endpoint.url in dead)
            more = [await backend.complete(CHAT, Sampling(64)) for _ in range(20)]
            after = sum(endpoint.asked for endpoint in backend._endpoints if endpoint.url in dead)
    assert len(done) + len(more) == 60
    assert before == after


async def test_a_server_that_failed_is_tried_again_when_its_rest_is_over(monkeypatch):
    now = 100.0
    monkeypatch.setattr("longbench_write.backends.openai.endpoint.monotonic", lambda: now)
    answers = in_turn(Answer(status=500), writer(20))
    with OpenAIServer(answers) as first, OpenAIServer(writer(20)) as second:
        async with OpenAIBackend(spec(first.base_url, second.base_url)) as backend:
            for _ in range(3):
                await backend.complete(CHAT, Sampling(64))
            assert (len(first.requests), len(second.requests)) == (1, 3)
            now += 2.0
            for _ in range(2):
                await backend.complete(CHAT, Sampling(64))
            assert len(first.requests) == 3


async def test_a_chain_stays_with_its_server():
    async def chain(backend, name):
        CHAIN.set(name)
        for step in range(5):
            await backend.complete([{"role": "user", "content": f"{name} {step}"}], Sampling(64))

    with OpenAIServer(writer(20)) as one, OpenAIServer(writer(20)) as two:
        async with OpenAIBackend(spec(one.base_url, two.base_url)) as backend:
            await asyncio.gather(*(chain(backend, f"chain{number}") for number in range(8)))
        sides = [{request.prompt.split()[0] for request in server.requests} for server in (one, two)]
    assert not sides[0] & sides[1]
    assert len(sides[0]) == len(sides[1]) == 4


async def test_a_chain_leaves_a_server_that_fails():
    CHAIN.set("chain")
    with OpenAIServer(in_turn(OK, Answer(status=500))) as one, OpenAIServer(in_turn(OK)) as two:
        async with OpenAIBackend(spec(one.base_url, two.base_url)) as backend:
            for _ in range(4):
                await backend.complete(CHAT, Sampling(64))
        assert (len(one.requests), len(two.requests)) == (2, 3)


async def test_errors_name_the_server_where_there_are_several():
    with OpenAIServer(in_turn(Answer(status=400))) as one, OpenAIServer(in_turn(Answer(status=400))) as two:
        assert one.base_url in str(await failure(one.base_url, two.base_url))
