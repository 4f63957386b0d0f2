"""Models that obey the form of prompts alone: no gap between prompts and their mirrors is theirs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gate_samples import responded

from longbench_write.metrics.length import S_L_RULE, length_score, rule_length_score
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.scoring.diagnostics import Repetition
from longbench_write.scoring.rows import Row
from longbench_write.suites.suite import Prompt

RATIOS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
"""What they write of what is asked."""
ASKED = {"about": 1.0, "at_least": 1.15, "at_most": 0.85}
"""What a model aims at that reads the rule, in terms of the length that is stated; the middle of a range."""


def row(
    name: str,
    score: float,
    *,
    kind: str = "News Report",
    language: str = "en",
    length: int = 300,
    quality: float | None = None,
    sample: int = 0,
) -> Row:
    """Return a response with this S_l, and with one score in all dimensions."""
    scores = None if quality is None else dict.fromkeys(DIMENSIONS, quality)
    return Row(
        id=name,
        sample=sample,
        type=kind,
        language=language,
        length=length,
        response_length=length,
        response_length_unicode=length,
        values=responded(name, sample, length, score, scores).values,
        scores=scores,
        failed=False,
        flags=frozenset(),
        repetition=Repetition(0.0, None, None),
        reasoning_words=0,
    )


def obedient(
    prompts: Sequence[Prompt], ratio: float, spread: float, rng: random.Random, *, mirror: bool
) -> Iterator[Row]:
    """Rows of a model that writes so much of what is asked, with log-normal noise, whatever it is about."""
    for prompt in prompts:
        low, high = prompt.length_bounds or (prompt.length, prompt.length)
        aim = (low + high) / 2 * ASKED.get(prompt.length_rule, 1.0)
        words = max(1, round(aim * ratio * rng.lognormvariate(0, spread)))
        made = row(prompt.mirrors if mirror else prompt.id, length_score(prompt.length, words))
        by_rule = rule_length_score(prompt.length_rule, prompt.length, words, prompt.length_bounds)
        values = {**made.values, S_L_RULE.name: by_rule}
        yield replace(made, length=prompt.length, type=prompt.type, language=prompt.language, values=values)
