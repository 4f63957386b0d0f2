"""Scores as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.scoring.rows import Row
from longbench_write.scoring.table import columns

if TYPE_CHECKING:
    import pandas as pd


def scores_frame(rows: Sequence[Row], metrics: Sequence[Metric] = BUILT_IN) -> pd.DataFrame:
    """Return a frame of shape (responses, columns of scores.csv); a number that cannot be had is missing.

    Args:
        rows: The responses, scored.
        metrics: What they were measured by.
    """
    import pandas as pd

    kinds = {str: "string", int: "Int64", float: "float64", bool: "bool"}
    return pd.DataFrame(
        {
            column.name: pd.Series([column.value(row) for row in rows], dtype=kinds[column.kind])
            for column in columns(metrics)
        }
    )


def groups_frame(
    groups: Sequence[tuple[tuple[str, str], Mapping[str, Any]]], metrics: Sequence[Metric] = BUILT_IN
) -> pd.DataFrame:
    """Return a frame with a row a group of responses.

    Its index is (`by`, `group`). Its columns are the numbers of responses (`n`, `judged`), then each metric,
    with the ends of its 95% interval as `NAME_low` and `NAME_high` where it has one anywhere.

    Args:
        groups: The label of each, such as ("length", "[0,500)"), and its figures as a summary holds them.
        metrics: Those that are shown.
    """
    import pandas as pd

    frame = pd.DataFrame(
        [figures(group, metrics) for _, group in groups],
        index=pd.MultiIndex.from_tuples([label for label, _ in groups], names=["by", "group"]),
    )
    numbers = frame.drop(columns=["n", "judged"]).astype("float64")
    ends = [name for name in numbers.columns if name.endswith(("_low", "_high"))]
    return frame[["n", "judged"]].join(numbers.drop(columns=[n for n in ends if numbers[n].isna().all()]))


def figures(group: Mapping[str, Any], metrics: Sequence[Metric]) -> dict[str, float | int | None]:
    """Return a group's numbers of responses, and each metric with the ends of its interval."""
    found: dict[str, float | int | None] = {"n": group["n"], "judged": group["judged"]}
    for metric in metrics:
        low, high = interval_in(group, metric) or (None, None)
        found |= {
            metric.name: value_in(group, metric),
            f"{metric.name}_low": low,
            f"{metric.name}_high": high,
        }
    return found
