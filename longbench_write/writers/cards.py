"""A writer's card: the writer.yaml in a writer's folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from longbench_write.assets import assets
from longbench_write.backends.base import Sampling
from longbench_write.errors import UsageError, unknown_name
from longbench_write.files.cards import check_card
from longbench_write.files.resources import data_root
from longbench_write.files.yaml_text import read_mapping

CARD = "writer.yaml"
"""A card's name in its writer's folder."""

LANGUAGES = ("en", "zh")
"""The languages that a writer's templates are in; a prompt in another language gets the English ones."""

OFFICIAL = "official"
"""The `templates` of a writer that uses the benchmark's own."""

LARGEST = 1 << 20
"""Bytes that a template may have."""

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class StepSampling(BaseModel):
    """How a step's requests are sampled; what is not said is the run's own."""

    model_config = _STRICT

    temperature: float | None = Field(default=None, ge=0, le=5, allow_inf_nan=False)
    """Softmax temperature. Default: null, the run's."""

    max_tokens: int | None = Field(default=None, ge=1)
    """New tokens at most, reasoning included. Default: null, the run's."""

    def within(self, run: Sampling) -> Sampling:
        """Return the run's sampling with what is said here; the run's limit of tokens holds for each step."""
        tokens = run.max_tokens if self.max_tokens is None else min(self.max_tokens, run.max_tokens)
        temperature = run.temperature if self.temperature is None else self.temperature
        return replace(run, max_tokens=tokens, temperature=temperature)


class _Card(BaseModel):
    """What every card says."""

    model_config = _STRICT

    description: str = Field(min_length=1)
    """What the writer does, in one sentence. Required."""


class PlanCard(_Card):
    """The card of a writer that plans, then writes."""

    method: Literal["plan"]
    """Plan the text, then write it paragraph by paragraph. Required."""

    order: Literal["serial", "parallel"] = "serial"
    """Whether each paragraph is written with all text before it, or all of them at once without. Default:
    serial."""

    planner: Literal["model", "even", "suite"] = "model"
    """Who plans: a model, a rule (sections of equal length), or the suite (its prompts' field `plan`).
    Default: model."""

    templates: str = Field(default=".", min_length=1)
    """The folder of the templates plan.en.txt, plan.zh.txt, write.en.txt, write.zh.txt and, with a review,
    review.en.txt and review.zh.txt, seen from the card's folder, which comes first; or `official`, the
    benchmark's own for both languages. Default: the card's folder."""

    plan: StepSampling = StepSampling(temperature=1.0, max_tokens=4096)
    """Sampling of a plan. Default: the paper's, temperature 1.0 and 4,096 tokens."""

    write: StepSampling = StepSampling()
    """Sampling of a paragraph. Default: the run's."""

    plan_tries: int = Field(default=3, ge=1, le=100)
    """Plans that are asked for until one can be read. Default: 3."""

    most_steps: int = Field(default=50, ge=1, le=1000)
    """Steps that a plan may have. Default: 50."""

    words: tuple[int, int] = Field(default=(200, 1000), strict=False)
    """Least and most words of a paragraph, as the planner is told; a plan that does otherwise is followed all
    the same. Default: 200 and 1,000, as in the paper."""

    review: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """A paragraph whose words are off its plan by more than this share is asked for once more. Default: null,
    never."""

    context_words: int | None = Field(default=None, ge=0)
    """Words of the latest paragraphs that a serial step is given; earlier ones are left out. Default: null,
    all of them: where those do not fit into the model's context, the response fails."""


class ExtendCard(_Card):
    """The card of a writer that writes, then lengthens what it wrote."""

    method: Literal["extend"]
    """Write the text, then lengthen it passage by passage until it has the required length. Required."""

    templates: str = Field(default=".", min_length=1)
    """The folder of extend.en.txt and extend.zh.txt, seen from the card's folder. Default: that folder."""

    extend: StepSampling = StepSampling()
    """Sampling of a passage. Default: the run's."""

    rounds: int = Field(default=4, ge=1, le=100)
    """How often the text is gone through at most. Default: 4."""

    enough: float = Field(default=0.95, gt=0, le=1)
    """Share of the required length at which the text is left as it is. Default: 0.95."""

    most_growth: float = Field(default=2.0, gt=1, le=10)
    """How many times its length a passage is to have after a round, at most. Default: 2."""

    passage_words: int = Field(default=400, ge=1)
    """Words of a passage, about: neighbouring paragraphs are taken together up to this. Default: 400."""


class NullCard(_Card):
    """The card of a writer that asks no model."""

    method: Literal["null"]
    """Repeat sentences of the writer's own up to the required length. Required."""

    templates: str = Field(default=".", min_length=1)
    """The folder of filler.en.txt and filler.zh.txt, a sentence a line. Default: the card's folder."""


WriterCard = PlanCard | ExtendCard | NullCard

_CARDS: dict[str, type[PlanCard] | type[ExtendCard] | type[NullCard]] = {
    "plan": PlanCard,
    "extend": ExtendCard,
    "null": NullCard,
}


@dataclass(frozen=True)
class WriterFolder:
    """A writer's folder, read.

    Attributes:
        name: The folder's, which is the writer's.
        card: What it says.
        path: Where it lies.
    """

    name: str
    card: WriterCard
    path: Path

    def template(self, name: str) -> dict[str, str]:
        """Read a template in each language of `LANGUAGES`.

        Args:
            name: Such as "plan".

        Raises:
            UsageError: A file is missing or cannot be read.
            AssetError: An official template cannot be had.
        """
        if self.card.templates == OFFICIAL:
            return dict.fromkeys(LANGUAGES, assets.text(f"agentwrite-{name}"))
        return {language: self._read(f"{name}.{language}.txt") for language in LANGUAGES}

    def _read(self, name: str) -> str:
        path = self.path / name
        if not path.is_file():
            path = self.path / self.card.templates / name
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise UsageError(f"the template {path} has more than {LARGEST >> 20} MiB")
            return content.decode("utf-8-sig").strip()
        except OSError as error:
            raise UsageError(f"the template {path} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise UsageError(f"the template {path} cannot be read: it is not UTF-8") from None


def shipped_folders() -> dict[str, Path]:
    """Return the folders of the writers that this package ships, by name."""
    return {path.parent.name: path.parent for path in sorted(data_root("writers").glob(f"*/{CARD}"))}


def read_folder(folder: Path) -> WriterFolder:
    """Read a writer's folder.

    Raises:
        UsageError: Its card cannot be read, or says what no card can say.
    """
    where = folder / CARD
    values = read_mapping(where)
    method = values.get("method")
    if not isinstance(method, str) or method not in _CARDS:
        raise unknown_name(f"method in {where}:", str(method), _CARDS)
    return WriterFolder(folder.resolve().name, check_card(_CARDS[method], values, str(where)), folder)


def find_folder(name_or_path: str) -> Path | None:
    """Return the folder of a writer that was given by path; None if there is none."""
    path = Path(os.path.expanduser(name_or_path))
    folder = path.parent if path.name == CARD else path
    return folder if (folder / CARD).is_file() else None


def configuration(folder: WriterFolder, templates: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return what of a writer would change its responses, for the run's identity.

    Args:
        folder: The writer's.
        templates: Each template that it uses, by name and language.
    """
    card = folder.card.model_dump(mode="json", exclude={"description", "templates"})
    hashes = {
        f"{name}.{language}": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        for name, languages in templates.items()
        for language, text in languages.items()
    }
    return card | {"templates_sha256": hashes}
