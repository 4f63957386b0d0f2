"""`lbw-eval plot [PLACE...]`: figures of runs, as files."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longbench_write.cli.places import Places, note, scored_runs
from longbench_write.files.output import write_file

if TYPE_CHECKING:
    from longbench_write.compare.collection import Block


class Form(StrEnum):
    """What files are written."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


def plot(
    places: Places = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")] = Path("plots"),
    forms: Annotated[
        list[Form] | None,
        typer.Option(
            "--format",
            metavar="png|svg|pdf",
            help="May be given more than once. [png, svg]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw runs: required against written length, scores by length range, the dimensions and more.

    Runs on other prompts, with another judge or convention are drawn apart, in folders of their own. The
    files' paths are printed.
    """
    from longbench_write.compare.collection import blocks

    parts = blocks(scored_runs(places))
    for block, folder in zip(parts, _folders(parts, out), strict=True):
        _draw(block, folder, forms or [Form.png, Form.svg], lead=f"{block.title}: " if len(parts) > 1 else "")


def _folders(parts: list[Block], out: Path) -> list[Path]:
    """A folder a block, `out` itself for a single one."""
    from longbench_write.runs.folder import folder_name

    if len(parts) == 1:
        return [out]
    names = [folder_name(block.title.replace(" · ", "-").replace(" ", "-")) for block in parts]
    return [
        out / (name if names.count(name) == 1 else folder_name(block.title))
        for name, block in zip(names, parts, strict=True)
    ]


def _draw(block: Block, folder: Path, forms: list[Form], *, lead: str) -> None:
    from longbench_write.plots import figures, left_out
    from longbench_write.plots.save import render
    from longbench_write.render.terminal import escape_terminal

    for sentence in left_out(block):
        note(lead + sentence)
    for name, figure in figures(block).items():
        for form in dict.fromkeys(forms):
            path = folder / f"{name}.{form}"
            write_file(path, render(figure, form.value))
            sys.stdout.write(escape_terminal(f"{path}\n"))
