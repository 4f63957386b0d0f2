import pytest

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.hf.backend import HFBackend
from longbench_write.backends.local import LocalBackend
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.registry import BACKENDS, choose_backend, open_backend
from longbench_write.backends.vllm.backend import VLLMBackend
from longbench_write.config import BUILT_IN_BACKENDS
from longbench_write.errors import UsageError


@pytest.mark.parametrize(
    ("kind", "made"),
    [("openai", OpenAIBackend), ("vllm", VLLMBackend), ("hf", HFBackend), ("local", LocalBackend)],
)
def test_each_backend_is_made_from_its_spec(kind, made):
    spec = BackendSpec(kind, "m")
    backend = open_backend(spec)
    assert type(backend) is made
    assert backend.spec is spec


def test_the_help_names_the_built_in_backends():
    assert tuple(BACKENDS.built_in) == (*BUILT_IN_BACKENDS, "none")


def test_every_entry_is_a_backend():
    for kind in BACKENDS.built_in:
        backend = open_backend(BackendSpec(kind, "m"))
        assert backend.meter.in_flight == 0


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("opanai", "did you mean 'openai'"),
        ("loacl", "did you mean 'local'"),
        ("zzz", "known: openai, vllm, hf, local"),
    ],
)
def test_an_unknown_backend_gives_the_nearest_name(kind, told):
    with pytest.raises(UsageError, match=told):
        open_backend(BackendSpec(kind, "m"))
    with pytest.raises(UsageError, match=told):
        choose_backend("m", requested=kind)


def test_without_vllm_it_says_how_to_get_it_and_what_to_do_instead(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told = r"write\[vllm\].*write\[hf\].*--backend hf.*vllm serve MODEL.*--base-url http://HOST:8000/v1"
    with pytest.raises(UsageError, match=told):
        VLLMBackend.prepare(BackendSpec("vllm", "org/model"), lambda done, total: None)


@pytest.mark.parametrize(
    ("model", "urls", "kind", "why"),
    [
        ("local/smollm2-135m", (), "local", "local/"),
        ("local/some.gguf", ("http://127.0.0.1:1/v1",), "local", "local/"),
        ("org/model", ("http://127.0.0.1:1/v1",), "openai", "base URL"),
        ("gpt-4.1", ("http://127.0.0.1:1/v1",), "openai", "base URL"),
        ("org/model", (), "vllm", "hub"),
        ("gpt-4.1", (), "vllm", "OPENAI_API_KEY is not set"),
    ],
)
def test_auto_without_a_key(model, urls, kind, why):
    chosen, told = choose_backend(model, base_urls=urls)
    assert chosen == kind
    assert why in told


def test_auto_with_a_key(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert choose_backend("gpt-4.1")[0] == "openai"
    assert "OPENAI_API_KEY" in choose_backend("gpt-4.1")[1]
    assert "sk-secret" not in choose_backend("gpt-4.1")[1]
    assert choose_backend("org/model")[0] == "vllm"
    assert choose_backend(str(tmp_path)) == ("vllm", f"{tmp_path} is a folder")


@pytest.mark.parametrize(
    "model",
    ["/no/such/folder", "./model", "../a/b", "~/models/x", "weights.gguf", "org/repo/file", "org/x.gguf"],
)
def test_a_path_is_sent_to_no_server_that_nobody_named(monkeypatch, model):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        with pytest.raises(UsageError, match="no such folder"):
            choose_backend(model)
        with pytest.raises(UsageError, match="no such folder"):
            OpenAIBackend.configure(BackendSpec("openai", model), print)
        monkeypatch.setenv(name, "http://h/v1")
    assert choose_backend(model, base_urls=["http://h/v1"])[0] == "openai"


@pytest.mark.parametrize("model", ["openai/gpt-oss-20b", "openrouter/x", "together_ai/y"])
def test_a_providers_prefix_asks_which_is_meant(model):
    with pytest.raises(UsageError, match="--backend"):
        choose_backend(model)
    assert choose_backend(model, requested="vllm")[0] == "vllm"
    assert choose_backend(model, requested="openai")[0] == "openai"
    assert choose_backend(model, base_urls=["http://h/v1"])[0] == "openai"


def test_auto_with_a_base_url_of_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://h/v1")
    assert choose_backend("some-model")[0] == "openai"
    assert choose_backend("org/model")[0] == "vllm"


def test_auto_with_a_named_key(monkeypatch):
    monkeypatch.setenv("MY_KEY", "k")
    assert choose_backend("some-model", api_key_env="MY_KEY")[0] == "openai"
    assert choose_backend("some-model", api_key_env="OTHER_KEY") == (
        "vllm",
        "no base URL was given and OTHER_KEY is not set",
    )


@pytest.mark.parametrize("kind", ["openai", "local", "vllm"])
def test_what_is_asked_for_is_taken(kind):
    assert choose_backend("org/model", requested=kind) == (kind, "it was asked for")
