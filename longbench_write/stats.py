"""Resampling statistics over prompts; every function takes its seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
"""Bootstrap resamples behind every 95% interval."""

_CHUNK = 4_000_000


def bootstrap_means(
    columns: NDArray[np.float64], *, seed: int = 0, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Resample the prompts with replacement and take each column's mean, NaN left out.

    The columns are resampled together, so that combinations of their means can be formed afterwards.

    Args:
        columns: Shape (prompts, columns); NaN where a prompt has no value.
        seed: Of the generator.
        resamples: Number of resamples.

    Returns:
        Shape (resamples, columns); NaN where a resample drew no value of a column.
    """
    rng = np.random.default_rng(seed)
    prompts = columns.shape[0]
    present = ~np.isnan(columns)
    values = np.where(present, columns, 0.0)
    weights = present.astype(np.float64)
    equal = np.full(prompts, 1.0 / prompts)
    step = max(1, _CHUNK // prompts)
    parts = []
    for start in range(0, resamples, step):
        drawn = rng.multinomial(prompts, equal, size=min(step, resamples - start)).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append((drawn @ values) / (drawn @ weights))
    return np.concatenate(parts)


def interval(means: NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float] | None:
    """The percentile interval of resampled means (shape (resamples,)); None without any."""
    kept = means[~np.isnan(means)]
    if not kept.size:
        return None
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
