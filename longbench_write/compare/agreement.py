"""How far judges agree: with each other, with people, and with themselves.

A judge's score for a response is the median of its valid repeats, the lower one of two in the middle: one of
the integers 1 to 5.
"""

from __future__ import annotations

import csv
import io
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from longbench_write.errors import UsageError, shorten
from longbench_write.files.reading import read_text
from longbench_write.files.schema import MOST
from longbench_write.metrics.quality import DIMENSIONS, SIX
from longbench_write.records import Judgement, Key
from longbench_write.stats import bootstrap_means, interval

OVERALL = "overall"
"""The row over all six dimensions."""

RaterScores = dict[Key, tuple[int, ...]]
"""Six integers, in the order of `DIMENSIONS`, per response."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two raters agree on one dimension; None where a figure is not defined.

    Overall, `exact` to `alpha` are over the pairs of scores of all dimensions, `spearman` and `offset` over
    the responses' means of six.

    Attributes:
        dimension: One of `DIMENSIONS`, or `OVERALL`.
        n: Responses that both scored.
        exact: Share of equal scores, 0 to 1.
        within_one: Share of scores at most one apart, 0 to 1.
        kappa: Cohen's kappa with quadratic weights (Cohen 1968).
        alpha: Krippendorff's alpha, ordinal.
        spearman: Rank correlation.
        offset: Mean of the second rater's score less the first's, in points of 1 to 5.
        offset_ci: Its 95% bootstrap interval over prompts.
    """

    dimension: str
    n: int
    exact: float
    within_one: float
    kappa: float | None
    alpha: float | None
    spearman: float | None
    offset: float
    offset_ci: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """How far one judge agrees with itself over repeats, over all dimensions.

    Attributes:
        judge: Its label.
        n: Responses with at least two valid repeats.
        exact: Share of equal scores among all pairs of repeats, 0 to 1.
        within_one: Share at most one apart.
        alpha: Krippendorff's alpha over the repeats, ordinal.
        deviation: Root of the mean variance within a response, in points of 1 to 5.
    """

    judge: str
    n: int
    exact: float
    within_one: float
    alpha: float | None
    deviation: float


def repeats_by_judge(judgements: Iterable[Judgement]) -> dict[str, dict[Key, list[tuple[int, ...]]]]:
    """Return each judge's valid scores per response, by the order of the records."""
    found: dict[str, dict[Key, list[tuple[int, ...]]]] = defaultdict(lambda: defaultdict(list))
    for judgement in judgements:
        if judgement.scores is not None:
            scores = tuple(judgement.scores[name] for name in DIMENSIONS)
            found[judgement.judge][judgement.key].append(scores)
    return {judge: dict(scores) for judge, scores in found.items()}


def medians(repeats: Mapping[Key, Sequence[Sequence[int]]]) -> RaterScores:
    """Return one score a response: the median of its repeats per dimension, of two the lower."""
    return {
        key: tuple(statistics.median_low(values) for values in zip(*found, strict=True))
        for key, found in repeats.items()
    }


def agree(first: RaterScores, second: RaterScores) -> list[Agreement]:
    """Compare two raters on the responses that both scored: a row a dimension, the overall one at last.

    Raises:
        UsageError: They have no response in common.
    """
    keys = sorted(first.keys() & second.keys())
    if not keys:
        raise UsageError("the two have scored no response in common")
    one = np.array([first[key] for key in keys])
    two = np.array([second[key] for key in keys])
    prompts = [key[0] for key in keys]
    rows = [
        _agreement(name, prompts, one[:, column], two[:, column]) for column, name in enumerate(DIMENSIONS)
    ]
    return [*rows, _agreement(OVERALL, prompts, one, two)]


def _agreement(
    dimension: str, prompts: Sequence[str], one: NDArray[np.int64], two: NDArray[np.int64]
) -> Agreement:
    """Measure agreement in scores of shape (responses,), or (responses, dimensions) for the overall row."""
    means = [scores.reshape(len(prompts), -1).mean(axis=1) for scores in (one, two)]
    a, b = one.ravel(), two.ravel()
    distance = np.abs(a - b)
    return Agreement(
        dimension=dimension,
        n=len(prompts),
        exact=float(np.mean(distance == 0)),
        within_one=float(np.mean(distance <= 1)),
        kappa=weighted_kappa(a, b),
        alpha=ordinal_alpha(np.stack([a, b])),
        spearman=_spearman(*means),
        offset=float(np.mean(means[1] - means[0])),
        offset_ci=_offset_interval(prompts, means[1] - means[0]),
    )


