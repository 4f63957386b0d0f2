"""The plan of a gate: its minimum detectable drop, for a grid of samples and judge repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longbench_write.compare.comparable import terms
from longbench_write.compare.components import Components, JudgedRun, components, repeats_of
from longbench_write.compare.figures import number
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.rule import Rule
from longbench_write.errors import UsageError
from longbench_write.gate.more_runs import Gate, MoreRuns
from longbench_write.gate.needs import Need, need
from longbench_write.runs.folder import JUDGEMENTS
from longbench_write.runs.store import load_run

_SAMPLES = (1, 2, 3, 5, 8)
_REPEATS = (1, 3)


@dataclass(frozen=True)
class GatePlan:
    """The minimum detectable drops of a gate.

    Attributes:
        prompts, samples, repeats: The plan that was asked for.
        parts: The variance components of each gated metric.
        grid: Per samples and repeats, the points between which each metric's detectable drop lies.
        notes: What could not be estimated.
        more: What more runs a side buy.
        needs: What a margin of non-inferiority needs, a gated metric each; empty where there is no margin.
    """

    prompts: int
    samples: int
    repeats: int
    parts: list[Components]
    grid: dict[tuple[int, int], list[tuple[float, float]]]
    notes: list[str]
    more: MoreRuns
    needs: list[Need] = field(default_factory=list)

    @property
    def metrics(self) -> list[MetricInRange]:
        """The gated metrics, in the order of the grid's columns."""
        return [part.metric for part in self.parts]

    def sentence(self) -> str:
        """Return the plan that was asked for, in a sentence."""
        drops = self.grid[self.samples, self.repeats]
        shown = [
            f"{_between(drop)} {metric.metric.unit} in {metric}"
            for metric, drop in zip(self.metrics, drops, strict=True)
        ]
        what = (
            f"{_count(self.samples, 'sample')} of each and {_count(self.repeats, 'judgement')} of each sample"
        )
        return (
            f"{self.prompts} prompts, {what}: a true drop of {', '.join(shown)} is found with a chance of 80%"
        )

    def component_lines(self) -> list[tuple[str, ...]]:
        """Return a table line a metric."""
        return [
            (
                str(part.metric),
                *map(number, (part.interaction, part.sample, part.repeat)),
                _finely(self.more.between[part.metric]),
                str(part.prompts),
            )
            for part in self.parts
        ]

    def grid_lines(self) -> list[tuple[tuple[str, ...], bool]]:
        """Return a table line for each samples and repeats, and whether it is the plan that was asked for."""
        return [
            (
                (str(samples), str(repeats), *map(_between, drops)),
                (samples, repeats) == (self.samples, self.repeats),
            )
            for (samples, repeats), drops in self.grid.items()
        ]

    def run_lines(self) -> list[tuple[tuple[str, ...], bool]]:
        """Return a table line for each number of runs a side, and whether it is one run each."""
        return [
            ((str(baseline), str(run), *map(_between, drops)), (baseline, run) == (1, 1))
            for (baseline, run), drops in self.more.drops.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        names = [str(metric) for metric in self.metrics]
        return {
            "schema": 1,
            "prompts": self.prompts,
            "samples": self.samples,
            "judge_repeats": self.repeats,
            "notes": self.notes,
            "variance": {
                name: {
                    "interaction": part.interaction,
                    "sample": part.sample,
                    "judgement": part.repeat,
                    "run": self.more.between[part.metric],
                }
                for name, part in zip(names, self.parts, strict=True)
            },
            "grid": [
                {
                    "samples": samples,
                    "judge_repeats": repeats,
                    "detectable_drop": dict(zip(names, drops, strict=True)),
                }
                for (samples, repeats), drops in self.grid.items()
            ],
            "runs": [
                {"baseline": baseline, "run": run, "detectable_drop": dict(zip(names, drops, strict=True))}
                for (baseline, run), drops in self.more.drops.items()
            ],
            "non_inferiority": {str(each.metric): each.to_json() for each in self.needs},
        }


def load_judged(place: Path) -> JudgedRun:
    """Load a run's scores and its single judgements; a baseline file has none of the latter.

    Raises:
        UsageError: There is nothing of the kind.
        RunFolderError: It cannot be read.
    """
    scores = load_scores(place)
    if scores.summary:
        raise UsageError(f"{place} holds no scores by prompt: name a run folder or a baseline file")
    if not (scores.source / JUDGEMENTS).is_file() or scores.info is None:
        return JudgedRun(scores, {})
    return JudgedRun(scores, repeats_of(load_run(scores.source).judgements, scores.info.judge))


def plan(
    runs: Sequence[JudgedRun], rule: Rule, *, samples: int, repeats: int, prompts: int | None = None
) -> GatePlan:
    """Plan a gate from the runs at hand.

    Args:
        runs: Of the same suite and judge, at least one.
        rule: Which metrics are gated, from which drop on, and within which margin they must be shown to be.
        samples: Responses per prompt of the plan that is asked for.
        repeats: Judgements per response, likewise.
        prompts: How many; None takes as many as the runs have.

    Raises:
        UsageError: The runs are not comparable, or have fewer than two prompts.
        LbwError: They have no prompt in common.
    """
    for run in runs[1:]:
        terms(runs[0].scores, run.scores)
    judged = all(run.scores.is_judged for run in runs)
    gated = rule.gated(frozenset.intersection(*(run.scores.known for run in runs)))
    parts = [components(runs, metric) for metric in gated]
    for part in parts:
        if (prompts or part.prompts) < 2:
            raise UsageError(
                f"these runs have {part.prompts} prompts with {part.metric}: a plan needs two, or --prompts N"
            )
    count = prompts or max(part.prompts for part in parts)
    grid = {
        (k, r): [
            part.detectable(
                samples=k,
                repeats=r,
                prompts=_planned(part, count, prompts),
                rule=rule,
                gated=len(gated),
            )
            for part in parts
        ]
        for k in sorted({*_SAMPLES, samples})
        for r in sorted({*(_REPEATS if judged else (1,)), repeats})
    }
    needs = [
        need(part, margin, samples=samples, repeats=repeats, prompts=_planned(part, count, prompts))
        for part in parts
        if (margin := rule.margin(part.metric)) is not None
    ]
    gates = [
        Gate(_planned(part, count, prompts), samples, repeats, len(gated), rule.allowed(part.metric) or 0.0)
        for part in parts
    ]
    more = MoreRuns.of([run.scores for run in runs], list(zip(parts, gates, strict=True)))
    notes = [*_notes(runs, parts, judged=judged), *more.notes()]
    return GatePlan(count, samples, repeats, parts, grid, notes, more, needs)


def _planned(part: Components, count: int, prompts: int | None) -> int:
    """Return how many prompts a metric has in a plan: in a length range, no more than there are."""
    return count if prompts or part.metric.range is None else part.prompts


def _notes(runs: Sequence[JudgedRun], parts: Sequence[Components], *, judged: bool) -> list[str]:
    """Return what could not be estimated, and what bounds it."""
    notes = []
    if not judged:
        notes.append("not every run has a judge: S_l alone is planned")
    elif all(part.repeat is None for part in parts):
        notes.append(
            "judgement: not estimated, as each response was judged once; at best repeats lower all that "
            "samples lower, at worst nothing"
        )
    if all(part.sample is None for part in parts):
        notes.append(
            "sample: not estimated, as each run has one response a prompt; at best samples lower all of the "
            "variance, at worst nothing"
        )
    if len(runs) == 1:
        notes.append(
            "interaction: not estimated from one run; at best there is none, as in a re-run of the same "
            "model, at worst the two runs have nothing in common; name a second run"
        )
    return notes


def _between(drop: tuple[float, float]) -> str:
    low, high = map(number, drop)
    return low if low == high else f"{low}–{high}"


def _finely(variance: float | None) -> str:
    """Format what varies from run to run, of which a hundredth of a point squared is much."""
    return number(None) if variance is None else f"{variance:.2f}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
