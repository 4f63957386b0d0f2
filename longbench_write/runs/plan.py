"""Who writes and who judges: from a configuration to what opens their backends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from longbench_write.backends.base import BackendSpec, ModelBackend, Sampling
from longbench_write.backends.environment import DEFAULT_KEY_ENV, is_set, read_env_file
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.registry import BACKENDS, choose_backend, understanding
from longbench_write.config import RunConfig
from longbench_write.config.requests import flag
from longbench_write.errors import UsageError
from longbench_write.judging.judge import Judge
from longbench_write.writers.base import Writer, needs_model
from longbench_write.writers.direct import DirectWriter
from longbench_write.writers.registry import load_writer

DEFAULT_JUDGE = "paper-successor"

_CONCURRENCY = 32
"""Requests in flight to the model under test, where neither the user nor its backend says."""

_OF_MODEL = ("trust_remote_code", "revision")
_ENGINE = (
    "tensor_parallel_size",
    "data_parallel_size",
    "max_model_len",
    "gpu_memory_utilization",
    "dtype",
    "device_map",
    *_OF_MODEL,
)
"""Fields of the configuration that are engine arguments under the same name."""

_OF_WRITER = (
    *("prompt_format", "adapter", "date", "extra_body", "header", "max_tokens_field"),
    *_OF_MODEL,
)
"""Fields of the configuration that are for the model under test alone."""

Note = Callable[[str], None]
"""Told what the user should know, in one sentence."""


@dataclass(frozen=True)
class Role:
    """A model that is asked, and how it is reached.

    Attributes:
        backend: The kind of backend.
        spec: What opens it.
    """

    backend: type[ModelBackend]
    spec: BackendSpec


@dataclass(frozen=True)
class WriterRole(Role):
    """Who writes.

    Attributes:
        writer: Makes responses of what the model answers.
        sampling: What a response may have; its seed is the run's.
        system: The system prompt before each request; None for none.
    """

    writer: Writer
    sampling: Sampling
    system: str | None = None


@dataclass(frozen=True)
class JudgeRole(Role):
    """Who judges."""

    judge: Judge


@dataclass(frozen=True)
class Roles:
    """Who does what in a run.

    Attributes:
        writer: The model under test; None where nothing is written.
        planner: Whoever plans where that is not the writer's model.
        judges: Those who judge, none or one so far.
    """

    writer: WriterRole | None = None
    planner: Role | None = None
    judges: tuple[JudgeRole, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be open together.

        Raises:
            UsageError: Planner and writer are two models that would each need an engine in this process.
        """
        asked = [role for role in (self.writer, self.planner) if role and role.backend.in_process]
        if len(asked) == 2 and not share_model(*asked):
            raise UsageError(
                f"{asked[1].spec.model} cannot plan beside {asked[0].spec.model}, each in an engine here:"
                " serve one of them and name its base URL"
            )

    @property
    def under_test(self) -> WriterRole:
        """Who writes, in a run that does.

        Raises:
            ValueError: Nothing is written.
        """
        if self.writer is None:
            raise ValueError("there is no model under test")
        return self.writer

    @property
    def judge(self) -> JudgeRole | None:
        """Who judges; None where nobody does."""
        return self.judges[0] if self.judges else None

    def __iter__(self) -> Iterator[Role]:
        """Yield everyone who is asked."""
        yield from filter(None, (self.writer, self.planner, *self.judges))


def plan_roles(config: RunConfig, note: Note, planner: Role | None = None) -> Roles:
    """Choose everyone who is asked in a run.

    Args:
        config: The run's.
        note: Told what the user should know.
        planner: Whoever plans; None for whom the configuration names.

    Raises:
        UsageError: The configuration cannot be run.
    """
    read_variables(config, note)
    writer = writer_role(config, note)
    planner = planner or planner_role(config, writer, note)
    judge = judge_role(config, seed=judge_seed(config.seed), max_tokens=config.max_tokens, note=note)
    roles = Roles(writer=writer, planner=planner, judges=(judge,) if judge else ())
    check_options(config, roles)
    return roles


