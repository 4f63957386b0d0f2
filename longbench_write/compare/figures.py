"""Numbers as they are written in tables and sentences."""

from __future__ import annotations

import math

from longbench_write.compare.paired import Interval


def number(value: float | None) -> str:
    """Format a score."""
    return "-" if value is None else f"{value:.1f}"


def signed(value: float | None) -> str:
    """Format a difference."""
    return "-" if value is None else f"{value:+.1f}".replace("-", "−")


def span(interval: Interval | None) -> str:
    """Format the interval of a difference."""
    return "-" if interval is None else f"{signed(interval[0])} to {signed(interval[1])}"


def p_value(p: float | None) -> str:
    """Format a p-value, never rounded to 0."""
    if p is None:
        return "-"
    return f"{p:.3f}" if p >= 0.001 else f"{math.ceil(p * 10_000) / 10_000:.4f}"
