"""`lbw-eval doctor`: what is installed, which GPUs, which backend would be chosen, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from longbench_write.doctor import Diagnosis


def doctor(
    model: Annotated[str | None, typer.Option(help="Say also which backend this model would get.")] = None,
    base_url: Annotated[list[str] | None, typer.Option(help="As a run would be given it.")] = None,
    api_key_env: Annotated[str | None, typer.Option(help="As a run would be given it.")] = None,
    env_file: Annotated[Path | None, typer.Option(help="As a run would be given it.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for runs.")] = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Say what this machine has for a run.

    Nothing is fetched, loaded or sent, and of keys only the names are shown.
    """
    import json

    from longbench_write.doctor import diagnose

    found = diagnose(model, base_urls=base_url or (), api_key_env=api_key_env, out=out, env_file=env_file)
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        for heading, text in _lines(found):
            typer.echo(f"{heading:<16} {text}")


def _lines(found: Diagnosis) -> list[tuple[str, str]]:
    from longbench_write.render.terminal import escape_terminal

    missing = {"xllamacpp": "local", "vllm": "vllm"}
    lines = [
        (name, version or f'not installed: pip install "longbench-write[{missing[name]}]"')
        for name, version in found.versions.items()
    ]
    lines.append(("GPUs", "; ".join(found.gpus) or f"none found; {found.cpus} processors"))
    if found.backend:
        kind, why = found.backend
        card = f"; model card {found.card}" if found.card else ""
        lines.append(("backend", escape_terminal(f"{kind}, {why}{card}")))
    for entry in found.added:
        told = entry["problem"] or f"{entry['name']}, of the package {entry['package']}"
        lines.append((f"added {entry['kind']}", escape_terminal(told)))
    for state in sorted(set(found.assets.values())):
        names = [name for name, its in found.assets.items() if its == state]
        lines.append((f"files {state}", ", ".join(names)))
    lines.append(("cache", found.cache))
    lines += [("environment", escape_terminal(told)) for told in found.read]
    lines += [(name, "set" if there else "not set") for name, there in found.keys.items()]
    lines.append(("runs", f"{found.out} {'can' if found.writable else 'cannot'} be written"))
    return lines