def writer_role(config: RunConfig, note: Note) -> WriterRole:
    """Choose the model under test.

    Raises:
        UsageError: There is no such backend, or it refuses an option.
    """
    writer = load_writer(config.writer, config.planner)
    if needs_model(writer):
        kind, why = choose_backend(
            config.model,
            requested=config.backend,
            base_urls=config.base_url,
            api_key_env=config.api_key_env,
        )
    else:
        kind, why = "none", f"the writer {writer.name} asks no model"
    note(f"backend: {kind}, {why}")
    backend = BACKENDS.get(kind)
    spec = BackendSpec(
        kind=kind,
        model=config.model,
        base_urls=config.base_url,
        concurrency=config.concurrency or backend.concurrency or _CONCURRENCY,
        max_tokens=config.max_tokens,
        idle_timeout=config.idle_timeout,
        stream=config.stream,
        engine_args=_engine_args(config, backend),
        extra_body=config.extra_body,
        headers=config.header,
        max_tokens_field=config.max_tokens_field,
        finish_reasons=config.finish_reason,
        **_of_prompts(config, backend),
        **_of_servers(backend, config.base_url, config.api_key_env),
    )
    if not _makes_prompts(backend) and (card := find_card(config.model)) and card.prompt:
        note(
            f"the card of {card.name} has a prompt of its own, but a server makes the prompt itself:"
            " see that its chat template is right (docs/vllm.md), or have vLLM, or --backend hf, run it here"
        )
    temperature = None if config.temperature == "default" else config.temperature
    seed = None if config.seed == "none" else config.seed
    sampling = Sampling(config.max_tokens, temperature, seed, extra=config.gen)
    return WriterRole(backend, backend.configure(spec, note), writer, sampling, config.system)


def _of_prompts(config: RunConfig, backend: type[ModelBackend]) -> dict[str, Any]:
    """Return what the configuration says of the prompts of the model under test, and its adapter."""
    given = {"prompt_format": config.prompt_format, "adapter": config.adapter, "date": config.date}
    known = {name: value for name, value in given.items() if name in backend.options}
    return {"day" if name == "date" else name: value for name, value in known.items()}


def _of_servers(
    backend: type[ModelBackend], base_urls: tuple[str, ...], key_env: str | None
) -> dict[str, Any]:
    """Return what a backend adds where these servers are asked, and the variable of their key."""
    return {**backend.defaults(base_urls), **({"api_key_env": key_env} if key_env else {})}


def planner_role(config: RunConfig, writer: WriterRole, note: Note) -> Role | None:
    """Choose a planner of its own; None where the model under test plans, or nobody.

    Raises:
        UsageError: The writer asks no model for a plan, there is no such backend, or it refuses an option.
    """
    if config.planner_model is None:
        if config.planner_base_url or config.planner_api_key_env:
            raise UsageError("a planner of its own is named with --planner-model")
        return None
    made = writer.writer
    if (
        made.name == DirectWriter.name
        or not needs_model(made)
        or getattr(made, "planner", "model") != "model"
    ):
        raise UsageError(f"--planner-model: the writer {made.name} asks no model for a plan")
    kind, why = choose_backend(
        config.planner_model, base_urls=config.planner_base_url, api_key_env=config.planner_api_key_env
    )
    note(f"planner: {config.planner_model}, backend: {kind}, {why}")
    backend = BACKENDS.get(kind)
    spec = BackendSpec(
        kind=kind,
        model=config.planner_model,
        base_urls=config.planner_base_url,
        concurrency=writer.spec.concurrency,
        max_tokens=config.max_tokens,
        idle_timeout=config.idle_timeout,
        stream=config.stream,
        finish_reasons=config.finish_reason,
        **_of_servers(backend, config.planner_base_url, config.planner_api_key_env),
    )
    return Role(backend, backend.configure(spec, note))


def _makes_prompts(backend: type[ModelBackend]) -> bool:
    return "prompt_format" in backend.options


def _engine_args(config: RunConfig, backend: type[ModelBackend]) -> dict[str, Any]:
    """Return the engine arguments that were given and that a backend understands."""
    given = {name: getattr(config, name) for name in _ENGINE if getattr(config, name) is not None}
    known = {name: value for name, value in given.items() if name in backend.options}
    if "engine_arg" not in backend.options:
        return known
    if "model" in config.engine_arg:
        raise UsageError("--engine-arg model: the model under test is named with --model")
    for name in given.keys() & config.engine_arg.keys():
        raise UsageError(f"{flag(name)} and --engine-arg {name} say the same: give one of them")
    return known | config.engine_arg


