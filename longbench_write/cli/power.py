"""`lbw-eval power RUN...`: the minimum detectable drop of a job, with how many samples and repeats."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longbench_write.errors import UsageError

if TYPE_CHECKING:
    from longbench_write.gate.planning import GatePlan


def power(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Runs of the same prompts; better two models, several samples, several runs of one model.",
        ),
    ],
    samples: Annotated[int, typer.Option(min=1, help="Responses per prompt, in both runs.")] = 1,
    judge_repeats: Annotated[int, typer.Option(min=1, help="Judgements per response, in both runs.")] = 1,
    prompts: Annotated[
        int | None,
        typer.Option(min=2, help="Prompts; otherwise as many as the runs have.", show_default=False),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="A gated metric; repeatable [S_bar, S_l, S_q].")
    ] = None,
    non_inferiority: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[M=]X",
            help="Say how many samples, or prompts, `check --non-inferiority [M=]X` needs; repeatable.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the tables.")] = False,
) -> None:
    """Plan a gate: the drop that it would find with a chance of 80%.

    Estimates on the runs at hand how much of the variance comes from prompts, samples and judgements, and
    from what moves whole runs of one model; says what more of each, and more runs a side, would buy.
    """
    from longbench_write.cli.check import numbers_by_metric
    from longbench_write.gate.config import build_gate
    from longbench_write.gate.planning import load_judged, plan
    from longbench_write.metrics.catalogue import merged

    judged = [load_judged(run) for run in runs]
    if len({run.scores.source.resolve() for run in judged}) < len(judged):
        raise UsageError("a run is named twice, which would not differ from itself: name each of them once")
    declared = merged(*(run.scores.metrics for run in judged))
    margins = numbers_by_metric("--non-inferiority", non_inferiority)
    gate = build_gate({"metrics": metric or None, "non_inferiority": margins}, declared)
    found = plan(judged, gate.rule, samples=samples, repeats=judge_repeats, prompts=prompts)
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    else:
        _show(found)


def _show(found: GatePlan) -> None:
    from longbench_write.cli.difference_table import console, show_lines
    from longbench_write.render.ci_log import escape_ci_log

    target = console()
    lines = [(line, False) for line in found.component_lines()]
    show_lines(
        target,
        "variance, unit²",
        ("", "interaction", "sample", "judgement", "run", "prompts"),
        lines,
    )
    for note in found.notes:
        target.print(escape_ci_log(note), markup=False, soft_wrap=True)
    heads = ("samples", "repeats", *map(str, found.metrics))
    lines = [(line, wanted) for line, wanted in found.grid_lines()]
    show_lines(target, f"drop found with a chance of 80%, {found.prompts} prompts", heads, lines)
    target.print(escape_ci_log(found.sentence()), markup=False, soft_wrap=True)
    show_lines(
        target,
        f"the same, by runs a side of {'one sample' if found.samples == 1 else f'{found.samples} samples'}",
        ("baseline", "checked", *map(str, found.metrics)),
        found.run_lines(),
    )
    if found.needs:
        show_lines(
            target,
            "needed to show with a chance of 80% that a run as good is worse by less than the margin",
            (
                "",
                "margin",
                f"samples, at {found.prompts} prompts",
                f"prompts, at {found.samples} sample{'' if found.samples == 1 else 's'}",
            ),
            [(each.line(), False) for each in found.needs],
        )
