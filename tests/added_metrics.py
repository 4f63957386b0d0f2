"""Metrics as someone else's package would declare them."""

from __future__ import annotations

import re

from longbench_write.metrics.base import Measurable, Metric


def words_per_sentence(response: Measurable) -> float | None:
    """Words a sentence; None without a text or a sentence."""
    sentences = len(re.findall(r"[.!?。！？]", response.response or ""))
    return response.response_length / sentences if sentences else None


PACE = Metric(
    "Pace",
    "words/sentence",
    title="words a sentence",
    range=(0.0, 200.0),
    unit="words",
    higher_is_better=False,
    of=words_per_sentence,
)
"""Lower is better, within a finite range."""

SENTENCES = Metric(
    "Sentences",
    "<b>sentences</b>",
    title="sentences",
    range=None,
    unit="sentences",
    of=lambda response: float(len(re.findall(r"[.!?。！？]", response.response or ""))),
)
"""Without a finite range, under a symbol that no page may take for markup."""
