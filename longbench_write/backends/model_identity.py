"""What tells the texts of one model that runs on this machine from another's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.hub import hub_commit
from longbench_write.backends.model_cards import ModelCard, find_card
from longbench_write.backends.prompts import CHAT, RAW, read_template
from longbench_write.backends.weights import weights_sha256


def model_identity(
    spec: BackendSpec, note: Callable[[str], None], *, placement: Collection[str]
) -> dict[str, Any]:
    """Return weights, adapter, engine arguments, prompt format and card, as a run's identity has them.

    Args:
        spec: What opens the model.
        note: Told what the user should know.
        placement: Engine arguments that say where a model runs and what it may do, not what it writes.

    Raises:
        UsageError: A file cannot be read.
    """
    card = find_card(spec.model)
    prompt_format = spec.prompt_format
    if prompt_format not in (None, CHAT, RAW):
        prompt_format = hashlib.sha256(read_template(prompt_format).encode()).hexdigest()
    where = {name: spec.engine_args.get(name) for name in ("revision", "download_dir")}
    commit = hub_commit(spec.model, revision=where["revision"], cache=where["download_dir"])
    return {
        "weights": weights_sha256(Path(spec.model.removeprefix("local/")), note),
        "adapter": weights_sha256(Path(spec.adapter), note) if spec.adapter else None,
        "commit": None if commit == where["revision"] else commit,
        "engine": {name: value for name, value in spec.engine_args.items() if name not in placement},
        "prompt_format": prompt_format,
        "card": _of_card(card) if card else None,
    }


def _of_card(card: ModelCard) -> dict[str, Any]:
    found: dict[str, Any] = {"prompt": card.prompt, "stop": list(card.stop), "sampling": dict(card.sampling)}
    return found | ({"reasoning_parser": card.reasoning_parser} if card.reasoning_parser else {})
