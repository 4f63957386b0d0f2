"""A judge's card: the judge.yaml in a judge's folder."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from longbench_write.backends.base import ModelBackend
from longbench_write.backends.registry import BACKENDS
from longbench_write.config.requests import check_body, check_gen, check_headers
from longbench_write.errors import UsageError, unknown_name
from longbench_write.files.cards import check_card
from longbench_write.files.resources import data_root
from longbench_write.files.yaml_text import read_mapping
from longbench_write.registry import Registry

CARD = "judge.yaml"
"""A card's name in its judge's folder."""

OFFICIAL = "official"
"""The `template` of a judge that uses the benchmark's own."""


class JudgeCard(BaseModel):
    """How a judge is asked."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, protected_namespaces=()
    )

    description: str = Field(min_length=1)
    """What the judge is good for, in one sentence. Required."""

    model: str = Field(min_length=1)
    """The model's name at its backend, or `local/...`. Required."""

    revision: str | None = Field(default=None, min_length=1)
    """The commit of the model's repository that is loaded, for the vllm backend; a server has to be started
    with it. Default: null, the newest."""

    backend: str = Field(default="openai", min_length=1)
    """Where the model runs: behind an OpenAI-compatible server, or on this machine, in vLLM, in transformers
    (hf) or in llama.cpp (local), or a backend that another package adds. Default: openai."""

    base_urls: tuple[str, ...] = Field(default=(), strict=False)
    """The servers' base URLs, for the openai backend; the least busy is asked next. Default: none, which is
    the provider's own."""

    api_key_env: str | None = None
    """Name of the environment variable that contains the key. Default: none, and no key is sent."""

    temperature: float | None = Field(default=None, ge=0, le=5, allow_inf_nan=False)
    """Sampling temperature. Default: null, which is not sent, as reasoning models want it."""

    max_tokens: int = Field(default=1024, ge=1)
    """New tokens of a reply at most, reasoning included. Default: 1024."""

    max_completion_tokens: bool = False
    """Whether that limit is sent as `max_completion_tokens`, as reasoning models want it. Default: false."""

    max_tokens_field: str | None = Field(default=None, min_length=1)
    """The name under which that limit is sent, whatever `max_completion_tokens` says. Default: null."""

    gen: dict[str, Any] = Field(default_factory=dict)
    """Any other sampling or request field by its own name, such as top_p or
    chat_template_kwargs.enable_thinking. Default: none."""

    system: str | None = Field(default=None, min_length=1)
    """A system prompt before each request. Default: null, none."""

    extra_body: dict[str, Any] = Field(default_factory=dict)
    """For servers: fields that stand in each request, over all others. Default: none."""

    headers: dict[str, str] = Field(default_factory=dict)
    """For servers: more headers of each request, each with the name of the environment variable that contains
    its value. Default: none."""

    reasoning_effort: str | None = None
    """The effort that a reasoning model is asked for, such as medium. Default: null, not sent."""

    tries: int = Field(default=5, ge=1)
    """Replies that are asked for until one is valid. Default: 5."""

    repeats: int = Field(default=1, ge=1)
    """Judgements of each response. Default: 1."""

    combine: Literal["mean", "median"] = "mean"
    """How a response's judgements become one score per dimension. Default: mean."""

    reply_format: Literal["text", "json_object", "json_schema"] = "text"
    """What the server is asked to restrict the reply to: nothing, any JSON object, or the six integers by
    JSON schema. Default: text."""

    analysis_max_chars: int | None = Field(default=None, ge=1)
    """Characters that the schema allows the analysis at most, so that a small model comes to its end;
    only with json_schema. Default: null, no limit."""

    template: str = OFFICIAL
    """The prompt's template: `official`, or the name of a file in the judge's folder. Default: official."""

    seed: bool = False
    """Whether each request carries a seed, derived from the run's seed, the response and the try. Default:
    false, as in the official call."""

    retires: datetime.date | None = None
    """The day on which the provider shuts the model down. Default: null, none is known."""

    note: str = ""
    """What every table that shows this judge's scores says beside them. Default: nothing."""

    concurrency: int = Field(default=32, ge=1)
    """Judgements in the making at once, unless the run says otherwise. Default: 32."""

    @field_validator("template")
    @classmethod
    def _is_in_the_folder(cls, name: str) -> str:
        if not name or Path(name).name != name:
            raise ValueError(f"must be `{OFFICIAL}` or the name of a file in the judge's folder")
        return name

    @field_validator("gen")
    @classmethod
    def _is_a_request(cls, fields: dict[str, Any]) -> dict[str, Any]:
        return _checked(check_gen, fields, "gen")

    @field_validator("extra_body")
    @classmethod
    def _is_a_body(cls, fields: dict[str, Any]) -> dict[str, Any]:
        return _checked(check_body, fields, "extra_body")

    @field_validator("headers")
    @classmethod
    def _are_variables(cls, headers: dict[str, str]) -> dict[str, str]:
        return _checked(check_headers, headers, "headers")

    @field_validator("backend")
    @classmethod
    def _is_a_backend(cls, name: str) -> str:
        _backend(name)
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.analysis_max_chars is not None and self.reply_format != "json_schema":
            raise ValueError("analysis_max_chars needs reply_format: json_schema")
        if self.base_urls and not _backend(self.backend).takes_base_urls:
            raise ValueError("base_urls need backend: openai")
        return self