def weighted_kappa(one: NDArray[np.int64], two: NDArray[np.int64]) -> float | None:
    """Return Cohen's kappa with quadratic weights of two raters' scores, each of shape (n,).

    1 less the mean squared difference, over that which the two raters' marginals would give by chance; None
    where chance alone leaves no difference.
    """
    observed = np.mean((one - two) ** 2)
    expected = np.mean(one**2) + np.mean(two**2) - 2 * np.mean(one) * np.mean(two)
    return None if expected == 0 else float(1 - observed / expected)


def ordinal_alpha(scores: NDArray[np.int64] | NDArray[np.float64]) -> float | None:
    """Return Krippendorff's alpha of scores of shape (raters, items), NaN for none; None if all are alike."""
    import krippendorff

    if len(np.unique(scores[~np.isnan(scores)])) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=scores, level_of_measurement="ordinal"))


def _spearman(one: NDArray[np.float64], two: NDArray[np.float64]) -> float | None:
    import pandas as pd

    value = pd.DataFrame({"one": one, "two": two}).corr(method="spearman").to_numpy()[0, 1]
    return None if np.isnan(value) else float(value)


def _offset_interval(prompts: Sequence[str], differences: NDArray[np.float64]) -> tuple[float, float] | None:
    by_prompt: dict[str, list[float]] = defaultdict(list)
    for prompt, difference in zip(prompts, differences, strict=True):
        by_prompt[prompt].append(float(difference))
    if len(by_prompt) < 2:
        return None
    column = np.array([[statistics.fmean(values)] for values in by_prompt.values()])
    return interval(bootstrap_means(column)[:, 0])


def consistency(judge: str, repeats: Mapping[Key, Sequence[Sequence[int]]]) -> Consistency | None:
    """Return how far a judge agrees with itself; None where no response has two valid repeats."""
    several = {key: np.array(found) for key, found in repeats.items() if len(found) > 1}
    if not several:
        return None
    distances = np.concatenate(
        [np.abs(a - b) for found in several.values() for a, b in itertools.combinations(found, 2)]
    )
    most = max(len(found) for found in several.values())
    items = [
        np.pad(found.astype(float), ((0, most - len(found)), (0, 0)), constant_values=np.nan)
        for found in several.values()
    ]
    variances = np.concatenate([found.var(axis=0, ddof=1) for found in several.values()])
    return Consistency(
        judge=judge,
        n=len(several),
        exact=float(np.mean(distances == 0)),
        within_one=float(np.mean(distances <= 1)),
        alpha=ordinal_alpha(np.concatenate(items, axis=1)),
        deviation=float(np.sqrt(variances.mean())),
    )


def read_human_scores(path: Path) -> RaterScores:
    """Read people's scores: a CSV with the columns id, sample and the six dimensions.

    Several lines about a response are several people, of whom the median counts.

    Raises:
        UsageError: It cannot be read, lacks a column, or has a score that is no integer from 1 to 5.
    """
    found: dict[Key, list[tuple[int, ...]]] = defaultdict(list)
    try:
        with io.StringIO(read_text(path, encoding="utf-8-sig"), newline="") as file:
            table = csv.DictReader(file)
            columns = table.fieldnames or ()
            if lacking := [name for name in ("id", "sample", *DIMENSIONS) if name not in columns]:
                raise UsageError(f"{path} has no column named {', '.join(lacking)}")
            for line in table:
                try:
                    key = (line["id"], _integer(line, "sample", 0, MOST))
                    scores = [_integer(line, name, SIX.low, SIX.high) for name in DIMENSIONS]
                except ValueError as error:
                    raise UsageError(f"{path}, line {table.line_num}: {error}") from None
                found[key].append(tuple(scores))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    return medians(found)


def _integer(line: Mapping[str, str | None], name: str, low: int, high: int) -> int:
    """Return a column's integer.

    Raises:
        ValueError: It is none, or out of range; the column is named.
    """
    text = line[name]
    try:
        number = int(text or "")
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ValueError(f"{name}: {shorten(repr(text), 40)} is no integer from {low} to {high}")
    return number
