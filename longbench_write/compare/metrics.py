"""What two runs are compared in: S̄, S_l, S_q, the same within a length range, and each dimension."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from longbench_write.compare.scores import HEADLINES, Response, Scores
from longbench_write.errors import unknown_name
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.suites.suite import LENGTH_RANGES, length_range


@dataclass(frozen=True, order=True)
class Metric:
    """A number that every response has, or may have, 0 to 100.

    Attributes:
        measure: S_bar, S_l, S_q, or one of the six dimensions.
        range: The length range that it is about; None for all.
    """

    measure: str
    range: str | None = None

    def __str__(self) -> str:
        return self.measure + (self.range or "")

    @property
    def needs_judge(self) -> bool:
        """Whether it is known of judged responses alone."""
        return self.measure != "S_l"

    def value(self, response: Response) -> float | None:
        """Its value for a response; None without a judgement, or where the response is out of its range."""
        if self.range and length_range(response.length) != self.range:
            return None
        return response.values.get(self.measure)

    def per_prompt(self, scores: Scores) -> dict[str, float]:
        """The mean over each prompt's samples, by prompt id, of the prompts that have a value."""
        means = scores.prompt_means[self.measure]
        if self.range is None:
            return means
        return {
            prompt: mean
            for prompt, mean in means.items()
            if length_range(scores.lengths[prompt]) == self.range
        }


def all_metrics(ranges: Iterable[str]) -> list[Metric]:
    """The headlines over all, within each of these length ranges, and the dimensions."""
    return [
        *(Metric(name) for name in HEADLINES),
        *(Metric(name, label) for name in HEADLINES for label in ranges),
        *(Metric(name) for name in DIMENSIONS),
    ]


def parse_metric(name: str) -> Metric:
    """A metric by its name, such as S_l, S_q[2000,4000) or Clarity.

    Raises:
        UsageError: There is no such metric; the nearest is named.
    """
    known = {str(metric): metric for metric in all_metrics(LENGTH_RANGES)}
    plain = re.sub(r"\s*([\[,>])\s*", r"\1", name.strip())
    if plain not in known:
        raise unknown_name("metric", name, known)
    return known[plain]