def _checked(check: Callable[[dict[str, Any], str], dict[str, Any]], value: Any, key: str) -> dict[str, Any]:
    try:
        return check(value, key)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _backend(name: str) -> type[ModelBackend]:
    try:
        return BACKENDS.get(name)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _built_in() -> dict[str, Path]:
    return {path.parent.name: path.parent for path in sorted(data_root("judges").glob(f"*/{CARD}"))}


def _is_folder(name: str, value: Any) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise TypeError("it is no path of a judge's folder")
    folder = Path(value)
    if not (folder / CARD).is_file():
        raise FileNotFoundError(f"{folder} contains no {CARD}")
    if folder.name != name:
        raise ValueError(f"its folder is called {folder.name}, and a judge is called as its folder is")
    return folder


JUDGES: Registry[Path] = Registry("judge", "longbench_write.judges", _built_in, _is_folder)
"""The judges' folders; what another package adds is the path of one."""


def judge_names() -> list[str]:
    """Return the names of the judges that this package ships, sorted."""
    return JUDGES.built_in


def load_card(name_or_path: str) -> tuple[JudgeCard, Path]:
    """Read the card of a judge.

    Args:
        name_or_path: A name of `JUDGES`, or the path of a judge's folder or of its card.

    Returns:
        The card, and the judge's folder.

    Raises:
        UsageError: There is no such judge, or its card says what no card can say.
    """
    folder = _find(name_or_path)
    return read_card(folder), folder


def read_card(folder: Path) -> JudgeCard:
    """Read the card in a judge's folder.

    Raises:
        UsageError: It says what no card can say.
    """
    path = folder / CARD
    return make_card(read_mapping(path), str(path))


def _find(name_or_path: str) -> Path:
    """Find the folder of a judge: a built-in name first, then a folder here, then a name of a package."""
    path = Path(name_or_path)
    folder = path.parent if path.name == CARD else path
    if name_or_path not in JUDGES.built_in and (folder / CARD).is_file():
        return folder.resolve()
    if name_or_path not in (known := JUDGES.names()):
        raise UsageError(
            f"no folder {name_or_path!r} contains a {CARD}, and {unknown_name('judge', name_or_path, known)}"
        )
    return JUDGES.get(name_or_path)


def make_card(values: Mapping[Any, Any], where: str) -> JudgeCard:
    """Check a card's values; see `check_card`."""
    return check_card(JudgeCard, values, where)
