"""What runs have of a metric prompt by prompt, from scores.csv, and what they lack at its worst and best."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from longbench_write.compare.collection import Entry
from longbench_write.compare.rank_sets import Array
from longbench_write.errors import RunFolderError
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.quality import S_Q
from longbench_write.runs.folder import SCORES, SUMMARY
from longbench_write.scoring.figures import value_in
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_values

Response = Mapping[str, float]
"""What each metric gave for a response, by name."""

_ROUNDING = 1e-6
"""By how much the means of scores.csv and summary.json may differ, which are summed in other orders."""


@dataclass(frozen=True)
class PromptValues:
    """A run's values prompt by prompt.

    Attributes:
        responses: Each prompt's, in the order of the samples.
        summary: The run's figures.
        suspects: Which of each prompt's responses are suspect, by their place.
    """

    responses: Mapping[str, Sequence[Response]]
    summary: Summary
    suspects: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def without_suspects(self) -> PromptValues:
        """Return the run as if its suspects had been lost: what they are worth is not known."""
        kept = {
            prompt: [each for place, each in enumerate(found) if place not in self.suspects.get(prompt, ())]
            for prompt, found in self.responses.items()
        }
        return replace(self, responses=kept, suspects={})

    def means(self, metric: Metric) -> dict[str, float]:
        """Return a metric's mean over each prompt's samples; prompts without a value are absent."""
        found = {}
        for prompt, responses in self.responses.items():
            values = [value for each in responses if (value := _value(each, metric)) is not None]
            if values:
                found[prompt] = sum(values) / len(values)
        return found

    def lacks(self, metric: Metric, prompt: str) -> bool:
        """Return whether a response to a prompt is lost, or not judged where the metric needs a judge."""
        responses = self.responses.get(prompt, ())
        unjudged = metric.needs_judge and any(S_Q.name not in each for each in responses)
        return unjudged or len(responses) < self.summary.samples_of(prompt)

    def end(self, metric: Metric, prompt: str, *, best: bool) -> float:
        """Return a prompt's mean with what it lacks at an end of the range; NaN where it has no value."""
        responses = self.responses.get(prompt, ())
        lost = max(0, self.summary.samples_of(prompt) - len(responses))
        values = [value for each in responses if (value := _worth(each, metric, best=best)) is not None]
        if responses and not values:
            return math.nan
        values += [_worth(None, metric, best=best) or 0.0] * lost
        return sum(values) / len(values)


def read_prompt_values(entry: Entry, metric: Metric) -> PromptValues:
    """Read what a run has of the headlines and of a metric.

    Raises:
        RunFolderError: Its scores.csv cannot be read, or is not of the same records as its summary.json.
    """
    path, summary = entry.path / SCORES, entry.summary
    wanted = dict.fromkeys(part for each in (*HEADLINES, metric) for part in each.parts or (each,))
    found = read_values(path, tuple(wanted))
    responses: dict[str, list[Response]] = defaultdict(list)
    for (prompt, _), values in sorted(found.items(), key=lambda item: item[0]):
        responses[prompt].append(values)
    run = PromptValues(responses, summary, _suspects(entry))
    for part in metric.parts or (metric,):
        means = run.means(part).values()
        mean, told = sum(means) / max(1, len(means)), value_in(summary.overall, part) or 0.0
        if len(found) != summary.counts["generated"] or not math.isclose(
            mean, told, rel_tol=_ROUNDING, abs_tol=_ROUNDING
        ):
            raise RunFolderError(
                f"{path} and {SUMMARY} are not of the same responses: "
                f"make both anew with `lbw-eval score {entry.path}`"
            )
    return run


def _suspects(entry: Entry) -> dict[str, frozenset[int]]:
    """Return the places of the suspects among each prompt's responses, in the order of the samples."""
    if not (entry.summary.suspects and entry.summary.suspects["count"]):
        return {}
    marked: dict[str, list[bool]] = defaultdict(list)
    for row in sorted(entry.rows, key=lambda row: (row.id, row.sample)):
        marked[row.id].append(bool(row.suspect))
    return {
        prompt: frozenset(np.flatnonzero(found).tolist()) for prompt, found in marked.items() if any(found)
    }


def as_arrays(runs: Sequence[PromptValues], metric: Metric) -> tuple[Array, Array, Array]:
    """Return the values of runs, and the worst and best that they can be, as `rank_sets.apart` takes them.

    Prompts stand in the order of their ids, so that the order of records and runs changes nothing.
    """
    prompts = sorted({prompt for run in runs for prompt in run.responses})
    sign = 1.0 if metric.higher_is_better else -1.0
    values = np.full((len(prompts), len(runs)), np.nan)
    for column, run in enumerate(runs):
        means = run.means(metric)
        values[:, column] = [sign * means.get(prompt, math.nan) for prompt in prompts]
    worst, best = values.copy(), values.copy()
    for column, run in enumerate(runs):
        for row, prompt in enumerate(prompts):
            if run.lacks(metric, prompt):
                worst[row, column] = sign * run.end(metric, prompt, best=False)
                best[row, column] = sign * run.end(metric, prompt, best=True)
    return values, worst, best


def _value(response: Response, metric: Metric) -> float | None:
    if metric.parts:
        found: float | None = metric.combined([_value(response, part) for part in metric.parts])
        return found
    return response.get(metric.name)


def _worth(response: Response | None, metric: Metric, *, best: bool) -> float | None:
    """Return a response's value if what it lacks were worth an end of the range; None if it can have none.

    Args:
        response: None for one that is lost.
        metric: What is measured.
        best: Which end.
    """
    if metric.parts:
        found: float | None = metric.combined([_worth(response, part, best=best) for part in metric.parts])
        return found
    if response is not None and (metric.name in response or not metric.needs_judge or S_Q.name in response):
        return response.get(metric.name)
    if metric.range is None:
        return math.inf if best is metric.higher_is_better else -math.inf
    return metric.range[best is metric.higher_is_better]
