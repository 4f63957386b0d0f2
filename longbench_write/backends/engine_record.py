"""What run.yaml says of an engine: versions of what it stands on, what it warned of."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from longbench_write.errors import shorten


def installed_versions(distributions: Sequence[str]) -> dict[str, str]:
    """Return the versions of those distributions that are installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def rope_of(config: Any) -> dict[str, Any] | None:
    """Return the rotary position embedding that a transformers config has set; None where it has none."""
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None)
    return dict(rope) if rope else None


@contextmanager
def warnings_of(logger: str) -> Iterator[list[str]]:
    """Collect what a library warns of in this process while the block runs, each once.

    Args:
        logger: The library's logger.
    """
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if (text := shorten(record.getMessage())) not in found:
                found.append(text)

    handler = Collector(logging.WARNING)
    watched = logging.getLogger(logger)
    watched.addHandler(handler)
    try:
        yield found
    finally:
        watched.removeHandler(handler)
