"""Which writers there are: the built-in ones, those of other packages, and folders of one's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from longbench_write.errors import UsageError, unknown_name
from longbench_write.registry import Registry
from longbench_write.writers.base import Writer
from longbench_write.writers.direct import DirectWriter

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


def _built_in() -> dict[str, WriterFactory]:
    from longbench_write.writers.cards import shipped_folders

    return {"direct": DirectWriter} | {
        name: partial(_from_folder, path, None) for name, path in shipped_folders().items()
    }


WRITERS: Registry[WriterFactory] = Registry("writer", "longbench_write.writers", _built_in, check=_check)
"""What makes each writer, by name."""


def load_writer(name_or_path: str, planner: str | None = None) -> Writer:
    """Make the writer of a name, or of a folder.

    Args:
        name_or_path: A name of `WRITERS`, or the path of a writer's folder or of its card.
        planner: Who plans, in place of what the writer's card says; None follows the card.

    Raises:
        UsageError: There is no such writer, it cannot be loaded, or it does not plan.
        AssetError: An official template cannot be had.
    """
    if name_or_path == DirectWriter.name:
        return _without_planner(DirectWriter(), planner)
    from longbench_write.writers.cards import CARD, find_folder, shipped_folders

    if folder := shipped_folders().get(name_or_path) or find_folder(name_or_path):
        return _from_folder(folder, planner)
    if name_or_path not in (known := WRITERS.names()):
        unknown = unknown_name("writer", name_or_path, known)
        raise UsageError(f"no folder {name_or_path!r} contains a {CARD}, and {unknown}")
    return _without_planner(WRITERS.get(name_or_path)(), planner)


def _without_planner(writer: Writer, planner: str | None) -> Writer:
    if planner:
        raise UsageError(f"--planner is for writers that plan: {writer.name} does not")
    return writer


def _from_folder(path: Path, planner: str | None) -> Writer:
    """Make the writer of a folder."""
    from longbench_write.writers.cards import ExtendCard, PlanCard, read_folder
    from longbench_write.writers.extending import ExtendingWriter
    from longbench_write.writers.filler import FillerWriter
    from longbench_write.writers.planned import PlannedWriter

    folder = read_folder(path)
    if isinstance(folder.card, PlanCard):
        return PlannedWriter(folder, folder.card, planner)
    if isinstance(folder.card, ExtendCard):
        return _without_planner(ExtendingWriter(folder, folder.card), planner)
    return _without_planner(FillerWriter(folder, folder.card), planner)
