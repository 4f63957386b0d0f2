"""What run.yaml says: the values that every command may rely on, checked when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Le, Len, Predicate
from typing_extensions import TypedDict

from longbench_write.files.schema import Amount, Count, check_plain, check_values
from longbench_write.scoring.shapes import Positive, PromptsShape, Setting
from longbench_write.suites.suite import LENGTH_RANGES


class SuiteShape(TypedDict):
    """The suite of a run."""

    name: str
    version: str
    sha256: str
    ranges: NotRequired[Annotated[list[Count], Len(len(LENGTH_RANGES), len(LENGTH_RANGES))] | None]


class BackendShape(TypedDict):
    """The backend of a run."""

    kind: str
    base_urls: list[str]


class ConfigShape(TypedDict):
    """The options that are read again; a run that was imported has few others."""

    samples: Positive
    temperature: Setting
    max_tokens: Setting
    seed: Setting
    price: NotRequired[dict[str, Amount] | None]
    gen: NotRequired[dict[str, Any] | None]
    extra_body: NotRequired[dict[str, Any] | None]


class CardShape(TypedDict):
    """How a judge was asked."""

    repeats: NotRequired[Annotated[int, Ge(1), Le(10**6)]]
    combine: NotRequired[Literal["mean", "median"]]
    max_tokens: NotRequired[Positive | None]


class JudgeShape(TypedDict):
    """A judge of a run."""

    config_sha256: str | None
    template_sha256: NotRequired[str | None]
    note: NotRequired[str]
    card: NotRequired[CardShape | None]
    backend_sha256: NotRequired[str | None]


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


class PromptFormatShape(TypedDict):
    """How prompts were made."""

    template_sha256: NotRequired[str | None]
    date: NotRequired[Annotated[str, Predicate(_is_day)] | None]
    sample: NotRequired[str]


class EngineShape(TypedDict):
    """What ran the model."""

    commit: NotRequired[str]


@dataclass(frozen=True)
class ManifestShape:
    """What every run.yaml says; it may say more."""

    model: str
    suite: SuiteShape
    writer: str
    prompts: PromptsShape
    owed: Count
    backend: BackendShape
    config: ConfigShape
    judge: str | None
    judges: dict[str, JudgeShape]
    start: str
    seconds: Amount | None


@dataclass(frozen=True)
class LaterShape:
    """What only some run.yaml say."""

    note: str = ""
    asked: dict[str, Positive] | None = None
    supersedes: list[str] | None = None
    identity: dict[str, Any] | None = None
    served: dict[str, Any] | None = None
    sampling: dict[str, Any] | None = None
    stop: list[int] | None = None
    prompt_format: PromptFormatShape | None = None
    engine: EngineShape | None = None
    adjusted: dict[str, dict[str, str]] | None = None


def check_manifest(manifest: Mapping[str, Any]) -> None:
    """Check the values of a run.yaml that lacks none.

    Raises:
        ValueError: One cannot be; its key is named.
    """
    check_plain(manifest)
    check_values(ManifestShape, manifest)
    check_values(LaterShape, manifest)
    prompts, samples = manifest["prompts"]["n"], manifest["config"]["samples"]
    asked = manifest.get("asked") or {}
    if asked and (prompts, samples) != (len(asked), max(asked.values())):
        raise ValueError(
            "asked: it is not about so many prompts and samples as prompts.n and config.samples say"
        )
    if manifest["owed"] != (sum(asked.values()) if asked else prompts * samples):
        raise ValueError(f"owed: {manifest['owed']} is not the number of responses that were asked for")
    if (judge := manifest["judge"]) is not None and judge not in manifest["judges"]:
        raise ValueError(f"judge: {judge} is none of judges")
