"""`lbw-eval check` with words that cannot be read: each output that they ask for says so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand


class CheckCommand(TyperCommand):
    """`check`, whose outputs hold an error in its options too, which is found before it begins."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line.

        Args:
            ctx: The command's context, whose type differs with the version of typer.
            args: The words behind the command's name.
        """
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            flags = {name for each in self.params if getattr(each, "is_flag", False) for name in each.opts}
            # click's own errors have it; typer may bring a click of its own, so that no class is named.
            in_words = getattr(error, "format_message", None)
            tell_unread(words, in_words() if in_words else str(error), flags)
            raise


def tell_unread(words: Sequence[str], said: str, flags: Collection[str]) -> None:
    """Have each output that a command line asks for say why that could not be read.

    Args:
        words: Behind the command's name.
        said: Why.
        flags: Options without a value.
    """
    from longbench_write.cli.verdict_outputs import VerdictOutputs
    from longbench_write.errors import UsageError
    from longbench_write.gate.checking import files_read

    named = {"baseline": _file(words, "--baseline"), "history": _file(words, "--history")}
    of_options = {
        at + 1 for at, word in enumerate(words) if word[:1] == "-" and not ("=" in word or word in flags)
    }
    places = (word for at, word in enumerate(words) if word[:1] != "-" and at not in of_options)
    run = next(places, "the run")
    outputs = VerdictOutputs(
        Path(run),
        "--json" in words,
        _file(words, "--junit"),
        _file(words, "--markdown"),
        _file(words, "--plot"),
        "--github" in words,
        worst=0,
        inputs=files_read(named, _file(words, "--config")),
    ).safe()
    outputs.remove_earlier()
    outputs.tell(said, UsageError.exit_code)


def _file(words: Sequence[str], option: str) -> Path | None:
    """Return the file that an option names, the last time that it stands there."""
    found = None
    for place, word in enumerate(words):
        if word == option and place + 1 < len(words):
            found = words[place + 1]
        elif word.startswith(f"{option}="):
            found = word.removeprefix(f"{option}=")
    return Path(found) if found else None
