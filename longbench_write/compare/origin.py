"""Where the scores of a baseline file come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Where the scores of a baseline file come from.

    Attributes:
        digest: The sha256 of the file's content.
        first: The digest of the first baseline of its chain; its own where it is the first.
        first_made: When the first run of that one began, UTC.
        first_figures: Its means, by metric: what has changed since, little by little, shows against them.
        parent: The digest of the baseline that it replaced; None where it is the first.
        runs: How many runs it was made of.
        run_samples: How many samples each of them has, in the order of their numbers.
        made: When each of them began, UTC.
        judge: The judge's `label` and `config_sha256`, and its `repeats` and `tries`, which are None where
            run.yaml does not say; None where nobody judged.
        versions: Of this package, Python and what ran the model, as run.yaml has them.
        incomplete: Whether it was made although more responses lacked a score than were allowed to.
    """

    digest: str
    first: str
    first_made: str
    first_figures: Mapping[str, float]
    parent: str | None
    runs: int
    run_samples: tuple[int, ...]
    made: tuple[str, ...]
    judge: Mapping[str, Any] | None
    versions: Mapping[str, str]
    incomplete: bool
