"""`lbw-eval suites` and `lbw-eval suites check`: the prompt lists, and what is wrong with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from longbench_write.suites.cards import SuiteCard
    from longbench_write.suites.suite import Prompt

app = typer.Typer(
    help="List the suites, or check one.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def suites(context: typer.Context) -> None:
    """List the suites.

    How many prompts in which languages and length ranges, their shortest and longest required lengths, their
    licence, and if they are here.
    """
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Table

    from longbench_write.suites.cards import load_card, suite_names
    from longbench_write.suites.suite import LENGTH_RANGES

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("suite", "version"):
        table.add_column(heading, no_wrap=True)
    for heading in ("n", "en/zh", "by range", "lengths"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("licence", "file"):
        table.add_column(heading, no_wrap=True)
    for name in suite_names():
        card = load_card(name)
        languages = "/".join(str(card.languages.get(language, 0)) for language in ("en", "zh"))
        ranges = "/".join(str(number) for number in card.ranges)
        lengths = "-".join(str(length) for length in card.lengths)
        counts = (str(card.prompts), languages, ranges, lengths)
        table.add_row(name, card.version, *counts, card.licence, _state(card))
    console = Console(markup=False, highlight=False)
    console.print(table)
    console.print(
        f"n: prompts; by range: those that require {' / '.join(LENGTH_RANGES)} words", soft_wrap=True
    )


def _state(card: SuiteCard) -> str:
    from longbench_write.assets import assets

    if card.asset is None:
        return "shipped"
    here = {entry.asset.name: entry.state for entry in assets.status()}
    return "cached" if here[card.asset] == "present" else "missing"


@app.command()
def check(
    suite: Annotated[
        str, typer.Argument(metavar="PATH|NAME", help="A JSONL file, or a suite of `lbw-eval suites`.")
    ],
    skip: Annotated[
        list[str] | None,
        typer.Option(
            help="Leave a check out: length, distribution, types, language, duplicates, overlap or mirrors; "
            "give it several times for more."
        ),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Fetch nothing; without the official files, overlap and mirrors are skipped."
        ),
    ] = False,
) -> None:
    """Check a suite and name each fault; exit 1 if there is one.

    Whether each prompt states the length and the rule that its fields say (length), whether there are as many
    prompts of each type, language and length range as in longbench-write (distribution, types), whether each
    is in its language, whether two are alike or on one topic (duplicates), whether one has words of an
    official prompt (overlap), and whether each has the form of the official prompt that it names, if it
    names one (mirrors).
    """
    from longbench_write.errors import unknown_name
    from longbench_write.render.terminal import escape_terminal
    from longbench_write.suites.checks.checks import AGAINST_OFFICIAL, CHECKS, check_suite
    from longbench_write.suites.suite import load_suite

    left_out = list(skip or ())
    names = [*CHECKS, *AGAINST_OFFICIAL]
    for name in left_out:
        if name not in names:
            raise unknown_name("check", name, names)
    loaded = load_suite(suite)
    if not any(prompt.mirrors for prompt in loaded.prompts):
        left_out.append("mirrors")
    official: tuple[Prompt, ...] = ()
    if against := [name for name in AGAINST_OFFICIAL if name not in left_out]:
        official, reason = _official(suite, offline=offline)
        if reason:
            left_out += against
            typer.echo(f"{' and '.join(against)}: skipped, {escape_terminal(reason)}", err=True)
    faults = check_suite(loaded, official=official, skip=left_out)
    for fault in faults:
        typer.echo(escape_terminal(str(fault)))
    passed = ", ".join(name for name in names if name not in left_out)
    if faults:
        typer.echo(f"{loaded.name}: {len(faults)} faults ({passed} checked)", err=True)
        raise typer.Exit(1)
    typer.echo(f"{loaded.name} {loaded.version}: {len(loaded.prompts)} prompts, no fault ({passed} checked)")


def _official(checked: str, *, offline: bool) -> tuple[tuple[Prompt, ...], str]:
    """Return the official prompts that a suite is held against, or the reason that there are none."""
    from longbench_write.assets import assets
    from longbench_write.errors import AssetError
    from longbench_write.suites.cards import card_name, load_card, suite_names
    from longbench_write.suites.suite import load_suite

    cards = [card for name in suite_names() if (card := load_card(name)).asset]
    if card_name(checked) in [card.name for card in cards]:
        return (), "these are official prompts"
    here = {entry.asset.name for entry in assets.status() if entry.state == "present"}
    if offline and not here.issuperset(str(card.asset) for card in cards):
        return (), "the official files are not here (see `lbw-eval assets fetch`)"
    try:
        return tuple(prompt for card in cards for prompt in load_suite(card.name).prompts), ""
    except AssetError as error:
        return (), str(error)
