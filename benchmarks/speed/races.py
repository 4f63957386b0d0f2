"""lbw-eval and its peers over the scenarios, in turns, beside the limit."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.speed.contestants import Contestant, contestants
from benchmarks.speed.limit import limit
from benchmarks.speed.measure import Figures, figures, run, served
from benchmarks.speed.scenarios import SCENARIOS, SUITE, Scenario
from benchmarks.speed.scheduling import read_lengths
from benchmarks.speed.section import Section, Settings, Target, table

_HEADS = ("", "first request", "first to last", "× limit", "whole", "peak memory", "CPU", "in flight")


def measure(settings: Settings) -> Iterable[Section]:
    """Run every scenario with every contestant; the first run of each, which compiles, is not counted."""
    everyone = contestants(settings)
    for each in everyone:
        each.prepare()
        once(each, SCENARIOS[0])
    for scenario in SCENARIOS:
        found: dict[str, list[Figures]] = {each.name: [] for each in everyone}
        for turn in range(min(settings.rounds, scenario.rounds)):
            for each in everyone:
                found[each.name].append(once(each, scenario))
                print(
                    f"{scenario.name}, turn {turn + 1}, {each.name}: {found[each.name][-1]}", file=sys.stderr
                )
        yield _section(scenario, found)
    yield Section(
        "Who is who", "\n".join(f"- {each.name} ({each.version}): {each.note}" for each in everyone)
    )


def once(contestant: Contestant, scenario: Scenario) -> Figures:
    """One run on fresh servers.

    Raises:
        SystemExit: It failed, or did not make a request for each prompt and for each response.
    """
    with tempfile.TemporaryDirectory() as name, served(scenario.profile, SUITE) as address:
        place = Path(name)
        (place / "out").mkdir()
        command = contestant.command(address, scenario.concurrency, SUITE, place / "out")
        began = time.monotonic()
        cost = run(command, log=place / "log")
        found = figures(began, cost, address)
    if set(found.requests) != {len(read_lengths(SUITE))}:
        raise SystemExit(f"{contestant.name} made {found.requests} requests")
    return found


def _section(scenario: Scenario, found: Mapping[str, Sequence[Figures]]) -> Section:
    least = limit(read_lengths(SUITE), scenario.profile, scenario.concurrency)
    rows: list[list[object]] = [["limit", "", f"{least:.2f} s", "1", "", "", "", ""]]
    rows += [[name, *_cells(runs, least)] for name, runs in found.items()]
    turns = len(next(iter(found.values())))
    text = f"""{scenario.about} {scenario.concurrency} requests in flight to each server at most.
{f"Medians of {turns} turns, the range of the ratios in brackets" if turns > 1 else "One turn"}.

{table(_HEADS, rows)}"""
    ours, *peers = found.values()
    span, fastest = _median(ours, "span"), min(_median(peer, "span") for peer in peers)
    targets = [
        Target(f"{scenario.name}: first to last request, of the limit", span / least, scenario.ratio, " ×")
        if scenario.ratio
        else None,
        Target(f"{scenario.name}: first to last request, of the fastest peer's", span / fastest, 1.0, " ×"),
        Target(
            f"{scenario.name}: whole process beyond the limit", _median(ours, "seconds") - least, 2.0, " s"
        ),
        Target(f"{scenario.name}: peak memory", _median(ours, "megabytes"), scenario.megabytes, " MB"),
    ]
    return Section(f"Scenario: {scenario.name}", text, [each for each in targets if each])


def _cells(runs: Sequence[Figures], least: float) -> list[object]:
    ratios = [each.span / least for each in runs]
    spread = f" ({min(ratios):.2f}–{max(ratios):.2f})" if len(runs) > 1 else ""
    model, judge = (max(each.peak[role] for each in runs) for role in (0, 1))
    return [
        f"{_median(runs, 'first'):.2f} s",
        f"{_median(runs, 'span'):.2f} s",
        f"{median(ratios):.2f}{spread}",
        f"{_median(runs, 'seconds'):.2f} s",
        f"{_median(runs, 'megabytes'):.0f} MB",
        f"{_median(runs, 'cpu'):.1f} s",
        f"{model} + {judge}",
    ]


def _median(runs: Iterable[Figures], name: str) -> float:
    return float(median(getattr(each, name) for each in runs))
