"""What some models need that their own files do not say: the cards in models.yaml."""

from __future__ import annotations

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
        trust_remote_code: Whether the model needs code from its repository.
        prompt: The whole prompt around `{prompt}`, instead of the model's chat template.
        stop: Tokens that end a response, beside those of the model's generation config.
        sampling: The sampling that it was published with, over its generation config.
    """

    name: str
    names: tuple[str, ...]
    trust_remote_code: bool = False
    prompt: str | None = None
    stop: tuple[str, ...] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)


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
        model: A hub id; or a folder, which is a card's model if it bears the card's name.
    """
    name = Path(model).expanduser().resolve().name if is_folder(model) else None
    return next((card for card in load_cards() if model in card.names or card.name == name), None)
