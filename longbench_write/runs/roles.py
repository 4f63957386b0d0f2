"""Who writes and who judges: from a configuration to what opens their backends, and to the run's identity."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from longbench_write.backends.base import Backend, BackendSpec
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.registry import DEFAULT_KEY_ENV, check_kind, choose_backend
from longbench_write.backends.vllm.prompts import CHAT, RAW, read_template
from longbench_write.config import RunConfig, flag
from longbench_write.errors import UsageError
from longbench_write.judging.judge import Judge
from longbench_write.runs.pipeline import Observer
from longbench_write.suites.suite import Prompt, Suite
from longbench_write.writers.direct import DirectWriter

DEFAULT_JUDGE = "paper-successor"
DEFAULT_CONCURRENCY = {"local": 4, "vllm": 512}
"""Requests in flight by kind of backend, where it is not `_CONCURRENCY`; vLLM itself schedules them."""

_CONCURRENCY = 32

_OF_MODEL = ("trust_remote_code", "revision")
_OF_ENGINE = (
    *("tensor_parallel_size", "data_parallel_size", "max_model_len"),
    *("gpu_memory_utilization", "dtype", *_OF_MODEL),
)
"""Fields of the configuration that are engine arguments of vLLM under the same name."""

_PLACEMENT = (
    *("tensor_parallel_size", "data_parallel_size"),
    *("pipeline_parallel_size", "gpu_memory_utilization"),
)
"""Engine arguments that say where a model runs, not what it writes."""

_WEIGHTS = frozenset({".json", ".safetensors", ".bin", ".pt", ".gguf", ".model", ".jinja", ".py"})
"""File types that a model's folder is told by."""


@dataclass(frozen=True)
class WriterRole:
    """Who writes: how to reach the model, and the writer to be made of it."""

    spec: BackendSpec
    make: Callable[[Backend], DirectWriter]


@dataclass(frozen=True)
class JudgeRole:
    """Who judges, and how to reach its model."""

    judge: Judge
    spec: BackendSpec


def writer_spec(config: RunConfig, observer: Observer) -> BackendSpec:
    """What opens the backend of the model under test.

    Raises:
        UsageError: There is no such backend.
    """
    kind, why = choose_backend(
        config.model,
        requested=config.backend,
        base_urls=config.base_url,
        api_key_env=config.api_key_env,
    )
    observer.note(f"backend: {kind}, {why}")
    check_kind(kind)
    spec = BackendSpec(
        kind=kind,
        model=config.model,
        base_urls=config.base_url,
        api_key_env=config.api_key_env or (None if config.base_url else DEFAULT_KEY_ENV),
        concurrency=config.concurrency or DEFAULT_CONCURRENCY.get(kind, _CONCURRENCY),
        max_tokens=config.max_tokens,
        idle_timeout=config.idle_timeout,
        stream=config.stream,
        max_completion_tokens=kind == "openai" and not config.base_url,
    )
    if kind != "vllm":
        if (card := find_card(config.model)) and card.prompt:
            observer.note(
                f"the card of {card.name} has a prompt of its own, but a server makes the prompt itself:"
                " see that its chat template is right (docs/vllm.md), or have vLLM run the model here"
            )
        return spec
    if config.prompt_format not in (None, CHAT, RAW):
        read_template(config.prompt_format)
    engine_args = _with_card(config.model, _engine_args(config), observer)
    return replace(spec, engine_args=engine_args, prompt_format=config.prompt_format)


def _engine_args(config: RunConfig) -> dict[str, Any]:
    """The engine arguments that were given."""
    given = {name: getattr(config, name) for name in _OF_ENGINE if getattr(config, name) is not None}
    if "model" in config.engine_arg:
        raise UsageError("--engine-arg model: the model under test is named with --model")
    for name in given.keys() & config.engine_arg.keys():
        raise UsageError(f"{flag(name)} and --engine-arg {name} say the same: give one of them")
    return given | config.engine_arg


def _with_card(model: str, engine_args: dict[str, Any], observer: Observer) -> dict[str, Any]:
    """The engine arguments with what the model's card adds, which is said aloud."""
    card = find_card(model)
    if card is None:
        return engine_args
    if card.trust_remote_code and "trust_remote_code" not in engine_args:
        observer.note(
            f"the card of {card.name} has the code in its repository run (trust_remote_code);"
            " --no-trust-remote-code refuses"
        )
        return engine_args | {"trust_remote_code": True}
    return engine_args


def check_vllm_options(config: RunConfig, writer: BackendSpec | None, judge: JudgeRole | None) -> None:
    """Refuse options that vLLM alone understands, where nobody is asked through it.

    Raises:
        UsageError: There is one.
    """
    judges = judge is not None and judge.spec.kind == "vllm"
    names = [] if judges else ["judge_engine_arg"]
    if writer is None or writer.kind != "vllm":
        names += ["prompt_format", *_OF_MODEL]
        names += [] if judges else ["engine_arg", *(name for name in _OF_ENGINE if name not in _OF_MODEL)]
    for name in names:
        if getattr(config, name) not in (None, {}):
            option = "--judge-backend" if name == "judge_engine_arg" or writer is None else "--backend"
            raise UsageError(f"{flag(name)} is for a model on vLLM: leave it out, or give {option} vllm")


