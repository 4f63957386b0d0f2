"""The time that `--help` and `--version` take, beside the peers' command lines."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from benchmarks.speed.contestants import contestants
from benchmarks.speed.measure import Cost, run
from benchmarks.speed.section import Section, Settings, Target, table

TIMES = 5


def measure(settings: Settings) -> Section:
    """Run each several times, in turns; the peers' environments are made where they are missing."""
    here = Path(sys.executable)
    peers = {each.name: each for each in contestants(settings) if each.name in ("evalscope", "inspect_ai")}
    for peer in peers.values():
        peer.prepare()
    environments = {name: peer.python.parent for name, peer in peers.items()}
    commands: dict[str, list[str | Path]] = {
        "python -c pass": [here, "-c", "pass"],
        "lbw-eval --version": [here.parent / "lbw-eval", "--version"],
        "lbw-eval --help": [here.parent / "lbw-eval", "--help"],
        "evalscope --help": [environments["evalscope"] / "evalscope", "--help"],
        "inspect --help": [environments["inspect_ai"] / "inspect", "--help"],
    }
    log = settings.work / "log"
    for command in commands.values():
        run(command, log=log)
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(TIMES * settings.rounds):
        for name, command in commands.items():
            found[name].append(run(command, log=log))
    seconds = {name: median(each.seconds for each in costs) for name, costs in found.items()}
    rows = [
        (f"`{name}`", f"{seconds[name]:.3f} s", f"{median(each.cpu for each in costs):.3f} s")
        for name, costs in found.items()
    ]
    help_, version = seconds["lbw-eval --help"], seconds["lbw-eval --version"]
    return Section(
        "The start",
        f"Medians of {TIMES * settings.rounds}, in turns.\n\n{table(('', 'seconds', 'CPU seconds'), rows)}",
        [
            Target("--help", help_, 0.15, " s"),
            Target("--version, of --help", version / help_, 1.0, " ×"),
        ],
    )
