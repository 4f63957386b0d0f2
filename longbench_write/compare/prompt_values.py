"""What runs have of a metric prompt by prompt, from scores.csv, and what they lack at its worst and best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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

_ROUNDING = 1e-6
"""By how much the means of scores.csv and summary.json may differ, which are summed in other orders."""


@dataclass(frozen=True)
class PromptValues:
    """A run's values, response by response.

    Attributes:
        responses: The prompt of each, sorted; samples of one prompt stand in their order.
        columns: What each metric gave for them, by name, as many; NaN where it gave none.
        suspect: Which of them were probably spoilt on their way.
        summary: The run's figures.
    """

    responses: Sequence[str]
    columns: Mapping[str, Array]
    suspect: NDArray[np.bool_]
    summary: Summary

    @cached_property
    def prompts(self) -> list[str]:
        """The prompts that have a response, sorted."""
        return list(dict.fromkeys(self.responses))

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        """The place in `prompts` of each response's prompt."""
        place = {prompt: place for place, prompt in enumerate(self.prompts)}
        return np.array([place[prompt] for prompt in self.responses], dtype=np.intp)

    @cached_property
    def _asked(self) -> NDArray[np.intp]:
        """How many responses to each prompt were asked for."""
        return np.array([self.summary.samples_of(prompt) for prompt in self.prompts], dtype=np.intp)

    def _over_samples(self, values: Array) -> tuple[Array, Array]:
        """Return the sum of each prompt's values, and how many there are."""
        known = ~np.isnan(values)
        number = len(self.prompts)
        sums = np.bincount(self._places[known], weights=values[known], minlength=number)
        counts = np.bincount(self._places[known], minlength=number)
        return sums.astype(np.float64), counts.astype(np.float64)

    def without_suspects(self) -> PromptValues:
        """Return the run as if its suspects had been lost: what they are worth is not known."""
        kept = np.flatnonzero(~self.suspect)
        columns = {name: column[kept] for name, column in self.columns.items()}
        return PromptValues(
            [self.responses[int(place)] for place in kept], columns, self.suspect[kept], self.summary
        )

    def values(self, metric: Metric) -> Array:
        """Return a metric's mean over each prompt's samples, one a prompt of `prompts`; NaN without any."""
        sums, known = self._over_samples(_formed(metric, lambda part: self.columns[part.name]))
        with np.errstate(invalid="ignore"):
            return sums / known

    def means(self, metric: Metric) -> dict[str, float]:
        """Return the same by prompt; those without a value are absent."""
        found = zip(self.prompts, self.values(metric).tolist(), strict=True)
        return {prompt: value for prompt, value in found if not math.isnan(value)}

    def ends(self, metric: Metric, *, best: bool) -> Array:
        """Return each prompt's mean with what it lacks at an end of the metric's range.

        A response that is lost lacks every value; one that nobody judged, those that need a judge. Any other
        without a value cannot have one.
        """
        judged = ~np.isnan(self.columns[S_Q.name])

        def filled(part: Metric) -> Array:
            column = self.columns[part.name]
            unjudged = np.isnan(column) & ~judged if part.needs_judge else np.zeros_like(judged)
            return np.where(unjudged, _end(part, best=best), column)

        sums, known = self._over_samples(_formed(metric, filled))
        lost = np.maximum(self._asked - np.bincount(self._places, minlength=len(self.prompts)), 0)
        worth = np.zeros(len(lost))
        worth[lost > 0] = lost[lost > 0] * end_of(metric, best=best)  # without a range, an infinite end
        with np.errstate(invalid="ignore"):
            return np.where(known > 0, (sums + worth) / (known + lost), np.nan)


def read_prompt_values(entry: Entry, metric: Metric) -> PromptValues:
    """Read what a run has of the headlines and of a metric.

    Raises:
        RunFolderError: Its scores.csv cannot be read, or is not of the same records as its summary.json.
    """
    path, summary = entry.path / SCORES, entry.summary
    wanted = tuple(dict.fromkeys(part for each in (*HEADLINES, metric) for part in each.parts or (each,)))
    keys, values, suspect = read_values(path, wanted)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    columns = {part.name: values[order, place] for place, part in enumerate(wanted)}
    run = PromptValues([keys[place][0] for place in order], columns, suspect[order], summary)
    if len(keys) != summary.counts["generated"] or not all(
        _is_mean(run.values(part), value_in(summary.overall, part)) for part in metric.parts or (metric,)
    ):
        raise RunFolderError(
            f"{path} and {SUMMARY} are not of the same responses: "
            f"make both anew with `lbw-eval score {entry.path}`"
        )
    return run


def _is_mean(values: Array, told: float | None) -> bool:
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if known.size else 0.0
    return math.isclose(mean, told or 0.0, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


def as_arrays(runs: Sequence[PromptValues], metric: Metric) -> tuple[Array, Array, Array]:
    """Return the values of runs, and the worst and best that they can be, as `rank_sets.apart` takes them.

    Prompts stand in the order of their ids, so that the order of records and runs changes nothing.
    """
    prompts = sorted({prompt for run in runs for prompt in run.prompts})
    row = {prompt: place for place, prompt in enumerate(prompts)}
    shape = len(prompts), len(runs)
    values = np.full(shape, np.nan)
    worst, best = (np.full(shape, end_of(metric, best=best)) for best in (False, True))
    for column, run in enumerate(runs):
        rows = [row[prompt] for prompt in run.prompts]
        values[rows, column] = run.values(metric)
        worst[rows, column] = run.ends(metric, best=False)
        best[rows, column] = run.ends(metric, best=True)
    sign = 1.0 if metric.higher_is_better else -1.0
    return sign * values, sign * worst, sign * best


def end_of(metric: Metric, *, best: bool) -> float:
    """Return the worst or the best that a metric can be, in its unit; infinite without a finite range."""
    if metric.combine is not None:
        return float(metric.combine(*(_end(part, best=best) for part in metric.parts)))
    return _end(metric, best=best)


def _end(metric: Metric, *, best: bool) -> float:
    if metric.range is None:
        return math.inf if best is metric.higher_is_better else -math.inf
    return metric.range[best is metric.higher_is_better]


def _formed(metric: Metric, column: Callable[[Metric], Array]) -> Array:
    """Return a metric's values from its columns, or those of its parts."""
    if metric.combine is None:
        return column(metric)
    formed: Array = metric.combine(*map(column, metric.parts))
    return formed
