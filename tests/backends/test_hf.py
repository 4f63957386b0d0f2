"""transformers' `generate` as a backend, with tiny random models in the two LongWriter layouts."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
import pytest_asyncio
from longwriter_runs import FIRST, glm4_ids
from tiny_models import llama31_tokenizer, write_adapter, write_glm4, write_llama31

from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.hashes import tokens_sha256
from longbench_write.backends.hf.backend import HFBackend
from longbench_write.backends.hf.batch import NOT_A_NUMBER
from longbench_write.backends.hf.sampling import penalised
from longbench_write.errors import BackendError, UsageError

pytestmark = [
    pytest.mark.hf,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("torch", "accelerate", "peft"))),
        reason="the hf extra is not installed",
    ),
    pytest.mark.filterwarnings("ignore"),  # torch's and transformers' own
]

ON_CPU = {"device_map": "cpu", "dtype": "float32"}
LAYOUTS = {"LongWriter-glm4-9b": write_glm4, "LongWriter-llama3.1-8b": write_llama31}


def asked(text):
    return [{"role": "user", "content": text}]


def specified(folder, *, args=None, **values):
    wanted = {"concurrency": 4, "max_tokens": 64, "engine_args": ON_CPU | (args or {})} | values
    return HFBackend.configure(BackendSpec("hf", str(folder), **wanted), print)


@asynccontextmanager
async def opened(folder, **values):
    backend = HFBackend(specified(folder, **values))
    backend.note = (told := []).append
    async with backend:
        backend.told = told
        yield backend


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LBW_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", params=LAYOUTS)
def folder(request, cache, tmp_path_factory):
    return LAYOUTS[request.param](tmp_path_factory.mktemp("models") / request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backend(folder):
    async with opened(folder) as made:
        yield made


@pytest.fixture(scope="module")
def llama(cache, tmp_path_factory):
    return write_llama31(tmp_path_factory.mktemp("llama") / "LongWriter-llama3.1-8b")


def reference(backend, text, **options):
    """The new ids of `generate`, called with one prompt as the reference calls it."""
    import torch

    loaded = backend._loaded
    ids = torch.tensor([loaded.chat.prompts.make(asked(text)).ids])
    made = loaded.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        num_beams=1,
        eos_token_id=sorted(loaded.ends),
        pad_token_id=loaded.pad,
        **options,
    )
    return made[0, ids.shape[1] :].tolist()


@pytest.mark.asyncio(loop_scope="module")
async def test_greedy_answers_are_those_of_generate_alone_and_in_a_crowd(backend):
    texts = [f"Write {100 * n} words about the river. " * (n + 1) for n in range(7)]
    crowd = [
        backend.complete(asked(text), Sampling(8 + 5 * n, temperature=0.0)) for n, text in enumerate(texts)
    ]
    for n, (text, made) in enumerate(zip(texts, await asyncio.gather(*crowd), strict=True)):
        wanted = reference(backend, text, do_sample=False, max_new_tokens=8 + 5 * n)
        assert made.text == backend._loaded.chat.answers.read(wanted)[0]
        assert made.usage.completion_tokens == len(wanted)
        assert made.finish_reason == ("stop" if wanted[-1] in backend._loaded.ends else "length")
    assert backend.meter.in_flight == 0


@pytest.mark.asyncio(loop_scope="module")
async def test_a_sampled_answer_is_that_of_generate_with_its_seed_whatever_its_neighbours(backend):
    import torch

    async def ask(seed, text="Write of a river.", most=24):
        return (await backend.complete(asked(text), Sampling(most, temperature=0.5, seed=seed))).text

    crowd = await asyncio.gather(*[ask(n, f"Write {n}. " * n, 9 + 4 * n) for n in range(6)], ask(7), ask(8))
    chosen = backend._loaded.chat.defaults
    torch.manual_seed(7)
    wanted = reference(
        backend,
        "Write of a river.",
        do_sample=True,
        temperature=0.5,
        top_k=chosen["top_k"],
        top_p=chosen["top_p"],
        max_new_tokens=24,
    )
    assert crowd[6] == backend._loaded.chat.answers.read(wanted)[0] == await ask(7)
    assert crowd[6] != crowd[7]


@pytest.mark.asyncio(loop_scope="module")
async def test_prompts_have_the_references_ids(backend, folder):
    text = "Write 100 words. 写长 <|user|><|eot_id|>"
    made = await backend.complete(asked(text), Sampling(1))
    if folder.name == "LongWriter-glm4-9b":
        assert made.prompt_sha256 == tokens_sha256(glm4_ids(text))
    else:
        plain = "Write 100 words. 写长"
        made = await backend.complete(asked(plain), Sampling(1))
        assert made.prompt_sha256 == tokens_sha256(llama31_tokenizer().encode(f"[INST]{plain}[/INST]"))


@pytest.mark.asyncio(loop_scope="module")
async def test_the_record_says_what_is_in_force(backend, folder):
    about = json.loads(json.dumps(backend.about()))
    is_glm = folder.name == "LongWriter-glm4-9b"
    assert about["stop"] == ([FIRST, FIRST + 7, FIRST + 9] if is_glm else [FIRST + 1, FIRST + 4])
    sampling = about["sampling"]
    assert (sampling["top_p"], sampling["top_k"], sampling["min_p"]) == (0.8 if is_glm else 0.9, 50, 0.0)
    engine = about["engine"]
    assert (engine["name"], engine["dtype"], engine["device"]) == ("transformers", "float32", "cpu")
    assert engine["context"] == (32768 if is_glm else 131072)
    assert {"torch", "tokenizers"} <= set(engine["versions"])


@pytest.mark.asyncio(loop_scope="module")
async def test_a_cancelled_request_leaves_the_model_to_others(backend):
    before = backend.meter.pieces
    task = asyncio.ensure_future(backend.complete(asked("Write."), Sampling(20000, temperature=0.5, seed=1)))
    while backend.meter.pieces == before:
        await asyncio.wait({task}, timeout=0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert (await backend.complete(asked("Write."), Sampling(3))).usage.completion_tokens <= 3
    assert backend.meter.in_flight == 0


async def test_the_context_cuts_a_response_and_refuses_a_prompt(llama):
    async with opened(llama, args={"max_model_len": 40}) as backend:
        assert any("--max-tokens 64" in text for text in backend.told)
        made = await backend.complete(asked("Write."), Sampling(64, temperature=0.0))
        assert made.max_tokens == 40 - made.usage.prompt_tokens
        with pytest.raises(BackendError, match="the context 40") as caught:
            await backend.complete(asked("Write. " * 40), Sampling(8))
    assert caught.value.kind == "context_length"
    with pytest.raises(UsageError, match="131072"):
        async with opened(llama, args={"max_model_len": 200000}):
            pass


FIELDS = [
    {"repetition_penalty": 1.3},
    {"no_repeat_ngram_size": 2},
    {"suppress_tokens": [1, 2, 3]},
    {"top_k": 3, "min_p": 0.02, "temperature": 0.7},
    {"typical_p": 0.5, "top_p": 1.0},
    {"epsilon_cutoff": 0.003, "eta_cutoff": 0.003},
    {"top_h": 0.4},
]


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: "-".join(fields))
async def test_fields_of_gen_do_what_generate_does_with_them(llama, fields):
    import torch

    sampling = Sampling(
        16, fields.get("temperature", 0.5), 3, extra={k: v for k, v in fields.items() if k != "temperature"}
    )
    HFBackend.check_sampling(sampling)
    async with opened(llama) as backend:
        others = [backend.complete(asked("Write. " * n), Sampling(6, temperature=0.0)) for n in (1, 9)]
        made, *_ = await asyncio.gather(backend.complete(asked("Write it."), sampling), *others)
        torch.manual_seed(3)
        options = {"temperature": 0.5, "top_k": 50, "top_p": 0.9} | fields
        wanted = reference(backend, "Write it.", do_sample=True, max_new_tokens=16, **options)
        assert made.text == backend._loaded.chat.answers.read(wanted)[0]


def test_presence_and_frequency_penalties_count_the_answer_alone():
    import torch

    scores, answer = torch.zeros(1, 5), torch.tensor([1, 1, 3])
    values = {"presence_penalty": 0.5, "frequency_penalty": 2.0}
    assert penalised(scores, answer, values).tolist() == [[0.0, -4.5, 0.0, -2.5, 0.0]]
    assert penalised(scores, answer, {"presence_penalty": 0.0}) is scores
    assert penalised(scores, answer[:0], values) is scores


@pytest.mark.parametrize(
    ("extra", "told"),
    [({"top_pp": 0.5}, "did you mean 'top_p'"), ({"top_p": 3.0}, "top_p"), ({"n": 2}, "'n'")],
)
def test_fields_that_it_lacks_or_refuses_are_named(extra, told):
    with pytest.raises(UsageError, match=told):
        HFBackend.check_sampling(Sampling(8, extra=extra))


async def test_forced_json_is_refused(llama):
    async with opened(llama) as backend:
        with pytest.raises(BackendError, match="JSON") as caught:
            await backend.complete(asked("?"), Sampling(8, json_object=True))
    assert caught.value.kind == "bad_request"


async def test_an_adapter_is_asked_and_not_its_base_model(llama, tmp_path):
    adapter = write_adapter(tmp_path / "adapter", llama)
    texts = []
    for model, given in ((llama, None), (llama, adapter), (adapter, None)):
        spec = specified(model, adapter=given and str(given))
        async with HFBackend(spec) as backend:
            texts.append((await backend.complete(asked("Write."), Sampling(16, temperature=0.0))).text)
    assert texts[0] != texts[1] == texts[2]


@pytest.mark.parametrize("changes", [{"target_modules": ["query_key_value"]}, {"target_modules": ["k_proj"]}])
async def test_an_adapter_that_does_not_fit_is_refused(llama, tmp_path, changes):
    adapter = write_adapter(tmp_path / "adapter", llama)
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | changes))
    with pytest.raises(UsageError, match="adapter"):
        async with opened(llama, adapter=str(adapter)):
            pass


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_model_without_some_weights_is_refused(cache, tmp_path, layout):
    from safetensors.torch import load_file, save_file

    folder = LAYOUTS[layout](tmp_path / layout)
    weights = load_file(folder / "model.safetensors")
    weights.pop(next(name for name in weights if "mlp" in name))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UsageError, match="1 of its weights"):
        async with opened(folder):
            pass


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_file_of_weights_that_cannot_be_read_is_one_sentence(cache, tmp_path, layout):
    folder = LAYOUTS[layout](tmp_path / layout)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UsageError):
        async with opened(folder):
            pass


async def test_scores_that_are_no_numbers_are_no_answer(cache, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = write_llama31(tmp_path / "LongWriter-llama3.1-8b")
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] *= float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    async with opened(folder) as backend:
        for temperature in (0.0, 0.5):
            with pytest.raises(BackendError) as caught:
                await backend.complete(asked("Write."), Sampling(8, temperature=temperature))
            assert (caught.value.kind, str(caught.value)) == ("bad_response", NOT_A_NUMBER)


async def test_where_memory_runs_out_fewer_are_generated_at_once(llama):
    import torch

    async with opened(llama) as backend:
        model = backend._loaded.model
        whole, seen = model.forward, []

        def small(input_ids, **more):
            seen.append(len(input_ids))
            if len(input_ids) > 1:
                raise torch.OutOfMemoryError("out of memory")
            return whole(input_ids, **more)

        alone = await backend.complete(asked("Write 2."), Sampling(9, temperature=0.0))
        model.forward = small
        made = await asyncio.gather(
            *[backend.complete(asked(f"Write {n}."), Sampling(9, temperature=0.0)) for n in range(4)]
        )
        assert made[2].text == alone.text
        assert max(seen) > 1
        assert any("memory ran out" in text for text in backend.told)


async def test_a_model_that_fails_stops_the_run(llama):
    async with opened(llama, concurrency=1) as backend:
        backend._loaded.model.forward = None
        with pytest.raises(BackendError, match="TypeError") as caught:
            await backend.complete(asked("Write."), Sampling(8))
    assert caught.value.kind == "engine_dead"


async def test_closing_ends_what_is_generated(llama):
    backend = HFBackend(specified(llama, max_tokens=100000))
    await backend.__aenter__()
    task = asyncio.ensure_future(backend.complete(asked("Write."), Sampling(100000, temperature=0.5, seed=1)))
    while not backend.meter.pieces:
        await asyncio.wait({task}, timeout=0.01)
    await backend.__aexit__(None, None, None)
    with pytest.raises(BackendError) as caught:
        await task
    assert caught.value.kind == "engine_dead"


async def test_an_answer_is_the_same_wherever_accelerate_places_the_weights(llama, tmp_path):
    half = sum(path.stat().st_size for path in llama.glob("*.safetensors")) // 2
    found = {}
    for room in (None, "1GiB", half, 1000):
        args = {"device_map": "auto", "max_memory": {"cpu": room}, "offload_folder": str(tmp_path)}
        try:
            async with opened(llama, args=args if room else {}) as backend:
                made = await backend.complete(asked("Write of a river."), Sampling(24, temperature=0.0))
                found[room] = (backend.about()["engine"]["device"], made.text)
        except UsageError:
            assert room == 1000  # the oldest accelerate puts no whole model on disk
    assert [device for device, _ in found.values()][:3] == ["cpu", "cpu", "cpu, disk"]
    assert len({text for _, text in found.values()}) == 1


def test_two_runs_differ_by_content_and_not_by_device(llama, tmp_path):
    def identity(**args):
        return HFBackend.identity(specified(llama, args=args), print)

    one = identity()
    assert one == identity(device_map="auto", trust_remote_code=True)
    assert one["weights"]
    assert one != identity(dtype="bfloat16")
    assert HFBackend.shares(specified(llama), replace(specified(llama), max_tokens=7))
