"""Which writers there are: the built-in ones, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from longbench_write.registry import Registry
from longbench_write.writers.base import Writer

WriterFactory = Callable[[], Writer]
"""What makes a writer; a writer's class is one."""


def _check(name: str, value: Any) -> WriterFactory:
    """Refuse what makes no writer."""
    made = value()
    if not callable(getattr(made, "write", None)) or not isinstance(getattr(made, "name", None), str):
        raise TypeError("a writer has a name and a coroutine `write(prompt, sample, context)`")
    if made.name != name:
        raise ValueError(f"the writer calls itself {made.name!r}")
    return lambda: made


WRITERS: Registry[WriterFactory] = Registry(
    "writer",
    "longbench_write.writers",
    {"direct": "longbench_write.writers.direct:DirectWriter"},
    check=_check,
)
"""What makes each writer, by name."""


def load_writer(name: str) -> Writer:
    """Make the writer of a name.

    Raises:
        UsageError: There is no such writer, or it cannot be loaded.
    """
    return WRITERS.get(name)()