def check_options(config: RunConfig, roles: Roles) -> None:
    """Refuse options that only some backends understand, where none of those is asked.

    Raises:
        UsageError: There is one.
    """
    writers = {role.backend for role in (roles.writer, roles.planner) if role}
    judges = {role.backend for role in roles.judges}
    asked = {
        "judge_engine_arg": judges,
        **dict.fromkeys(("engine_arg", *_ENGINE), writers | judges),
        **dict.fromkeys(_OF_WRITER, writers),
    }
    for name, backends in asked.items():
        option = name.removeprefix("judge_")
        if getattr(config, name) in (None, {}) or any(option in backend.options for backend in backends):
            continue
        kind, title = understanding(option)
        place = "--judge-backend" if option != name or roles.writer is None else "--backend"
        raise UsageError(f"{flag(name)} is for a model on {title}: leave it out, or give {place} {kind}")


def read_variables(config: RunConfig, note: Note) -> None:
    """Read the env file for the keys and headers of a command, before any of them is looked up.

    Raises:
        UsageError: It cannot be read.
    """
    keys = (config.api_key_env, config.judge_api_key_env, config.planner_api_key_env)
    read_env_file(config.env_file, note, [*keys, *config.header.values(), *config.judge_header.values()])


def judge_seed(seed: int | Literal["none"]) -> int:
    """Return what the seeds of a judge that wants some are derived from; a run without a seed has one too."""
    return int(RunConfig.seed) if seed == "none" else seed


def judge_role(config: RunConfig, *, seed: int, max_tokens: int, note: Note) -> JudgeRole | None:
    """Choose the judge; None, with the reason told, where there is none.

    Args:
        config: What was asked for.
        seed: The run's seed.
        max_tokens: Tokens that a response may have.
        note: Told what the user should know.

    Raises:
        UsageError: There is no such judge, or its backend refuses an option.
    """
    if config.judge_backend:
        BACKENDS.get(config.judge_backend)
    judge = _choose_judge(config, seed, note)
    if judge is None:
        return None
    backend = BACKENDS.get(judge.card.backend)
    spec = judge.spec(config.judge_concurrency or backend.concurrency)
    under_test = spec.model == config.model
    shared = _engine_args(config, backend)
    if not under_test:
        shared = {name: value for name, value in shared.items() if name not in _OF_MODEL}
    pinned = {"revision": judge.card.revision} if judge.card.revision else {}
    takes = "engine_arg" in backend.options
    spec = replace(
        spec,
        idle_timeout=config.idle_timeout,
        stream=config.stream,
        engine_args=shared | pinned | config.judge_engine_arg if takes else shared,
        **(_of_prompts(config, backend) if under_test else {}),
        prompt_tokens=spec.prompt_tokens + max_tokens,
        finish_reasons=config.finish_reason,
    )
    return JudgeRole(backend, backend.configure(spec, note), judge)


def _choose_judge(config: RunConfig, seed: int, note: Note) -> Judge | None:
    name = config.judge
    if name is None:
        asked = config.judge_model or config.judge_base_url or config.judge_backend
        if not (asked or is_set(DEFAULT_KEY_ENV)):
            note(f"no judge: none was given and {DEFAULT_KEY_ENV} is not set, so S_q will be missing")
            return None
        name = DEFAULT_JUDGE
        note(f"judge: {name}, the default; --judge chooses another")
    if name == "none":
        return None
    judge = Judge.load(
        name,
        model=config.judge_model,
        backend=config.judge_backend,
        base_urls=config.judge_base_url,
        api_key_env=config.judge_api_key_env,
        headers=config.judge_header,
        repeats=config.judge_repeats,
        in_chapters=config.long_responses == "chapters",
        seed=seed,
    )
    if judge.card.retires and not config.judge_base_url:
        note(retirement(judge, judge.card.retires))
    return judge


def retirement(judge: Judge, day: date) -> str:
    """Warn that a judge's model is shut down on this day, before money is spent on it."""
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


def share_model(one: Role, other: Role) -> bool:
    """Return whether two roles can be answered by one open model."""
    return one.backend is other.backend and one.backend.shares(one.spec, other.spec)


def one_at_a_time(one: Role, other: Role) -> bool:
    """Return whether one role has to end before the other begins, as both need the same accelerators."""
    return one.backend.exclusive and other.backend.exclusive and not share_model(one, other)


def shared_spec(role: Role, others: Iterable[Role]) -> BackendSpec:
    """Return a role's specification, large enough for those of the others that share its model."""
    specs = [role.spec, *(other.spec for other in others if share_model(role, other))]
    return replace(
        role.spec,
        concurrency=max(spec.concurrency for spec in specs),
        max_tokens=max(spec.max_tokens for spec in specs),
        prompt_tokens=max(spec.prompt_tokens for spec in specs),
    )
