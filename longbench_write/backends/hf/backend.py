"""The "hf" backend: transformers' `generate` in a thread of this process, several prompts at once.

Nothing of torch or transformers is imported before it is used.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

from longbench_write.backends.adapter import with_adapter
from longbench_write.backends.base import BackendSpec, Completion, Message, Sampling, Usage
from longbench_write.backends.chat_model import room, sampling_fields
from longbench_write.backends.finish_reasons import STOP, FinishReasons
from longbench_write.backends.folder_backend import FolderBackend
from longbench_write.backends.hashes import tokens_sha256
from longbench_write.backends.hf.batch import Request
from longbench_write.backends.hf.engine import Engine
from longbench_write.backends.hf.loading import Loaded, load
from longbench_write.backends.hf.options import OPTIONS, PLACEMENT, check_engine_args, check_installed
from longbench_write.backends.hf.sampling import check_fields
from longbench_write.backends.hf_folder import find_folder
from longbench_write.backends.prompts import CHAT, RAW, read_template
from longbench_write.errors import BackendError, UsageError


class HFBackend(FolderBackend[Loaded]):
    """Runs a model of the hub, or of a folder, wherever torch does.

    Attributes:
        spec: How it was opened; `concurrency` is the number of prompts that are generated at once.
        meter: What it has done so far.
    """

    title: ClassVar[str] = "transformers"
    concurrency: ClassVar[int | None] = 8
    context_advice: ClassVar[str] = (
        "this is transformers in this process: raise --max-model-len as far as the model goes, or ask for "
        "less with --max-tokens"
    )
    options: ClassVar[frozenset[str]] = OPTIONS
    placement: ClassVar[Collection[str]] = PLACEMENT
    judge_changes: ClassVar[Mapping[str, Any]] = {
        "reply_format": "text",
        "max_completion_tokens": False,
        "reasoning_effort": None,
    }

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[Request, asyncio.Future[None]] = {}
        self._reasons = FinishReasons(spec.finish_reasons)

    @classmethod
    def configure(cls, spec: BackendSpec, note: Callable[[str], None]) -> BackendSpec:
        """Read the chat template that was named, and part an adapter from its base model."""
        if spec.prompt_format not in (None, CHAT, RAW):
            read_template(spec.prompt_format)
        return with_adapter(spec, note)

    @classmethod
    def prepare(cls, spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
        """Refuse engine arguments that are unknown, and make the folder of an embedded model."""
        check_installed(adapter=spec.adapter is not None)
        check_engine_args(spec.engine_args)
        if os.path.isfile(find_folder(spec.model, on_download)):
            raise UsageError(
                f"{spec.model} is a file: --backend hf takes a folder or a hub id (a GGUF file runs in"
                f" llama.cpp, as local/{spec.model})"
            )

    @classmethod
    def check_sampling(cls, sampling: Sampling) -> None:
        """Refuse fields that neither transformers' logits processors nor a chat template has."""
        check_fields(sampling)

    @classmethod
    def opening(cls, spec: BackendSpec) -> str:
        """Return the note that loading, which takes a while, begins."""
        return f"loading {spec.model} with transformers"

    async def __aenter__(self) -> Self:
        """Load the model.

        Raises:
            UsageError: Something is not installed, or transformers cannot load the model as it was asked to.
        """
        check_installed(adapter=self.spec.adapter is not None)
        self._loop = asyncio.get_running_loop()
        self._loaded = loaded = await asyncio.to_thread(load, self.spec)
        for text in loaded.notes:
            self.note(text)
        if not loaded.batches and self.spec.concurrency > 1:
            self.note(f"{self.spec.model} takes no padding: one prompt is generated at a time")
        self._engine = Engine(
            loaded.model,
            ends=loaded.ends,
            pad=loaded.pad,
            most=self.spec.concurrency if loaded.batches else 1,
            on_tokens=self._count,
            on_end=self._end,
            note=lambda text: self._tell(self.note, text),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is generated, at its next token; the model's memory is free afterwards."""
        engine, self._engine, self._loaded = self._engine, None, None
        if engine is not None:
            await asyncio.to_thread(engine.close)
            del engine
            gc.collect()
            importlib.import_module("torch").cuda.empty_cache()  # for whatever is opened next

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat; see `Backend.complete`."""
        loaded, engine = self._loaded, self._engine
        if loaded is None or engine is None:
            raise RuntimeError("the backend is not open")
        if sampling.json_schema is not None or sampling.json_object:
            raise BackendError(
                "bad_request", "transformers forces no JSON: let the judge's reply_format be text"
            )
        prompt = loaded.chat.prompt(messages, sampling)
        most = sampling.max_tokens
        if loaded.context is not None:
            most = min(most, room(prompt, loaded.context))
        began = time.perf_counter()
        request = Request(prompt.ids, most, sampling_fields(sampling, loaded.chat.defaults))
        await self._generate(engine, request)
        ended = self._reasons.read(request.finish)
        answer, raw = loaded.chat.answers.read(request.new)
        return Completion(
            prompt.opened + answer,
            "",
            ended if raw is None else STOP,
            Usage(prompt_tokens=len(prompt.ids), completion_tokens=len(request.new)),
            time.perf_counter() - began,
            max_tokens=most,
            prompt_sha256=tokens_sha256(prompt.ids),
            raw=raw,
            reasoning_opened=bool(prompt.opened),
        )

    async def _generate(self, engine: Engine, request: Request) -> None:
        """Wait until a request has ended.

        Raises:
            BackendError: There is no answer.
        """
        self._waiting[request] = future = asyncio.get_running_loop().create_future()
        self.meter.in_flight += 1
        engine.submit(request)
        try:
            await future
        finally:
            request.cancelled = not future.done() or future.cancelled()
            self.meter.in_flight -= 1
            del self._waiting[request]

    def _count(self, tokens: int) -> None:
        self.meter.pieces += tokens

    def _end(self, request: Request, error: BackendError | None) -> None:
        """Hand an ended request over, from the engine's thread."""
        self._tell(self._settle, request, error)

    def _settle(self, request: Request, error: BackendError | None) -> None:
        future = self._waiting.get(request)
        if future is None or future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(None)

    def _tell(self, what: Callable[..., object], *arguments: Any) -> None:
        """Have the event loop call something, from the engine's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *arguments)
