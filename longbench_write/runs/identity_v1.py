"""The identity of a run in version 0.1.0, frozen: which folder it gave a command, and which prompts.

Nothing here follows what changes elsewhere (cards, engine defaults, selection, how weights are told apart):
runs that 0.1.0 began are found by the digest that it gave them, or not at all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from longbench_write.backends.base import is_folder
from longbench_write.backends.prompts import read_template
from longbench_write.config import RunConfig
from longbench_write.runs.folder import digest
from longbench_write.suites.suite import LENGTH_RANGES, Prompt, Suite, length_range, select

T = TypeVar("T")

_ENGINE = (
    *("tensor_parallel_size", "data_parallel_size", "max_model_len"),
    *("gpu_memory_utilization", "dtype", "trust_remote_code", "revision"),
)
_PLACEMENT = (
    *("tensor_parallel_size", "data_parallel_size"),
    *("pipeline_parallel_size", "gpu_memory_utilization"),
)
_WEIGHTS = frozenset({".json", ".safetensors", ".bin", ".pt", ".gguf", ".model", ".jinja", ".py"})
_CARDS: tuple[dict[str, Any], ...] = (
    {
        "name": "LongWriter-glm4-9b",
        "names": ["THUDM/LongWriter-glm4-9b", "zai-org/LongWriter-glm4-9b"],
        "trust_remote_code": True,
        "prompt": "[gMASK]<sop><|user|>\n{prompt}<|assistant|>",
        "stop": ["<|endoftext|>", "<|user|>", "<|observation|>"],
        "sampling": {"temperature": 0.5},
    },
    {
        "name": "LongWriter-llama3.1-8b",
        "names": ["THUDM/LongWriter-llama3.1-8b", "zai-org/LongWriter-llama3.1-8b"],
        "trust_remote_code": False,
        "prompt": "[INST]{prompt}[/INST]",
        "stop": ["<|end_of_text|>"],
        "sampling": {"temperature": 0.5},
    },
)


def digest_v1(config: RunConfig, suite: Suite, prompts: Sequence[Prompt], kind: str) -> str:
    """Return the digest in the name of the folder that 0.1.0 gave a command.

    Args:
        config: The command's; only what 0.1.0 knew counts.
        suite: Where its prompts come from.
        prompts: Those of `select_v1`.
        kind: The backend.
    """
    identity = {
        "model": config.model,
        "weights": _weights(config.model, kind),
        "writer": "direct",
        "suite": suite.sha256,
        "prompts": [prompt.id for prompt in prompts],
        "samples": config.samples,
        "temperature": config.temperature,
        "max_tokens": config.max_tokens,
        "seed": config.seed,
    }
    if kind == "vllm":
        identity |= _engine(config)
    return digest(identity)


def select_v1(suite: Suite, config: RunConfig) -> tuple[Prompt, ...]:
    """Choose the prompts that 0.1.0 chose for a command; they differ from today's where there is a limit."""
    prompts = select(suite, ids=config.ids, length_range=config.length_range)
    return prompts if config.limit is None else _spread(prompts, config.limit)


def _engine(config: RunConfig) -> dict[str, Any]:
    given = {name: getattr(config, name) for name in _ENGINE if getattr(config, name) is not None}
    args = given | config.engine_arg
    card = _card(config.model)
    if card and card["trust_remote_code"]:
        args = {"trust_remote_code": True} | args
    prompt_format = config.prompt_format
    if prompt_format not in (None, "chat", "raw"):
        prompt_format = hashlib.sha256(read_template(prompt_format).encode()).hexdigest()
    engine = {name: value for name, value in args.items() if name not in _PLACEMENT}
    return {"engine": engine, "prompt_format": prompt_format, "card": card}


def _card(model: str) -> dict[str, Any] | None:
    name = Path(os.path.expanduser(model)).resolve().name if is_folder(model) else None
    return next((card for card in _CARDS if model in card["names"] or card["name"] == name), None)


def _weights(model: str, kind: str) -> list[Any] | None:
    """Return sizes (bytes) and modification times (ns) of a model's local files."""
    path = Path(os.path.expanduser(model.removeprefix("local/")))
    if kind == "local" and path.is_file():
        status = path.stat()
        return [status.st_size, status.st_mtime_ns]
    if kind == "vllm" and path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in _WEIGHTS and file.is_file())
        return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    return None


def _spread(prompts: tuple[Prompt, ...], limit: int) -> tuple[Prompt, ...]:
    groups = [
        [prompt for prompt in prompts if prompt.length and length_range(prompt.length) == label]
        for label in LENGTH_RANGES
    ]
    shares = [0] * len(groups)
    left = min(limit, sum(map(len, groups)))
    while left:
        room = [i for i, group in enumerate(groups) if shares[i] < len(group)]
        for i in _evenly(room, left):
            shares[i] += 1
            left -= 1
    chosen = {p.id for group, n in zip(groups, shares, strict=True) for p in _evenly(group, n)}
    return tuple(prompt for prompt in prompts if prompt.id in chosen)


def _evenly(items: Sequence[T], count: int) -> list[T]:
    count = min(count, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]
