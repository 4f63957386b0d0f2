"""`lbw-eval doctor`: what is installed, which GPUs, which backend would be chosen, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from longbench_write.backends.probe import ServerReport
    from longbench_write.doctor import Diagnosis


def doctor(
    model: Annotated[str | None, typer.Option(help="Say also which backend this model would get.")] = None,
    base_url: Annotated[list[str] | None, typer.Option(help="As a run would be given it.")] = None,
    api_key_env: Annotated[str | None, typer.Option(help="As a run would be given it.")] = None,
    env_file: Annotated[Path | None, typer.Option(help="As a run would be given it.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for runs.")] = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Say what this machine has for a run; with --model and --base-url, also what the server says.

    The server gets one short request; nothing else is sent, fetched or loaded. Of keys only the names are
    shown. Exit code 1 where a server does not answer.
    """
    import json
    from dataclasses import asdict

    from longbench_write.doctor import ask_servers, diagnose

    found = diagnose(model, base_urls=base_url or (), api_key_env=api_key_env, out=out, env_file=env_file)
    servers = ask_servers(model, base_url, api_key_env=api_key_env) if model and base_url else []
    if as_json:
        values = found.to_json() | {"servers": [asdict(each) for each in servers]}
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        for heading, text in (*_lines(found), *_server_lines(servers)):
            typer.echo(f"{heading:<16} {text}")
    if any(each.error for each in servers):
        raise typer.Exit(1)


def _server_lines(servers: Sequence[ServerReport]) -> list[tuple[str, str]]:
    from longbench_write.render.terminal import escape_terminal

    lines = []
    for each in servers:
        context = each.listed.get("max_model_len")
        listed = f"lists the model as {each.listed['id']}" if each.listed else "does not list the model"
        listed += f" with a context of {context:,} tokens" if context else ""
        answer = each.error or f"answers as {each.model_served or 'no name that it says'}"
        answer += f", run by {each.provider}" if each.provider else ""
        answer += f", configuration {each.system_fingerprint}" if each.system_fingerprint else ""
        counts = "" if each.error or each.usage else "; it counts no tokens, so that cuts cannot be told"
        lines.append(("server", escape_terminal(f"{each.url} {listed}, {answer}{counts}")))
        lines += [("server", escape_terminal(f"{each.url}: {told}")) for told in each.notes]
    return lines


def _lines(found: Diagnosis) -> list[tuple[str, str]]:
    from longbench_write.render.terminal import escape_terminal

    missing = {"xllamacpp": "local", "vllm": "vllm", "torch": "hf", "transformers": "hf"}
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
