"""What of a block is drawn, in which order, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from matplotlib.axes import Axes

from longbench_write.compare.collection import Block, Entry
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR
from longbench_write.scoring.figures import value_in

MOST = 48
"""Runs that one figure shows at most."""


def legible(block: Block) -> Block:
    """Return the block's runs that have responses, best first, and no more than can be told apart.

    Best is the highest S̄, or where nobody judged the highest S_l.
    """
    written = [entry for entry in block.entries if has_responses(entry)]
    best = sorted(written, key=_rank)[:MOST]
    more = f" · the best {MOST} of {len(written)} runs" if len(written) > MOST else ""
    return replace(block, title=block.title + more, entries=best)


def has_responses(entry: Entry) -> bool:
    """Return whether there is anything of a run to draw."""
    return entry.summary.counts["generated"] > 0


def _rank(entry: Entry) -> tuple[bool, float]:
    """Return the key by which runs are sorted; those without a score come last."""
    summary = entry.summary
    value = value_in(summary.overall, S_BAR if summary.judge else S_L)
    return value is None, -(value or 0.0)


def note(block: Block, *lines: str) -> str:
    """Return how to read a figure, and what must be known of the judge."""
    judge = block.entries[0].summary
    return "\n".join([*lines, *([f"Judge {judge.judge}: {judge.judge_note}"] if judge.judge_note else [])])


def across(count: int) -> int:
    """Return how many panels stand side by side."""
    if count < 4:
        return count
    return 4 if count > 12 else min((4, 3), key=lambda columns: -count % columns)


def panels_wide(count: int) -> float:
    """Return the inches that so many panels take together."""
    return {1: 6.0, 2: 8.0, 3: 9.6}.get(across(count), 10.8)


def counted(numbers: Iterable[int]) -> str:
    """Format sample counts, one or a range."""
    low, high = min(found := list(numbers), default=0), max(found, default=0)
    return f"n = {low}" if low == high else f"n = {low} to {high}"


def judged_counts(block: Block) -> str:
    """Return how many responses stand behind each model's S_q."""
    numbers = [entry.summary.counts["judged"] for entry in block.entries]
    return f"{counted(number for number in numbers if number)} judged responses per model"


def unjudged(block: Block) -> str | None:
    """Return why there is no S_q to draw; None where there is."""
    if any(entry.summary.S_q is not None for entry in block.entries):
        return None
    return "no response has a valid judgement" if block.entries[0].summary.judge else "nobody judged"


def unmeasured(block: Block) -> str | None:
    """Return why there is no length to draw; None where there is."""
    if any(entry.summary.S_l is not None for entry in block.entries):
        return None
    return "no prompt asks for a length"


def label_edges(panels: Sequence[Axes], beside: int, *, x: str = "", y: str = "") -> None:
    """Name the axes at the left and at the bottom of a grid, not in every panel."""
    for place, axes in enumerate(panels):
        if place + beside >= len(panels):
            axes.set_xlabel(x)
            axes.tick_params(labelbottom=True)
        if place % beside == 0:
            axes.set_ylabel(y)
