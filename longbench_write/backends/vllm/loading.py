"""Loading a model into vLLM: what can be checked is checked before its weights are read."""

from __future__ import annotations

import copy
import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.chat_model import ChatModel, chat_model, cut_note
from longbench_write.backends.engine_record import installed_versions, rope_of, warnings_of
from longbench_write.backends.glm4_tokenizer import fast_tokenizer
from longbench_write.backends.hf_folder import find_folder
from longbench_write.backends.hub import hub_commit
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.sampling import not_applied
from longbench_write.backends.vllm.counts import counting
from longbench_write.backends.vllm.lora import adapter_arguments
from longbench_write.backends.vllm.options import import_engine_args, stdout_kept
from longbench_write.backends.vllm.reasoning_parser import FamilyParser, family_parser, find_parser
from longbench_write.errors import LbwError, UsageError, shorten

PIECE = 32
"""Tokens after which a request in flight reports what it has; a report a token would slow the engine down."""

AUTO_LENGTH = -1
"""vLLM's context that is as long as its memory allows."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An engine that can be asked.

    Attributes:
        engine: vLLM's AsyncLLM.
        chat: How the model is asked.
        parser: Parts its answers, where its family has one in vLLM, or one was asked for.
        context: Tokens of prompt and response together.
        adapter: vLLM's LoRARequest that every request is made with; None without an adapter.
        record: What run.yaml says of it.
        notes: What the user should know, a sentence each.
    """

    engine: Any
    chat: ChatModel
    parser: FamilyParser | None
    context: int
    adapter: Any
    record: dict[str, Any]
    notes: list[str]


@dataclass(slots=True)
class _Checked:
    """A model whose weights have not been read yet."""

    args: Any
    chat: ChatModel
    parser: FamilyParser | None
    notes: list[str] = field(default_factory=list)


def load(spec: BackendSpec) -> Loaded:
    """Load the model; blocks until it can be asked.

    Raises:
        UsageError: vLLM cannot load it as it was asked to, or its tokenizer or chat template cannot be used.
    """
    engine_args = import_engine_args()
    with stdout_kept(), warnings_of("vllm") as warnings:
        try:
            args = engine_args(**_arguments(spec))
            checked = _check(spec, args)
            engine = _start(spec, checked)
        except LbwError:
            raise
        except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
            raise UsageError(_refusal(spec.model, error)) from error
    context = engine.model_config.max_model_len
    checked.notes.extend(cut_note(spec, context))
    return Loaded(
        engine=engine,
        chat=checked.chat,
        parser=checked.parser,
        context=context,
        adapter=_lora(spec.adapter),
        record=checked.chat.about() | {"engine": _about(engine, checked, warnings)},
        notes=checked.notes,
    )


def _lora(adapter: str | None) -> Any:
    if adapter is None:
        return None
    from vllm.lora.request import LoRARequest

    return LoRARequest("adapter", 1, os.path.abspath(os.path.expanduser(adapter)))


def _arguments(spec: BackendSpec) -> dict[str, Any]:
    """Return all engine arguments: the user's over what the model and this machine need."""
    from vllm.platforms import current_platform

    values: dict[str, Any] = {"disable_log_stats": True, "stream_interval": PIECE}
    if current_platform.is_cpu():
        values["enable_chunked_prefill"] = False  # with seeds, a prompt in pieces ends the engine there
    model = find_folder(spec.model)
    values |= {"model": model, **adapter_arguments(spec.adapter), **spec.engine_args}
    if values.get("max_model_len") == "auto":
        values["max_model_len"] = AUTO_LENGTH
    cache = values.get("download_dir")
    if commit := hub_commit(model, revision=values.get("revision"), cache=cache):
        values["revision"] = commit
    if "tokenizer" not in values:
        folder = fast_tokenizer(model, revision=values.get("revision"), cache=cache)
        if folder:
            values["tokenizer"] = str(folder)
    return values


def _check(spec: BackendSpec, args: Any) -> _Checked:
    """Make a prompt and look for what would spoil the answers, before the weights are read."""
    from vllm.tokenizers import cached_tokenizer_from_config

    config = args.create_model_config()
    if args.max_model_len is None:
        args.max_model_len = min(config.max_model_len, spec.max_tokens + spec.prompt_tokens)
    generation = config.try_get_generation_config() | config.get_diff_sampling_param()
    model_type = getattr(config.hf_config, "model_type", None)
    chat = chat_model(spec, lambda: cached_tokenizer_from_config(config), generation, model_type=model_type)
    parser = _parser(spec, args, cached_tokenizer_from_config(config), chat, model_type)
    return _Checked(args, chat, parser, [*chat.notes, *_notes(spec, generation)])


