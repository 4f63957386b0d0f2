"""A metric: words a sentence, where lower is better."""

import re

from longbench_write.metrics.base import Metric


def words_per_sentence(response):
    sentences = len(re.findall(r"[.!?]", response.response or "")) or 1
    return response.response_length / sentences


PACE = Metric(
    "Pace",
    "words/sentence",
    range=(0.0, 200.0),
    unit="words",
    higher_is_better=False,
    of=words_per_sentence,
)
