"""The protocol that every backend speaks, and the values that pass through it."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypedDict

from longbench_write.errors import BackendError, RetryPolicy, UsageError

if TYPE_CHECKING:
    from longbench_write.metrics.prompt_size import PromptSize

CHAIN: ContextVar[Hashable | None] = ContextVar("chain", default=None)
"""What the requests of one response share; a server that has answered one has cached their beginning."""


class Message(TypedDict):
    """One chat message."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one completion is to be sampled; None leaves a value to the model's own configuration.

    Attributes:
        max_tokens: New tokens at most, reasoning included.
        temperature: Softmax temperature.
        seed: The sampler's seed.
        json_schema: A JSON schema that the reply must follow, where the server can force it.
        json_object: Ask for any JSON object; not with `json_schema`.
        reasoning_effort: For reasoning models that take one ("low", "medium", "high").
        extra: Any other field of a request, by the field's own name (`top_p`, `top_k`, `min_p`,
            `repetition_penalty`, `chat_template_kwargs`, ...), as `--gen` gives them; fields that stand above
            are not among them.
    """

    max_tokens: int
    temperature: float | None = None
    seed: int | None = None
    json_schema: dict[str, Any] | None = None
    json_object: bool = False
    reasoning_effort: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion as the server counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One finished answer.

    Attributes:
        text: The answer as the server gave it, without what it put in a separate reasoning field.
        reasoning: The separate reasoning field, "" where there is none.
        finish_reason: "stop" or "length"; "unknown" where the server did not say.
        usage: Tokens.
        seconds: From sending the request that succeeded to its last byte.
        attempts: Requests that were needed, 1 without a retry.
        max_tokens: New tokens that were asked for in the request that was answered; None if unknown.
        model_served: The model that answered, as the server names it; None if it did not say.
        provider: Who ran it, where a router says.
        system_fingerprint: The server's own mark of its configuration.
        prompt_sha256: Of what the model was asked: `hashes.tokens_sha256` of the prompt where it runs in this
            process, `hashes.chat_sha256` of the messages where a server makes the prompt; None if unknown.
        raw: The text before it was ended at a control token; None where it was not.
        fallback: Whether a gateway says that another model or provider than the first answered.
        cache_hit: Whether it says that a cache did.
        reasoning_opened: Whether the prompt ends in a tag that opens a block of reasoning; None where the
            prompt's end is not known.
        preemptions: How often an engine put the request off when its memory ran short, to compute it anew.
        past_limit: Whether the server wrote on past the limit, and was read no further.
        prompt_size: How large the prompt was, where somebody has counted its pieces.
    """

    text: str
    reasoning: str
    finish_reason: str
    usage: Usage
    seconds: float
    attempts: int = 1
    max_tokens: int | None = None
    model_served: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    prompt_sha256: str | None = None
    raw: str | None = None
    fallback: bool = False
    cache_hit: bool = False
    reasoning_opened: bool | None = None
    preemptions: int = 0
    past_limit: bool = False
    prompt_size: PromptSize | None = None


