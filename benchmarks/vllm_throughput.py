"""Tokens a second through this package's vLLM backend beside vLLM's own offline `LLM.chat`, same requests.

    python benchmarks/vllm_throughput.py                  the embedded model, 32 requests of 128 tokens
    python benchmarks/vllm_throughput.py --dummy-9b       a model of GLM-4's 9B shape with dummy weights, 120
                                                          requests whose lengths are the suite's (needs a GPU)

Each measurement is a process of its own, the two kinds in turns; loading is not counted. Prints a line a
measurement, and at the end the ratio of the medians and the ratio of each pair.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from longbench_write.backends.base import BackendSpec, Message, Sampling, derived_seed

GLM4_9B = {
    "architectures": ["GlmForCausalLM"],
    "model_type": "glm",
    "attention_bias": True,
    "head_dim": 128,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 13696,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 40,
    "num_key_value_heads": 2,
    "partial_rotary_factor": 0.5,
    "rms_norm_eps": 1.5625e-07,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "eos_token_id": [2],
    "pad_token_id": 2,
    "vocab_size": 151552,
}
"""GLM-4-9B's shape."""

TOKENS_A_WORD = 1.5


def requests(arguments: argparse.Namespace) -> list[tuple[str, int]]:
    """Prompts and the new tokens that each gets."""
    if not arguments.dummy_9b:
        return [(f"Describe river number {n}.", arguments.tokens) for n in range(arguments.requests)]
    from longbench_write.suites.suite import load_suite

    prompts = load_suite("longbench-write").prompts
    return [(prompt.prompt, round(prompt.length * TOKENS_A_WORD)) for prompt in prompts]


def engine_args(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the engine arguments of both."""
    chosen = dict(text.split("=", 1) for text in arguments.engine_arg)
    given = {name: json.loads(value) for name, value in chosen.items()}
    if arguments.dummy_9b:
        return {"load_format": "dummy", "dtype": "bfloat16", "max_model_len": 32768} | given
    return {"dtype": "float32", "enforce_eager": True, "gpu_memory_utilization": 0.3} | given


def dummy_model(folder: Path) -> str:
    """A folder with GLM-4-9B's shape and the embedded model's tokenizer; vLLM makes the weights up."""
    from longbench_write.backends.hf_folder import embedded_folder

    for file in embedded_folder("local/smollm2-135m").iterdir():
        if file.name.startswith("tokenizer") or file.suffix == ".jinja":
            (folder / file.name).symlink_to(file)
    (folder / "config.json").write_text(json.dumps(GLM4_9B))
    return str(folder)


def offline(arguments: argparse.Namespace, model: str) -> tuple[int, float]:
    """New tokens and seconds of vLLM's own loop."""
    from vllm import LLM, SamplingParams

    engine = LLM(model=model, **engine_args(arguments))
    asked = requests(arguments)
    params = [
        SamplingParams(temperature=0.5, max_tokens=tokens, ignore_eos=True, seed=derived_seed(42, n))
        for n, (_, tokens) in enumerate(asked)
    ]
    chats = [[{"role": "user", "content": prompt}] for prompt, _ in asked]
    engine.chat(chats[:2], SamplingParams(max_tokens=4), use_tqdm=False)
    began = time.perf_counter()
    outputs = engine.chat(chats, params, use_tqdm=False)
    seconds = time.perf_counter() - began
    return sum(len(output.outputs[0].token_ids) for output in outputs), seconds


async def ours(arguments: argparse.Namespace, model: str) -> tuple[int, float]:
    """New tokens and seconds through the backend, all requests handed over at once."""
    from longbench_write.backends.vllm import backend as vllm_engine

    class Endless(vllm_engine.VLLMBackend):
        async def _generate(self, engine: Any, ids: list[int], values: dict[str, Any]) -> Any:
            return await super()._generate(engine, ids, values | {"ignore_eos": True})

    asked = requests(arguments)
    spec = BackendSpec("vllm", model, engine_args=engine_args(arguments), max_tokens=32768)
    async with Endless(spec) as backend:

        async def ask(number: int, prompt: str, tokens: int) -> int:
            sampling = Sampling(tokens, temperature=0.5, seed=derived_seed(42, number))
            completion = await backend.complete([Message(role="user", content=prompt)], sampling)
            return completion.usage.completion_tokens or 0

        await asyncio.gather(*[ask(n, prompt, 4) for n, (prompt, _) in enumerate(asked[:2])])
        began = time.perf_counter()
        counts = await asyncio.gather(*[ask(n, *request) for n, request in enumerate(asked)])
        return sum(counts), time.perf_counter() - began


def measure(kind: str, words: list[str], model: str) -> float:
    """One measurement in a process of its own; gives tokens a second."""
    command = [sys.executable, __file__, *words, "--measure", kind, "--model", model]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    tokens, seconds = json.loads(done.stdout.splitlines()[-1])
    print(f"{kind:<8} {tokens} tokens in {seconds:.2f} s: {tokens / seconds:.1f} tokens/s", flush=True)
    return float(tokens / seconds)


def main() -> None:
    """Measure, or compare measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="pairs of measurements")
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128, help="new tokens of each")
    parser.add_argument("--dummy-9b", action="store_true")
    parser.add_argument("--engine-arg", action="append", default=[], help="KEY=JSON, for both")
    parser.add_argument("--measure", choices=["offline", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
        if arguments.measure == "ours":
            print(json.dumps(asyncio.run(ours(arguments, arguments.model))))
        else:
            print(json.dumps(offline(arguments, arguments.model)))
        return
    from longbench_write.backends.hf_folder import embedded_folder

    with tempfile.TemporaryDirectory() as folder:
        model = (
            dummy_model(Path(folder)) if arguments.dummy_9b else str(embedded_folder("local/smollm2-135m"))
        )
        pairs = []
        for run in range(arguments.runs):
            turns = ("offline", "ours") if run % 2 == 0 else ("ours", "offline")
            found = {kind: measure(kind, sys.argv[1:], model) for kind in turns}
            pairs.append((found["ours"], found["offline"]))
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    each = ", ".join(f"{one / other:.3f}" for one, other in pairs)
    print(f"ratio of the medians {mine / theirs:.3f} (pairs: {each})")


if __name__ == "__main__":
    main()
