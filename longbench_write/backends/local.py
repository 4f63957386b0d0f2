"""The "local" backend: llama.cpp's server inside this process, spoken to over loopback.

The server lives and dies with the process, so none can be left behind.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from longbench_write.backends.base import BackendSpec, Completion, Message, ModelBackend, Sampling
from longbench_write.backends.chat_model import template_options
from longbench_write.backends.gguf import (
    context_length,
    control_tokens,
    generation_config,
    not_applied,
    read_header,
)
from longbench_write.backends.hashes import tokens_sha256
from longbench_write.backends.local_completion import complete_ids
from longbench_write.backends.local_prompts import LocalPrompts, clock_template, may_show_day
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.prompts import opened_at_end
from longbench_write.backends.sampling import in_force, model_sampling
from longbench_write.backends.weights import weights_sha256
from longbench_write.errors import BackendError, UsageError, shorten, unknown_name, with_retries

if TYPE_CHECKING:
    import httpx2

EMBEDDED = ("smollm2-135m",)
"""Models that `assets.fetch` knows, asked for as local/NAME."""

PROMPT_TOKENS = 8192
"""Tokens of context that a prompt may have beside the new tokens, where the model was trained on so many."""

_NAMES = {"repetition_penalty": "repeat_penalty"}
"""What llama.cpp calls a field of `sampling.NEUTRAL` by another name."""

_TEMPLATE = "tokenizer.chat_template"
"""Of a GGUF file's header: the chat template."""

_OFF = {
    "typical_p": 1.0,
    "top_n_sigma": -1.0,
    "xtc_probability": 0.0,
    "dry_multiplier": 0.0,
    "dynatemp_range": 0.0,
    "mirostat": 0,
}
"""llama.cpp's further samplers, switched off."""


