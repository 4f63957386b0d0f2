"""The 95% intervals of a group of responses, over prompts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longbench_write.metrics.base import Metric, MetricRow, per_prompt
from longbench_write.metrics.catalogue import has_own_keys
from longbench_write.scoring.bounded_mean import SMALLEST, ends_of, weighted_means
from longbench_write.stats import bootstrap_means, t_half_width, widened_interval

CI_METHOD = (
    "Gaffke's for bounded means, 10,000 draws over prompts, within length ranges where each has 8 or more; "
    "the value that was not seen weighs 25/n beyond 25 prompts"
)
"""How the intervals of a summary are made, where the suite's prompts are independent."""

CLUSTERED_METHOD = (
    "t over the means of clusters of prompts on one topic, "
    "widened to what Gaffke's for bounded means gives over prompts"
)
"""How they are made where they are not."""

Stratum = Callable[[Any], Any]


def intervals(
    rows: Sequence[MetricRow],
    metrics: Sequence[Metric],
    *,
    stratum: Stratum,
    cluster: Stratum | None = None,
) -> dict[str, list[float] | None]:
    """Return 95% intervals of means over prompts; None where a metric has fewer than two of them.

    An added metric with an aggregate of its own has none: it is no mean over prompts.

    Args:
        rows: The responses.
        metrics: Whose means.
        stratum: The name of a response's length range; the suite fixes how many prompts lie in each.
        cluster: The name of the cluster that a response's prompt belongs to where prompts are not
            independent; None where they are.
    """
    shown = [metric for metric in metrics if metric.aggregate is None or has_own_keys(metric.name)]
    table = _Table(rows, shown, stratum)
    found: dict[str, list[float] | None] = dict.fromkeys(metric.name for metric in metrics)
    for metric in shown:
        if not table.has_enough(metric):
            continue
        ends = [table.bounded(metric) if _has_range(metric) else table.unbounded(metric)]
        if cluster is not None:
            # Of a few clusters whose means all lie at one end of the scale, t alone would be too sure.
            of_clusters = _over_clusters(rows, metric, cluster)
            ends = [*ends, of_clusters] if of_clusters else []
        if ends:
            found[metric.name] = [min(low for low, _ in ends), max(high for _, high in ends)]
    return found


def shared_intervals(
    rows: Sequence[MetricRow], metrics: Sequence[Metric], *, stratum: Stratum, shares: Mapping[Any, float]
) -> dict[str, list[float] | None]:
    """Return 95% intervals of means in which each stratum counts a given share, whatever its prompts.

    Args:
        rows: The responses; each stratum has a value of each metric.
        metrics: Whose means; all have a range.
        stratum: The name of a response's stratum.
        shares: By stratum, adding up to 1.
    """
    table = _Table(rows, metrics, stratum, shares)
    return {
        metric.name: list(table.bounded(metric)) if table.has_enough(metric) else None for metric in metrics
    }


