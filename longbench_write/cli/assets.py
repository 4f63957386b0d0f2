"""`lbw-eval assets list|fetch|verify`: the official files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from longbench_write.assets.assets import Status

app = typer.Typer(
    help="List, fetch or verify the official files.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("list")
def list_() -> None:
    """List the official files and which of them are here."""
    from longbench_write.assets import assets

    _show(assets.status())


@app.command()
def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Names as `assets list` shows them; none: all that a run needs."
        ),
    ] = None,
) -> None:
    """Fetch official files into the cache and print their paths."""
    from longbench_write.assets import assets

    wanted = names or [asset.name for asset in assets.ASSETS.values() if not asset.optional]
    for path in fetch_with_bar(wanted):
        typer.echo(path)


@app.command()
def verify() -> None:
    """Check each file that is here against its sha256; exit 1 if one is not what it should be."""
    from longbench_write.assets import assets

    entries = assets.verify()
    _show(entries)
    if any(entry.state == "bad" for entry in entries):
        raise typer.Exit(1)


def fetch_with_bar(names: Sequence[str]) -> list[Path]:
    """Fetch files one after the other, with a bar on stderr where that is a terminal.

    Raises:
        UsageError: There is no asset of such a name; nothing has been fetched.
        AssetError: One cannot be had.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    from longbench_write.assets import assets
    from longbench_write.cli.log import show_log

    show_log()
    wanted = [assets.find(name) for name in names]
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    paths = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        for asset in wanted:
            task = bar.add_task(asset.filename, total=None)

            def update(done: int, total: int | None, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total)

            paths.append(assets.fetch(asset.name, update))
            bar.remove_task(task)
    return paths


def _show(entries: Sequence[Status]) -> None:
    from rich.console import Console
    from rich.table import Table

    from longbench_write.assets.assets import cache_dir

    table = Table()
    for heading in ("name", "what", "file", "state"):
        table.add_column(heading, no_wrap=heading == "name", overflow="fold")
    for entry in entries:
        where = "" if entry.path.parent == cache_dir() else " (LBW_ASSETS)"
        table.add_row(entry.asset.name, entry.asset.about, entry.asset.filename, entry.state + where)
    console = Console(markup=False, highlight=False)
    console.print(table)
    console.print(f"cache: {cache_dir()}", soft_wrap=True)