class LocalBackend(ModelBackend):
    """Runs a GGUF model: `local/smollm2-135m`, or any file as `local/PATH.gguf`.

    Attributes:
        spec: How it was opened; `concurrency` is the number of slots that are decoded together.
        meter: What it has done so far.
    """

    title: ClassVar[str] = "llama.cpp"
    concurrency: ClassVar[int | None] = 4
    metered: ClassVar[bool] = False
    in_process: ClassVar[bool] = True
    context_advice: ClassVar[str] = (
        "this is llama.cpp in this process, with the context that the model was trained with: ask for less "
        "with --max-tokens"
    )
    options: ClassVar[frozenset[str]] = frozenset({"date"})

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._server: Any = None
        self._own: httpx2.AsyncClient | None = None
        self._prompts = LocalPrompts(self._post, {})
        self._defaults: dict[str, Any] = {}
        self._about: dict[str, Any] = {}
        self._client: OpenAIBackend | None = None

    @classmethod
    def prepare(cls, spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
        """Find the model's file, or fetch an embedded one, and see that it can be asked.

        Raises:
            UsageError: See `find_model`; or the file has no chat template, which llama.cpp would guess.
        """
        path = find_model(spec.model, on_download)
        if _TEMPLATE not in read_header(path):
            raise UsageError(
                f"{path} has no chat template: give a GGUF file with one, or, for a model that continues"
                " texts, run it on vLLM with --prompt-format raw"
            )

    @classmethod
    def shares(cls, one: BackendSpec, other: BackendSpec) -> bool:
        """Return whether both ask the same model, for which one server answers."""
        return one.model == other.model

    @classmethod
    def identity(cls, spec: BackendSpec, note: Callable[[str], None]) -> dict[str, Any]:
        """Return the hash of a file that the user named."""
        return {"weights": weights_sha256(Path(spec.model.removeprefix("local/")), note)}

    async def __aenter__(self) -> Self:
        """Load the model, downloading an embedded one where it is missing.

        Raises:
            UsageError: xllamacpp is not installed, or the model is no GGUF file.
            AssetError: The embedded model cannot be had.
        """
        import httpx2

        self._server = await asyncio.to_thread(_start, self.spec)
        path = find_model(self.spec.model)
        header = await asyncio.to_thread(read_header, path)
        self._defaults = model_sampling(generation_config(header), {})
        self._about = _about(self.spec, header, path, self._defaults)
        for text in _faults(header, path):
            self.note(text)
        self._own = httpx2.AsyncClient(
            base_url=self.address,
            timeout=self.spec.idle_timeout,
            limits=httpx2.Limits(max_keepalive_connections=0),  # as below
            trust_env=False,
        )
        await self._know_prompts(path, header)
        address = f"{self.address}/v1"
        spec = replace(
            self.spec,
            kind="openai",
            base_urls=(address,),
            api_key_env=None,
            keep_alive=False,  # llama.cpp's server announces it and then closes after each stream
            max_completion_tokens=False,
        )
        self._client = OpenAIBackend(spec)
        self._client.meter = self.meter
        self._client.note = self.note
        self.adjusted = self._client.adjusted
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections first: the server's end waits for its open streams."""
        client, self._client = self._client, None
        try:
            if self._own is not None:
                await self._own.aclose()
            if client is not None:
                await client.__aexit__(kind, error, trace)
        finally:
            self._server = None

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat; see `Backend.complete`."""
        if self._client is None or self._own is None:
            raise RuntimeError("the backend is not open")
        options = template_options(sampling)
        prompt = await self._prompts.text(messages, options)
        opened = bool(opened_at_end(prompt))
        sampling = every_field_set(sampling, self._defaults)
        if opened:  # the block is parted here, from the whole text
            sampling = replace(sampling, extra={**sampling.extra, "reasoning_format": "none"})
        if self._prompts.has_control_text(messages):
            ids = await self._prompts.ids(messages, options)
            asking = complete_ids(self._own, ids, sampling, self.meter, self.spec.retry)
            completion = replace(await asking, prompt_sha256=tokens_sha256(ids))
        else:
            if variables := self._prompts.variables(options):
                sampling = replace(sampling, extra={**sampling.extra, "chat_template_kwargs": variables})
            completion = await self._client.complete(messages, sampling)
            ids = await self._prompts.whole(prompt)
            counted = completion.usage.prompt_tokens == len(ids)  # else the server has made another of it
            completion = replace(completion, prompt_sha256=tokens_sha256(ids) if counted else None)
        return replace(completion, reasoning_opened=opened)

    async def _know_prompts(self, path: Path, header: dict[str, Any]) -> None:
        """Learn what there is to know of the prompts of a model that is being served."""
        control = await asyncio.to_thread(control_tokens, path)
        self._prompts = LocalPrompts(self._post, control)
        if may_show_day(str(header.get(_TEMPLATE, ""))):
            await self._prompts.freeze(self.spec.day)
        chat = [Message(role="user", content="{prompt}")]
        made = self._about["prompt_format"]
        made["sample"] = await self._prompts.text(chat, {})
        if day := self._prompts.day:
            made["date"] = day.isoformat()
            self.note(f"the chat template of {path} shows the date: {day}, for the whole run (--date)")

    @property
    def address(self) -> str:
        """The URL of the server, while it is open."""
        return str(self._server.listening_address)

    async def _post(self, path: str, body: dict[str, Any], field: str) -> Any:
        import httpx2

        client = self._own
        if client is None:
            raise RuntimeError("the backend is not open")

        async def ask() -> Any:
            try:
                response = await client.post(path, json=body)
                return response.raise_for_status().json()[field]
            except (httpx2.HTTPError, ValueError, KeyError) as error:
                raise BackendError("server_error", f"llama.cpp, {path}: {shorten(str(error))}") from None

        return await with_retries(ask, self.spec.retry, self.meter.count_retry)

    def about(self) -> Mapping[str, Any]:
        """Return sampling, prompt format and engine."""
        return self._about


def every_field_set(sampling: Sampling, defaults: Mapping[str, Any]) -> Sampling:
    """Return the sampling of a request in llama.cpp's own names, so that none of its defaults is in force.

    Args:
        sampling: What the request asks for.
        defaults: The model's own, of `sampling.model_sampling`.
    """
    values = in_force(sampling, defaults)
    temperature, seed = values.pop("temperature"), values.pop("seed", None)
    extra = {**_OFF, **{_NAMES.get(name, name): value for name, value in values.items()}}
    return replace(sampling, temperature=temperature, seed=seed, extra=extra)


def _faults(header: dict[str, Any], path: Path) -> list[str]:
    """Return what the user should know of a file, a sentence each."""
    notes = []
    if header.get("tokenizer.ggml.model") == "gpt2" and "tokenizer.ggml.pre" not in header:
        notes.append(
            f"{path} does not say how its tokenizer splits a text (tokenizer.ggml.pre): llama.cpp guesses,"
            " and its tokens may not be the model's; convert the model again"
        )
    if left := not_applied(header):
        notes.append(f"what {path} recommends is not applied: {', '.join(left)}")
    if given := generation_config(header):
        told = ", ".join(f"{name} {value}" for name, value in given.items())
        notes.append(f"{path} recommends {told}: it is in force where nothing else is asked for")
    return notes


def _about(spec: BackendSpec, header: dict[str, Any], path: Path, defaults: dict[str, Any]) -> dict[str, Any]:
    template = str(header.get(_TEMPLATE, ""))
    return {
        "sampling": defaults,
        "prompt_format": {"template_sha256": hashlib.sha256(template.encode()).hexdigest()},
        "engine": {
            "name": "llama.cpp",
            "version": importlib.metadata.version("xllamacpp"),
            "context": _context(spec, header, path),
            "concurrency": spec.concurrency,
        },
    }


def _context(spec: BackendSpec, header: dict[str, Any], path: Path) -> int:
    """Return the context of each slot, in tokens."""
    return min(context_length(header, path), spec.max_tokens + PROMPT_TOKENS)


def _start(spec: BackendSpec) -> Any:
    """Load the model and serve it; blocks until it can be asked."""
    # OpenMP reads this as it is loaded. By default its threads spin while they wait: beside other work on the
    # cores a token then takes many turns of the system's scheduler (measured: 2 tokens a second, not 13).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError:
        raise UsageError('local models need xllamacpp: run pip install "longbench-write[local]"') from None
    path = find_model(spec.model)
    header = read_header(path)
    context = _context(spec, header, path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = spec.concurrency
    params.n_ctx = spec.concurrency * context
    params.n_threads_http = 2 * spec.concurrency + 4
    params.cache_ram_mib = 0
    params.ui = False
    if template := clock_template(str(header.get(_TEMPLATE, ""))):
        params.chat_template = template
    params.verbosity = -1
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        size = f"{spec.concurrency} slots of {context} tokens"
        raise UsageError(
            f"llama.cpp cannot load {path}: use another file if it is damaged or its architecture too new,"
            f" or lower --concurrency or --max-tokens if {size} do not fit into memory"
        ) from None


def find_model(model: str, on_download: Callable[[int, int | None], None] | None = None) -> Path:
    """Return the GGUF file of `local/NAME` or `local/PATH.gguf`.

    Args:
        model: The model as the user named it.
        on_download: Told the bytes so far and their total while an embedded model is fetched.

    Raises:
        UsageError: There is no such model or file.
        AssetError: The embedded model cannot be had.
    """
    name = model.removeprefix("local/")
    if name in EMBEDDED:
        from longbench_write.assets import assets

        return assets.fetch(name, on_download)
    path = Path(os.path.expanduser(name))
    if path.is_file():
        return path
    if path.suffix == ".gguf":
        raise UsageError(f"there is no file {path}: local/PATH.gguf takes the path of a GGUF file")
    raise unknown_name("model", model, [f"local/{each}" for each in EMBEDDED] + ["local/PATH.gguf"])