def _parser(
    spec: BackendSpec, args: Any, tokenizer: Any, chat: ChatModel, model_type: str | None
) -> FamilyParser | None:
    """Choose the parser of a model's reasoning: the user's, else its card's, else its family's."""
    asked = "reasoning_parser" in spec.engine_args
    if not asked and (card := find_card(spec.model)):
        args.reasoning_parser = card.reasoning_parser
    if asked or args.reasoning_parser:
        return find_parser(args, tokenizer, chat.prompts.control)
    return family_parser(model_type, tokenizer, chat.prompts.control)


def _notes(spec: BackendSpec, generation: dict[str, Any]) -> list[str]:
    from vllm.platforms import current_platform

    notes = []
    if left := not_applied(generation):
        notes.append(
            f"vLLM does not apply what the generation config of {spec.model} says: {', '.join(left)}"
        )
    if not current_platform.is_cpu():
        notes += unused_gpus(current_platform.device_count(), spec.engine_args)
    return notes


def unused_gpus(seen: int, engine_args: Mapping[str, Any]) -> list[str]:
    """Return the note that only some GPUs are used, where that is so.

    Args:
        seen: GPUs that vLLM sees.
        engine_args: What the user wants of it.
    """
    used = 1
    for name in ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"):
        used *= engine_args.get(name) or 1
    if used >= seen:
        return []
    return [
        f"{used} of {seen} GPUs {'is' if used == 1 else 'are'} used: --data-parallel-size {seen // used}"
        f" runs a copy of the model on each, --tensor-parallel-size {seen} shares it out"
    ]


def _start(spec: BackendSpec, checked: _Checked) -> Any:
    """Start the engine; where the context does not fit into memory, with the longest that does."""
    from vllm.usage.usage_lib import UsageContext
    from vllm.v1.engine.async_llm import AsyncLLM

    args = copy.copy(checked.args)  # vLLM writes into it what follows from the context, for that one alone
    options = {"usage_context": UsageContext.LLM_CLASS, "stat_loggers": counting()}
    try:
        return AsyncLLM.from_engine_args(args, **options)
    except (ValueError, RuntimeError):
        if "max_model_len" in spec.engine_args:
            raise
        wanted, args = args.max_model_len, copy.copy(checked.args)
        args.max_model_len = AUTO_LENGTH
        engine = AsyncLLM.from_engine_args(args, **options)
        checked.notes.append(
            f"a context of {wanted} tokens does not fit into memory:"
            f" it is {engine.model_config.max_model_len} instead"
        )
        return engine


def _about(engine: Any, checked: _Checked, warnings: list[str]) -> dict[str, Any]:
    """Return what run.yaml says of the engine; what is null is not known or not set."""
    config = engine.vllm_config
    model, cache, parallel = config.model_config, config.cache_config, config.parallel_config
    revision = model.revision
    about = {
        "name": "vllm",
        "version": importlib.import_module("vllm").__version__,
        "versions": installed_versions(("torch", "transformers", "tokenizers")),
        "context": model.max_model_len,
        "dtype": str(model.dtype).removeprefix("torch."),
        "kv_cache_dtype": str(cache.cache_dtype),
        "quantization": model.quantization,
        "rope": rope_of(model.hf_config),
        "devices": parallel.world_size_across_dp,
        "concurrency": config.scheduler_config.max_num_seqs,
        "commit": revision,
        "tokenizer": checked.args.tokenizer,
        "reasoning_parser": checked.parser.name if checked.parser else None,
        "warnings": warnings,
    }
    return {name: value for name, value in about.items() if value not in (None, [], {})}


def _refusal(model: str, error: Exception) -> str:
    reason = shorten(str(error).partition("Value error, ")[2] or str(error))  # pydantic puts this before it
    if isinstance(error, RuntimeError):
        reason += " (if memory is short, lower --gpu-memory-utilization or --max-model-len,"
        reason += " or share the model out over GPUs with --tensor-parallel-size)"
    return f"vLLM cannot load {model}: {reason}"