@dataclass(slots=True)
class Meter:
    """What a backend has done so far, for a display; and what may be in flight, for the scheduler."""

    retries: int = 0
    in_flight: int = 0
    allowed: int | None = None
    """Requests that may be in flight now, fewer after overload errors; None where that is not limited."""
    pieces: int = 0
    """Streamed pieces that carried text: about one a token."""
    last_retry: str = ""

    def count_retry(self, error: BackendError, seconds: float) -> None:
        """Count a request that is made again after `seconds`, and keep why."""
        self.retries += 1
        self.last_retry = f"{error} (again in {seconds:.0f} s)"


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """Everything that is needed to open a backend.

    Attributes:
        kind: A name of the registry of backends, such as "openai".
        model: The model's name there, a folder, or `local/...`.
        base_urls: For a backend that asks servers: each ends in /v1 or its like; the least busy is next.
        api_key_env: The environment variable that contains the key; None sends no key.
        concurrency: Requests that will be in flight at once.
        max_tokens: The most new tokens that any request will ask for.
        prompt_tokens: About the most tokens that any prompt will have; with `max_tokens`, the context wanted.
        idle_timeout: Seconds without a byte after which a request has failed.
        stream: Whether answers are streamed.
        keep_alive: Whether a connection is used for more than one request.
        max_completion_tokens: Whether the limit is sent under that name, as reasoning models want it.
        max_tokens_field: The name under which it is sent, whatever `max_completion_tokens` says.
        extra_body: For a backend that asks servers: fields of each request's body, over all others.
        headers: For a backend that asks servers: more headers, each with the
            environment variable of its value.
        retry: How failed requests are tried again.
        engine_args: For an engine: its own arguments, as it names them.
        prompt_format: For an engine that makes prompts: "chat", "raw" or a chat template's path; None follows
            the model's card.
        finish_reasons: What finish reasons mean that only this server uses: "stop" or "length".
        adapter: For an engine: the folder of a LoRA adapter that the model is asked with.
        day: The date that a chat template is told; None for today's.
        adjusted: For a backend that asks servers: what one has refused in an earlier session of the run, as
            `ModelBackend.adjusted` says it.
    """

    kind: str
    model: str
    base_urls: tuple[str, ...] = ()
    api_key_env: str | None = None
    concurrency: int = 32
    max_tokens: int = 32768
    prompt_tokens: int = 8192
    idle_timeout: float = 600.0
    stream: bool = True
    keep_alive: bool = True
    max_completion_tokens: bool = False
    max_tokens_field: str | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    engine_args: Mapping[str, Any] = field(default_factory=dict)
    prompt_format: str | None = None
    finish_reasons: Mapping[str, str] = field(default_factory=dict)
    adapter: str | None = None
    day: date | None = None
    adjusted: Mapping[str, str] = field(default_factory=dict)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of both mappings, those of mappings in them too; the other's come first."""
    result = dict(one)
    for name, value in other.items():
        mine = result.get(name)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        result[name] = merged(mine, value) if both else value  # type: ignore[arg-type]
    return result


def is_folder(model: str) -> bool:
    """Return whether a model's name is a folder here, whatever the name: too long, with NUL, ..."""
    return os.path.isdir(os.path.expanduser(model))


def refuse_path(model: str) -> None:
    """Refuse to send a name that looks like a path to a server that nobody has named for it.

    Raises:
        UsageError: It looks like one.
    """
    if model.startswith(("/", ".", "~")) or model.endswith(".gguf") or model.count("/") > 1:
        raise UsageError(
            f"{model}: no such folder (a server that has a model of this name is named with its base URL)"
        )


