"""What some models need that their own files do not say: the cards in models.yaml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longbench_write.backends.base import is_folder
from longbench_write.files.yaml_text import read_mapping

MODELS = Path(__file__).with_name("models.yaml")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's card.

    Attributes:
        name: The card's name, which is also the last part of the model's.
        names: The model's names on the hub.
        prompt: The whole prompt around `{prompt}`, instead of the model's chat template.
        content_apart: Whether the text in place of `{prompt}` is tokenized by itself, as the model's own code
            does, instead of together with what stands around it.
        stop: Tokens that end a response, beside those of the model's generation config.
        sampling: The sampling that it was published with, over its generation config.
        reasoning_parser: vLLM's parser of its reasoning; "" for that of its family, if there is one.
    """

    name: str
    names: tuple[str, ...]
    prompt: str | None = None
    content_apart: bool = False
    stop: tuple[str, ...] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)
    reasoning_parser: str = ""


def load_cards() -> list[ModelCard]:
    """Read all cards."""
    entries = read_mapping(MODELS)
    return [
        ModelCard(name, **values | {key: tuple(values.get(key, ())) for key in ("names", "stop")})
        for name, values in entries.items()
    ]


def find_card(model: str) -> ModelCard | None:
    """Find the card of a model; None for most.

    Args:
        model: A hub id; or a folder, which is a card's model if it bears the card's name, under the name
            given or under the one that a symbolic link leads to. A snapshot in the hub's cache has the name
            of its repository.
    """
    names = _folder_names(model) if is_folder(model) else {model}
    folder = is_folder(model)
    return next(
        (card for card in load_cards() if names & set(card.names) or (folder and card.name in names)), None
    )


def _folder_names(model: str) -> set[str]:
    path = Path(os.path.expanduser(model))
    return {_name(Path(os.path.abspath(path))), _name(path.resolve())}


def _name(folder: Path) -> str:
    """Return the hub id of a snapshot (`models--ORG--NAME/snapshots/COMMIT`), else the folder's own name.

    ModelScope's cache writes `___` for the dot of a model's name.
    """
    repository = folder.parent.parent.name
    if folder.parent.name == "snapshots" and repository.startswith("models--"):
        return repository.removeprefix("models--").replace("--", "/")
    return folder.name.replace("___", ".")