def judge_role(config: RunConfig, *, seed: int, max_tokens: int, observer: Observer) -> JudgeRole | None:
    """The judge and what opens its backend; None, with the reason told, where there is no judge.

    Args:
        config: What was asked for.
        seed: The run's seed.
        max_tokens: Tokens that a response may have.
        observer: Told what the user should know.

    Raises:
        UsageError: There is no such judge.
    """
    judge = _choose_judge(config, seed, observer)
    if config.judge_engine_arg and (judge is None or judge.card.backend != "vllm"):
        raise UsageError(
            "--judge-engine-arg is for a judge on vLLM: leave it out, or give --judge-backend vllm"
        )
    if judge is None:
        return None
    kind = judge.card.backend
    spec = replace(
        judge.spec(config.judge_concurrency or DEFAULT_CONCURRENCY.get(kind)),
        idle_timeout=config.idle_timeout,
        stream=config.stream,
    )
    if kind != "vllm":
        return JudgeRole(judge, spec)
    shared = _engine_args(config)
    if spec.model != config.model:
        shared = {name: value for name, value in shared.items() if name not in _OF_MODEL}
    pinned = {"revision": judge.card.revision} if judge.card.revision else {}
    engine_args = _with_card(spec.model, shared | pinned | config.judge_engine_arg, observer)
    prompt_format = config.prompt_format if spec.model == config.model else None
    room = spec.prompt_tokens + max_tokens
    return JudgeRole(
        judge, replace(spec, engine_args=engine_args, prompt_format=prompt_format, prompt_tokens=room)
    )


def _choose_judge(config: RunConfig, seed: int, observer: Observer) -> Judge | None:
    name = config.judge
    if name is None:
        asked = config.judge_model or config.judge_base_url or config.judge_backend
        if not (asked or os.environ.get(DEFAULT_KEY_ENV)):
            observer.note(
                f"no judge: none was given and {DEFAULT_KEY_ENV} is not set, so S_q will be missing"
            )
            return None
        name = DEFAULT_JUDGE
        observer.note(f"judge: {name}, the default; --judge chooses another")
    if name == "none":
        return None
    judge = Judge.load(
        name,
        model=config.judge_model,
        backend=config.judge_backend,
        base_urls=config.judge_base_url,
        api_key_env=config.judge_api_key_env,
        repeats=config.judge_repeats,
        in_chapters=config.long_responses == "chapters",
        seed=seed,
    )
    if judge.card.retires and not config.judge_base_url:
        observer.note(retirement(judge, judge.card.retires))
    return judge


def retirement(judge: Judge, day: date) -> str:
    """The warning that a judge's model is shut down on this day, before money is spent on it."""
    if day <= date.today():
        what = f"{judge.card.model} was to be shut down on {day}"
    else:
        what = (
            f"{judge.card.model} will be shut down on {day}, and what it says cannot be repeated from then on"
        )
    return (
        f"judge {judge.label}: {what}; name a server that has it for longer with --judge-base-url, or take "
        "another judge"
    )


def make_writer(config: RunConfig, backend: Backend) -> DirectWriter:
    """The writer that the configuration asks for."""
    temperature = None if config.temperature == "default" else config.temperature
    return DirectWriter(backend, temperature, config.max_tokens, config.seed)


def same_model(one: BackendSpec, other: BackendSpec) -> bool:
    """Whether two roles can share one model that runs on this machine."""
    return (one.kind, one.model) == (other.kind, other.model) and (
        one.kind == "local"
        or (
            one.kind == "vllm"
            and one.engine_args == other.engine_args
            and one.prompt_format == other.prompt_format
        )
    )


def in_turns(writer: BackendSpec, judge: BackendSpec) -> bool:
    """Whether writing has to end before judging begins: two models of vLLM want the same GPUs."""
    return writer.kind == judge.kind == "vllm" and not same_model(writer, judge)


def shared_spec(spec: BackendSpec, judge: JudgeRole | None) -> BackendSpec:
    """The writer's specification, large enough for the judge too where they share a model."""
    if judge is None or not same_model(spec, judge.spec):
        return spec
    return replace(
        spec,
        concurrency=max(spec.concurrency, judge.spec.concurrency),
        max_tokens=max(spec.max_tokens, judge.spec.max_tokens),
        prompt_tokens=max(spec.prompt_tokens, judge.spec.prompt_tokens),
    )


def run_identity(
    config: RunConfig, suite: Suite, prompts: Sequence[Prompt], spec: BackendSpec
) -> dict[str, Any]:
    """Everything that would change the run's numbers.

    Judges stand beside each other in one run. Servers come and go under new addresses, so it is the model's
    name, not its address, that says what was asked.
    """
    identity = {
        "model": config.model,
        "weights": _weights(spec),
        "writer": DirectWriter.name,
        "suite": suite.sha256,
        "prompts": [prompt.id for prompt in prompts],
        "samples": config.samples,
        "temperature": config.temperature,
        "max_tokens": config.max_tokens,
        "seed": config.seed,
    }
    return identity | _engine_identity(spec) if spec.kind == "vllm" else identity


def _engine_identity(spec: BackendSpec) -> dict[str, Any]:
    card = find_card(spec.model)
    prompt_format = spec.prompt_format
    if prompt_format not in (None, CHAT, RAW):
        prompt_format = hashlib.sha256(read_template(prompt_format).encode()).hexdigest()
    return {
        "engine": {name: value for name, value in spec.engine_args.items() if name not in _PLACEMENT},
        "prompt_format": prompt_format,
        "card": asdict(card) if card else None,
    }


def _weights(spec: BackendSpec) -> list[Any] | None:
    """What tells one state of a model's local files from another: their sizes and modification times."""
    path = Path(spec.model.removeprefix("local/")).expanduser()
    if spec.kind == "local" and path.is_file():
        status = path.stat()
        return [status.st_size, status.st_mtime_ns]
    if spec.kind == "vllm" and path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in _WEIGHTS and file.is_file())
        return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    return None
