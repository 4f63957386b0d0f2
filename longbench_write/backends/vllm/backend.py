"""The "vllm" backend: vLLM's asynchronous engine in this process, its model in processes of its own.

Nothing of vLLM is imported before it is used. What it logs goes to stderr, warnings and worse alone unless
VLLM_LOGGING_LEVEL says otherwise.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import itertools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing import active_children
from types import TracebackType
from typing import Any, ClassVar, Self

from longbench_write.backends.base import BackendSpec, Completion, Message, ModelBackend, Sampling, Usage
from longbench_write.backends.finish_reasons import FinishReasons
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.vllm.engine_guard import EngineGuard
from longbench_write.backends.vllm.options import (
    OPTIONS,
    check_engine_args,
    import_engine_args,
    stdout_kept,
    vllm_identity,
    with_card,
)
from longbench_write.backends.vllm.prompts import (
    CHAT,
    RAW,
    PromptFormat,
    Tokenizer,
    choose_format,
    read_template,
    stop_token_ids,
)
from longbench_write.errors import BackendError, UsageError, shorten

PIECE = 32
"""Tokens after which a request in flight reports what it has; a report a token would slow the engine down."""

_LOOK_EVERY = 0.5
"""Seconds between two looks for processes that vLLM has started."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An engine that can be asked.

    Attributes:
        engine: vLLM's AsyncLLM.
        tokenizer: The model's.
        format: How messages become a prompt.
        stop: Token ids that end a response, beside those of the generation config.
        defaults: Sampling where the request says nothing: the generation config's and the card's.
        context: Tokens of prompt and response together.
    """

    engine: Any
    tokenizer: Tokenizer
    format: PromptFormat
    stop: list[int]
    defaults: dict[str, Any]
    context: int


class VLLMBackend(ModelBackend):
    """Runs a model of the hub, or of a folder, on this machine's GPUs.

    Attributes:
        spec: How it was opened.
        meter: What it has done so far.
    """

    title: ClassVar[str] = "vLLM"
    concurrency: ClassVar[int | None] = 512  # vLLM itself schedules them
    metered: ClassVar[bool] = False
    in_process: ClassVar[bool] = True
    exclusive: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = OPTIONS
    judge_changes: ClassVar[Mapping[str, Any]] = {
        "reply_format": "json_schema",
        "max_completion_tokens": False,
        "reasoning_effort": None,
    }

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._loaded: _Loaded | None = None
        self._guard: EngineGuard | None = None
        self._numbers = itertools.count()
        self._reasons = FinishReasons(spec.finish_reasons)

    @classmethod
    def configure(cls, spec: BackendSpec, note: Callable[[str], None]) -> BackendSpec:
        """Add what the model's card says, and read the chat template that was named."""
        if spec.prompt_format not in (None, CHAT, RAW):
            read_template(spec.prompt_format)
        return replace(spec, engine_args=with_card(spec.model, spec.engine_args, note))

    @classmethod
    def prepare(cls, spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
        """Refuse engine arguments that vLLM does not have, and make the folder of an embedded model."""
        check_installed()
        check_engine_args(list(spec.engine_args))
        find_folder(spec.model, on_download)

    @classmethod
    def shares(cls, one: BackendSpec, other: BackendSpec) -> bool:
        """Return whether one engine can answer both: model, arguments and prompt format are the same."""
        return (one.model, one.engine_args, one.prompt_format) == (
            other.model,
            other.engine_args,
            other.prompt_format,
        )

    @classmethod
    def identity(cls, spec: BackendSpec, note: Callable[[str], None]) -> dict[str, Any]:
        """Return the content of a folder, the engine's arguments, the prompt format and the card."""
        return vllm_identity(spec, note)

    @classmethod
    def opening(cls, spec: BackendSpec) -> str:
        """Return the note that loading, which takes a while, begins."""
        return f"loading {spec.model} into vLLM"

    async def __aenter__(self) -> Self:
        """Load the model.

        Raises:
            UsageError: vLLM is not installed, or cannot load the model as it was asked to.
        """
        check_installed()
        # Before loading, because vLLM keeps frames of its imports, and with them what their callers refer to.
        await asyncio.to_thread(import_engine_args)
        others = active_children()
        self._guard = guard = EngineGuard()
        loading = asyncio.ensure_future(asyncio.to_thread(_load, self.spec))
        try:
            while not loading.done():
                guard.watch(child.pid for child in active_children() if child.pid and child not in others)
                await asyncio.wait({loading}, timeout=_LOOK_EVERY)
            self._loaded = loading.result()
        except BaseException:
            while not loading.done():  # as it will be once its processes are ended
                for child in set(active_children()) - set(others):
                    child.kill()
                await asyncio.wait({loading}, timeout=_LOOK_EVERY)
            loading.cancelled() or loading.exception()
            await asyncio.to_thread(guard.end)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Shut the engine down; its memory is free afterwards."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            await asyncio.to_thread(loaded.engine.shutdown)
            del loaded
            gc.collect()  # it is in cycles, and complains when it is still there at the very end
        if self._guard is not None:
            await asyncio.to_thread(self._guard.end)

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat; see `Backend.complete`."""
        loaded = self._loaded
        if loaded is None:
            raise RuntimeError("the backend is not open")
        ids = loaded.format.token_ids(loaded.tokenizer, messages)
        left = loaded.context - len(ids)
        if left < 1:
            raise BackendError(
                "context_length",
                f"the prompt has {len(ids)} tokens and the context {loaded.context} (--max-model-len)",
            )
        values = sampling_values(sampling, left, loaded.defaults, loaded.stop)
        self.meter.in_flight += 1
        try:
            return await self._generate(loaded.engine, ids, values)
        finally:
            self.meter.in_flight -= 1

    async def _generate(self, engine: Any, ids: list[int], values: dict[str, Any]) -> Completion:
        from vllm.exceptions import VLLMValidationError
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        began = time.perf_counter()
        text: list[str] = []
        tokens, cached, finish = 0, None, None
        try:
            async for output in engine.generate(
                {"prompt_token_ids": ids}, _sampling_params(values), f"lbw-{next(self._numbers)}"
            ):
                piece = output.outputs[0]
                text.append(piece.text)
                tokens += len(piece.token_ids)
                self.meter.pieces += len(piece.token_ids)
                finish, cached = piece.finish_reason, output.num_cached_tokens
        except EngineDeadError:
            raise BackendError(
                "engine_dead",
                "vLLM's engine died (its reason stands above): if memory ran out, lower --max-model-len,"
                " --gpu-memory-utilization or --concurrency",
            ) from None
        except EngineGenerateError as error:
            raise BackendError("server_error", f"vLLM: {shorten(str(error.__cause__ or error))}") from None
        except (ValueError, VLLMValidationError) as error:
            raise BackendError("bad_request", f"vLLM: {shorten(str(error))}") from None
        if finish == "abort":
            raise BackendError("engine_dead", "vLLM's engine was ended from outside")
        ended = self._reasons.read(finish)
        usage = Usage(prompt_tokens=len(ids), completion_tokens=tokens, cached_tokens=cached)
        seconds = time.perf_counter() - began
        return Completion("".join(text), "", ended, usage, seconds, max_tokens=values["max_tokens"])


def check_installed() -> None:
    """Refuse to continue without vLLM, whatever its distribution is called.

    Raises:
        UsageError: It is not installed.
    """
    if importlib.util.find_spec("vllm") is None:
        raise UsageError(
            'vLLM is not installed: run pip install "longbench-write[vllm]", or serve the model elsewhere'
            " (`vllm serve MODEL`) and pass --base-url http://HOST:8000/v1, or set OPENAI_API_KEY if it is"
            " behind OpenAI's API"
        )


def sampling_values(
    sampling: Sampling, left: int, defaults: Mapping[str, Any], stop: Sequence[int]
) -> dict[str, Any]:
    """Return the arguments of vLLM's SamplingParams.

    Args:
        sampling: What the request asks for, which comes first.
        left: Tokens that the context leaves.
        defaults: The model's own sampling.
        stop: Token ids that end the response.
    """
    requested = {"temperature": sampling.temperature, "seed": sampling.seed}
    values = {**defaults, **{name: value for name, value in requested.items() if value is not None}}
    values["max_tokens"] = min(sampling.max_tokens, left)
    values["stop_token_ids"] = list(stop)
    if sampling.json_schema is not None:
        values["structured_outputs"] = {"json": sampling.json_schema}
    elif sampling.json_object:
        values["structured_outputs"] = {"json_object": True}
    return values


def _sampling_params(values: Mapping[str, Any]) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    more: dict[str, Any] = {"output_kind": RequestOutputKind.DELTA}
    if "structured_outputs" in values:
        more["structured_outputs"] = StructuredOutputsParams(**values["structured_outputs"])
    return SamplingParams(**{**values, **more})


def _load(spec: BackendSpec) -> _Loaded:
    """Load the model; blocks until it can be asked."""
    engine_args = import_engine_args()
    from vllm.usage.usage_lib import UsageContext
    from vllm.v1.engine.async_llm import AsyncLLM

    card = find_card(spec.model)
    prompt_format = choose_format(spec.prompt_format, card)
    with stdout_kept():
        try:
            args = engine_args(model=find_folder(spec.model), **(_defaults() | dict(spec.engine_args)))
            if args.max_model_len is None:
                args.max_model_len = min(
                    args.create_model_config().max_model_len, spec.max_tokens + spec.prompt_tokens
                )
            engine = AsyncLLM.from_engine_args(args, usage_context=UsageContext.LLM_CLASS)
        except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
            raise UsageError(_refusal(spec.model, error)) from error
    try:
        tokenizer = engine.get_tokenizer()
        prompt_format.text(tokenizer, [Message(role="user", content="?")])
        stop = stop_token_ids(tokenizer, card.stop) if card else []
    except UsageError as error:
        engine.shutdown()
        raise UsageError(f"{spec.model}: {error}") from None
    defaults = {**engine.model_config.get_diff_sampling_param(), **(card.sampling if card else {})}
    return _Loaded(engine, tokenizer, prompt_format, stop, defaults, engine.model_config.max_model_len)


def _defaults() -> dict[str, Any]:
    """Return the engine arguments where the user says nothing."""
    from vllm.platforms import current_platform

    values: dict[str, Any] = {"disable_log_stats": True, "stream_interval": PIECE}
    if current_platform.is_cpu():
        values["enable_chunked_prefill"] = False  # with seeds, a prompt in pieces ends the engine there
    return values


def _refusal(model: str, error: Exception) -> str:
    reason = shorten(str(error).partition("Value error, ")[2] or str(error))  # pydantic puts this before it
    if isinstance(error, RuntimeError):
        reason += " (if memory is short, lower --gpu-memory-utilization or --max-model-len,"
        reason += " or share the model out over GPUs with --tensor-parallel-size)"
    return f"vLLM cannot load {model}: {reason}"


def find_folder(model: str, on_download: Callable[[int, int | None], None] | None = None) -> str:
    """Return what vLLM is to load: a hub id, a folder, or the one made from an embedded model's GGUF file.

    Args:
        model: The model as the user named it.
        on_download: Told the bytes so far and their total while an embedded model is fetched.

    Raises:
        UsageError: There is no such embedded model.
        AssetError: It cannot be had.
    """
    if not model.startswith("local/"):
        return os.path.expanduser(model) if model.startswith("~") else model
    from longbench_write.backends.hf_folder import embedded_folder

    return str(embedded_folder(model, on_download))
