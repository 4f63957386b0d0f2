"""Turns the fields of a configuration class into options of a command, so that each is defined once."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import typer

from longbench_write.config import Known, RunConfig, choices, is_switch
from longbench_write.config.requests import flag

F = TypeVar("F", bound=Callable[..., None])

JSON = inspect.Parameter(
    "as_json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--json", help="Print summary.json instead of the table.")],
)
"""The option that every command with a result table has."""

DEFAULT_WAIT = RunConfig.wait

Wait = Annotated[
    float,
    typer.Option(
        min=0, metavar="X", help="Seconds to wait for the run's folder while another process works in it."
    ),
]
"""The option of commands that write into a run's folder and ask nobody."""

_METAVARS = {int: "N", float: "X", Path: "PATH", str: "TEXT"}


def with_signature(*parameters: inspect.Parameter) -> Callable[[F], F]:
    """Show a command's parameters, some of which it takes as keywords, to typer."""

    def decorate(command: F) -> F:
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return decorate


def parameters(config: type, names: tuple[str, ...] | None = None) -> list[inspect.Parameter]:
    """Make a keyword parameter a field, None where the user says nothing.

    Args:
        config: A dataclass whose fields are annotated with their help texts.
        names: Only these fields.
    """
    hints = get_type_hints(config, include_extras=True)
    return [
        _parameter(field, hints[field.name])
        for field in dataclasses.fields(config)
        if names is None or field.name in names
    ]


def _parameter(field: dataclasses.Field[Any], hint: Any) -> inspect.Parameter:
    kind, *rest = get_args(hint)
    text = next(item for item in rest if isinstance(item, str))
    default = "" if field.default in (None, (), False, dataclasses.MISSING) else f" [{_shown(field.default)}]"
    known = next((item.names for item in rest if isinstance(item, Known)), choices(kind))
    option = typer.Option(
        *_flags(field.name, kind),
        help=text + default,
        show_default=False,
        metavar="|".join(known) or _metavar(field.name, kind),
    )
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[_cli_type(field.name, kind) | None, option],
    )


def _metavar(name: str, kind: Any) -> str | None:
    """Return what stands in the help for a value that is no choice; None for a switch."""
    if get_origin(kind) is tuple:
        return "A,B" if name == "ids" else "URL"
    if get_origin(kind) is dict:
        return {"extra_body": "JSON", "header": "NAME=ENV", "judge_header": "NAME=ENV"}.get(name, "KEY=VALUE")
    if words := [word for part in get_args(kind) if get_origin(part) is Literal for word in get_args(part)]:
        return "|".join(("N", *words))
    return _METAVARS.get(_cli_type(name, kind))


def _shown(default: Any) -> str:
    return {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default)


def _flags(field: str, kind: Any) -> tuple[str, ...]:
    name = flag(field)
    return (f"{name}/--no-{name[2:]}",) if is_switch(kind) else (name,)


def _cli_type(name: str, kind: Any) -> Any:
    """Return the type that the command line parses; anything more is checked with the whole configuration."""
    parts = [part for part in get_args(kind) if part is not type(None)] or [kind]
    if get_origin(kind) is tuple:
        return str if name == "ids" else list[str]
    if get_origin(kind) is dict:
        return str if name == "extra_body" else list[str]
    if len(parts) == 1 and parts[0] in (int, float, bool, Path):
        return parts[0]
    return str


def given(config: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return what the user said of the configuration's fields."""
    names = [field.name for field in dataclasses.fields(config)]
    return {name: values[name] for name in names if values.get(name) not in (None, [])}
