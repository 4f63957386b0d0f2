"""The "local" backend: llama.cpp's server inside this process, spoken to over loopback.

The server lives and dies with the process, so none can be left behind.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Self

from longbench_write.backends.base import BackendSpec, Completion, Message, ModelBackend, Sampling
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.weights import weights_sha256
from longbench_write.errors import UsageError, unknown_name

EMBEDDED = ("smollm2-135m",)
"""Models that `assets.fetch` knows, asked for as local/NAME."""

PROMPT_TOKENS = 8192
"""Tokens of context that a prompt may have beside the new tokens, where the model was trained on so many."""


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

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._server: Any = None
        self._client: OpenAIBackend | None = None

    @classmethod
    def prepare(cls, spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
        """Find the model's file, or fetch an embedded one."""
        find_model(spec.model, on_download)

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
        self._server = await asyncio.to_thread(_start, self.spec)
        address = f"{self._server.listening_address}/v1"
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
            if client is not None:
                await client.__aexit__(kind, error, trace)
        finally:
            self._server = None

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat; see `Backend.complete`."""
        if self._client is None:
            raise RuntimeError("the backend is not open")
        return await self._client.complete(messages, sampling)


def _start(spec: BackendSpec) -> Any:
    """Load the model and serve it; blocks until it can be asked."""
    try:
        import xllamacpp
    except ImportError:
        raise UsageError('local models need xllamacpp: run pip install "longbench-write[local]"') from None
    path = find_model(spec.model)
    context = min(read_context_length(path), spec.max_tokens + PROMPT_TOKENS)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = spec.concurrency
    params.n_ctx = spec.concurrency * context
    params.n_threads_http = 2 * spec.concurrency + 4
    params.cache_ram_mib = 0
    params.ui = False
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
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.suffix == ".gguf":
        raise UsageError(f"there is no file {path}: local/PATH.gguf takes the path of a GGUF file")
    raise unknown_name("model", model, [f"local/{each}" for each in EMBEDDED] + ["local/PATH.gguf"])


_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def read_context_length(path: Path) -> int:
    """Return the context that a GGUF model was trained on, in tokens.

    Reads the header only, in the layout of the GGUF specification (versions 2 and 3, little-endian). The gguf
    package's reader is not used: it does not come back from a damaged header whose counts are huge.

    Raises:
        UsageError: The file is no GGUF file, or does not say.
    """
    try:
        with path.open("rb") as file:
            length = _find_context_length(file)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): give a file that can") from None
    except (struct.error, KeyError, UnicodeDecodeError):
        raise UsageError(f"{path} is no whole GGUF file: give one of version 2 or 3") from None
    if length is None:
        raise UsageError(f"{path} does not say its context length: give the GGUF file of a language model")
    return length


def _find_context_length(file: BinaryIO) -> int | None:
    magic, version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version not in (2, 3):
        raise struct.error
    values: dict[str, object] = {}
    for _ in range(count):
        key = _read_string(file)
        values[key] = _read_value(file)
        length = values.get(f"{values.get('general.architecture')}.context_length")
        if isinstance(length, int) and length > 0:
            return length
    return None


def _read_scalar(file: BinaryIO, code: str) -> Any:
    return struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))[0]


def _read_string(file: BinaryIO) -> str:
    return _read_bytes(file, _read_scalar(file, "Q")).decode()


def _read_bytes(file: BinaryIO, size: int) -> bytes:
    data = file.read(min(size, 1 << 26))
    if len(data) != size:
        raise struct.error
    return data


def _read_value(file: BinaryIO) -> object:
    """Read the metadata value that follows its type; skip an array, which gives None."""
    kind = _read_scalar(file, "I")
    if kind == _STRING:
        return _read_string(file)
    if kind != _ARRAY:
        return _read_scalar(file, _SCALARS[kind])
    inner, count = _read_scalar(file, "I"), _read_scalar(file, "Q")
    if inner == _STRING:
        for _ in range(count):
            _read_string(file)
    else:
        _read_bytes(file, count * struct.calcsize(_SCALARS[inner]))
    return None