def only(values: Iterable[str | None]) -> str | None:
    """Return the one value that all answers to a record's requests have; None where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def derived_seed(run_seed: int, *identity: str | int) -> int:
    """Derive a seed of 31 bits for one request, whatever the order or the machine that it runs on.

    Args:
        run_seed: The run's seed.
        identity: What sets this request apart: the prompt's id, the sample, ...
    """
    text = ":".join(map(str, (run_seed, *identity)))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big") >> 1


class Backend(Protocol):
    """A model that answers chats; an async context manager that owns its connections or engine."""

    meter: Meter

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat.

        Raises:
            BackendError: There is no answer, its retries used up; `kind` says why.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ModelBackend(ABC):
    """Base class of every kind of backend: what the kind decides stands here, with the answer of most.

    Nothing here needs the model to be loaded, or the library that loads it to be installed, but for the
    coroutines of one that is open.

    Attributes:
        title: What messages call it; "" takes the name that it is registered under.
        concurrency: Requests in flight at once where nobody says; None leaves that to a judge's card, or 32.
        metered: Whether its requests may cost money, so that a limit on cost needs prices.
        takes_base_urls: Whether it asks servers that the user, or a judge's card, names by their base URLs.
        in_process: Whether it runs the model in this process or in processes of its own.
        exclusive: Whether an open one takes what there is of this machine's accelerators, so that two models
            of such backends are open one after the other.
        context_advice: What helps where the context is too small, if it runs the model in this process.
        options: Fields of a run's configuration that it understands and others need not.
        judge_changes: What changes in a judge's card that was written for another kind of backend.
    """

    title: ClassVar[str] = ""
    concurrency: ClassVar[int | None] = None
    metered: ClassVar[bool] = True
    takes_base_urls: ClassVar[bool] = False
    in_process: ClassVar[bool] = False
    exclusive: ClassVar[bool] = False
    context_advice: ClassVar[str] = ""
    options: ClassVar[frozenset[str]] = frozenset()
    judge_changes: ClassVar[Mapping[str, Any]] = {}

    meter: Meter

    def __init__(self, spec: BackendSpec) -> None:
        self.spec = spec
        self.meter = Meter()
        self.note: Callable[[str], None] = lambda text: None
        """Told what the user should know while it is open, in one sentence; whoever opens it may set it."""
        self.adjusted: dict[str, str] = {}
        """What a server has refused and this run therefore sends otherwise, by the parameter's name; only
        what changes no number."""

    @classmethod
    def defaults(cls, base_urls: Sequence[str]) -> Mapping[str, Any]:
        """Return fields of the specification of a model under test that the user said nothing of.

        Args:
            base_urls: The servers that were named.
        """
        return {}

    @classmethod
    def configure(cls, spec: BackendSpec, note: Callable[[str], None]) -> BackendSpec:
        """Complete and check a specification, before anything is fetched.

        Args:
            spec: As the user, or a judge's card, wants it.
            note: Told what the user should know, in one sentence.

        Raises:
            UsageError: It cannot be opened so.
        """
        return spec

    @classmethod
    def prepare(cls, spec: BackendSpec, on_download: Callable[[int, int | None], None]) -> None:
        """Check what can be checked before it is opened, and have what it needs on this machine.

        Args:
            spec: A complete specification.
            on_download: Told the bytes of a model so far and their total.

        Raises:
            UsageError: It cannot be opened: a library, model or file is missing, or an argument is wrong.
            AssetError: A file cannot be had.
        """
        return

    @classmethod
    def check_sampling(cls, sampling: Sampling) -> None:
        """Refuse fields of a request that the backend knows that it does not have.

        Args:
            sampling: As requests to the model under test will have it.

        Raises:
            UsageError: There is one; the nearest that it has is named.
        """
        return

    @classmethod
    def shares(cls, one: BackendSpec, other: BackendSpec) -> bool:
        """Return whether one open model can answer for both specifications, which are of this kind."""
        return False

    @classmethod
    def identity(cls, spec: BackendSpec, note: Callable[[str], None]) -> dict[str, Any]:
        """Return what this backend adds to a run's identity: all of its own that changes what a model writes.

        Args:
            spec: A complete specification, which has been prepared.
            note: Told what the user should know, in one sentence.

        Returns:
            Plain values; what is null or empty does not count. "weights" is the hash of a local model's
            content, which stands for the model's name.

        Raises:
            UsageError: A file cannot be read.
        """
        return {}

    @classmethod
    def opening(cls, spec: BackendSpec) -> str:
        """Return what is said aloud before a model is loaded; "" for nothing."""
        return ""

    def about(self) -> Mapping[str, Any]:
        """Return what run.yaml says of the open model.

        Returns:
            `sampling` where a request says nothing, `stop` (token ids), `prompt_format` and `engine`, where
            they are known.
        """
        return {}

    async def shutdown_date(self) -> date | None:
        """Return when the provider shuts the open model down; None where that is not known."""
        return None

    async def served_models(self) -> list[dict[str, Any]]:
        """Return how each server lists the open model, of those that say.

        Returns:
            `id`, and where they are given `root`, `max_model_len`, and `created` (seconds since 1970) unless
            it is the time of the call.
        """
        return []

    @abstractmethod
    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat; see `Backend.complete`."""

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Open it."""

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