class _Table:
    """One value a prompt and metric, with the draws that are made once for all of a group's metrics."""

    def __init__(
        self,
        rows: Sequence[MetricRow],
        metrics: Iterable[Metric],
        stratum: Stratum,
        shares: Mapping[Any, float] | None = None,
    ) -> None:
        self._plain = list(dict.fromkeys(part for metric in metrics for part in metric.parts or (metric,)))
        self._values = {metric: per_prompt(rows, _value_of(metric)) for metric in self._plain}
        self._strata_of = {row.id: stratum(row) for row in rows}
        self._shares = shares
        self._bounded: dict[Metric, tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None
        self._unbounded: dict[Metric, NDArray[np.float64]] | None = None

    def has_enough(self, metric: Metric) -> bool:
        """Return whether two prompts or more have a value of it."""
        return all(len(self._values[part]) >= 2 for part in metric.parts or (metric,))

    def bounded(self, metric: Metric) -> tuple[float, float]:
        """Return the interval of a metric that has a range."""
        if self._bounded is None:
            self._bounded = self._weighted()
        of_parts = [self._bounded[part] for part in metric.parts or (metric,)]
        both = of_parts[0]
        if metric.combine is not None:
            both = (
                metric.combine(*(low for low, _ in of_parts)),
                metric.combine(*(high for _, high in of_parts)),
            )
        ends = ends_of(*both)
        if metric.combine is not None:
            # What falls where a part of it rises has its low end where that part has its high one.
            others = ends_of(*both[::-1])
            ends = min(ends[0], others[0]), max(ends[1], others[1])
        return _around(self._centre(metric), metric, *ends)

    def unbounded(self, metric: Metric) -> tuple[float, float]:
        """Return the interval of a metric that has no range."""
        if self._unbounded is None:
            self._unbounded = dict(
                zip(self._plain, bootstrap_means(self._columns(self._plain)).T, strict=True)
            )
        parts = metric.parts or (metric,)
        of_parts = [self._unbounded[part] for part in parts]
        draws = metric.combine(*of_parts) if metric.combine else of_parts[0]
        number = min(len(self._values[part]) for part in parts)
        return widened_interval(draws[~np.isnan(draws)], self._centre(metric), number)

    def _centre(self, metric: Metric) -> float:
        """Return the mean of a metric that has enough values."""
        means = [
            math.fsum(self._values[part].values()) / len(self._values[part])
            for part in metric.parts or (metric,)
        ]
        return float(metric.combine(*means)) if metric.combine else means[0]

    def _columns(self, metrics: Sequence[Metric]) -> NDArray[np.float64]:
        """Return a row a prompt, in the order of their names, so that no order of the records shows."""
        return np.array(
            [
                [self._values[each].get(prompt, np.nan) for each in metrics]
                for prompt in sorted(self._strata_of)
            ]
        )

    def _weighted(self) -> dict[Metric, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        metrics = [metric for metric in self._plain if metric.range is not None and self.has_enough(metric)]
        names = [self._strata_of[prompt] for prompt in sorted(self._strata_of)]
        places = {name: place for place, name in enumerate(sorted(set(names), key=str))}
        strata = np.array([places[name] for name in names])
        shares = None if self._shares is None else [self._shares[name] for name in places]
        if shares is None and min(np.bincount(strata)) < SMALLEST:
            strata = np.zeros_like(strata)
        columns = self._columns(metrics)
        ends = np.array([metric.range for metric in metrics], dtype=np.float64)
        # A metric of another package may leave the range that it declares.
        ends = np.stack(
            [
                np.fmin(ends[:, 0], np.nanmin(columns, axis=0)),
                np.fmax(ends[:, 1], np.nanmax(columns, axis=0)),
            ],
            axis=1,
        )
        low, high = weighted_means(columns, ends, strata, shares)
        return dict(zip(metrics, zip(low.T, high.T, strict=True), strict=True))


def _has_range(metric: Metric) -> bool:
    return all(part.range is not None for part in metric.parts or (metric,))


def _over_clusters(rows: Sequence[MetricRow], metric: Metric, cluster: Stratum) -> tuple[float, float] | None:
    """Return the t interval over the means of clusters; None where there is one cluster alone."""
    clusters: dict[str, list[MetricRow]] = {}
    for row in rows:
        clusters.setdefault(str(cluster(row)), []).append(row)
    means = [mean for name in sorted(clusters) if (mean := metric.over(clusters[name])) is not None]
    centre = metric.over(rows)
    if len(means) < 2 or centre is None:
        return None
    half = t_half_width(means)
    return _around(centre, metric, centre - half, centre + half)


def _around(centre: float, metric: Metric, low: float, high: float) -> tuple[float, float]:
    """Return an interval cut off at the ends of the metric's range, beyond which sums may be rounded, too.

    It holds the mean, `centre`, wherever that lies.
    """
    least, most = metric.range or (-math.inf, math.inf)
    return min(centre, max(least, low)), max(centre, min(most, high))


def _value_of(metric: Metric) -> Callable[[Any], float | None]:
    return lambda row: row.values.get(metric.name)
