"""Commands whose modules are read when they are asked for: a run needs none of them."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from longbench_write.cli.asked_outputs import CheckCommand

_COMMANDS = {
    "judge": "judge:judge",
    "score": "score:score",
    "agree": "agree:agree",
    "leaderboard": "leaderboard:leaderboard",
    "plot": "plot:plot",
    "report": "report:report",
    "compare": "compare:compare",
    "contamination": "contamination:contamination",
    "check": "check:check",
    "baseline": "baseline:baseline",
    "power": "power:power",
    "import": "exchange:import_",
    "export": "exchange:export",
    "judges": "judges:judges",
    "writers": "writers:writers",
    "doctor": "doctor:doctor",
    "suites": "suites:app",
    "assets": "assets:app",
}
"""Each command's module in this package and the name in it: a function, or an app with its own commands."""

_CLASSES: dict[str | None, type[TyperCommand]] = {"check": CheckCommand}
"""The classes of commands that are not typer's own."""


class DeferredCommand(TyperCommand):
    """Stands for a command until its help or its context is asked for.

    Args:
        name: What the user calls it.
        target: Where it is defined, as "module:name".
    """

    def __init__(self, name: str, target: str) -> None:
        super().__init__(name)
        self._module, _, self._attribute = target.partition(":")

    def _target(self) -> Any:
        return getattr(import_module(f"longbench_write.cli.{self._module}"), self._attribute)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence of its help, without its options being worked out."""
        target = self._target()
        text = target.info.help if isinstance(target, typer.Typer) else inspect.getdoc(target)
        return TyperCommand(self.name, help=text).get_short_help_str(limit)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Make the context of the command itself, which the group then invokes."""
        app = target = self._target()
        if not isinstance(target, typer.Typer):
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(self.name, cls=_CLASSES.get(self.name, TyperCommand))(target)
        return get_command(app).make_context(info_name, args, parent, **extra)


class DeferredGroup(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, target in _COMMANDS.items():
            self.add_command(DeferredCommand(name, target))
