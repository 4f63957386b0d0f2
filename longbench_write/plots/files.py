"""Figures as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from longbench_write.compare.collection import Block, Entry, blocks
from longbench_write.files.output import make_folder, write_file
from longbench_write.plots import figures, left_out
from longbench_write.plots.save import parse_format, render
from longbench_write.runs.folder import folder_name


def write_plots(
    entries: Iterable[Entry], out: Path, forms: Sequence[str], note: Callable[[str], None]
) -> Iterator[Path]:
    """Draw every figure of every block of comparable runs, a folder a block where there are several.

    Args:
        entries: The runs.
        out: The folder for the files.
        forms: "png", "svg", "pdf".
        note: Told what is not shown, and why.

    Yields:
        The path of each file, once it is written.

    Raises:
        RunFolderError: The rows of a run cannot be read.
        UsageError: There is no such format, or a file cannot be written.
    """
    kinds = [parse_format(form) for form in dict.fromkeys(forms)]
    parts = blocks(entries)
    for block, folder in zip(parts, _folders(parts, out), strict=True):
        lead = f"{block.title}: " if len(parts) > 1 else ""
        for sentence in left_out(block):
            note(lead + sentence)
        make_folder(folder)
        for name, figure in figures(block).items():
            for kind in kinds:
                path = folder / f"{name}.{kind}"
                write_file(path, render(figure, kind))
                yield path


def _folders(parts: Sequence[Block], out: Path) -> list[Path]:
    """Return a folder a block, `out` itself for a single one."""
    if len(parts) == 1:
        return [out]
    names = [folder_name(block.title.replace(" · ", "-").replace(" ", "-")) for block in parts]
    return [
        out / (name if names.count(name) == 1 else folder_name(block.title))
        for name, block in zip(names, parts, strict=True)
    ]
