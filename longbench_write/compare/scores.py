"""The scores of one run, response by response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Key
from longbench_write.runs.folder import PREDICTIONS
from longbench_write.runs.store import load_run
from longbench_write.scoring.summary import Heading, Summary
from longbench_write.suites.suite import LENGTH_RANGES, length_range

HEADLINES = ("S_bar", "S_l", "S_q")
MEASURES = (*HEADLINES, *DIMENSIONS)


@dataclass(frozen=True)
class Response:
    """What is compared of a response.

    Attributes:
        length: Required words.
        words: Written words.
        dimensions: The six, 1 to 5, in their order; None if unjudged.
        flags: Those of `signs.FLAGS` that hold.
    """

    id: str
    sample: int
    length: int
    words: int
    S_l: float
    dimensions: tuple[float, ...] | None
    flags: frozenset[str]

    @property
    def key(self) -> Key:
        """Prompt id and sample."""
        return self.id, self.sample

    @cached_property
    def values(self) -> dict[str, float]:
        """Each measure of `MEASURES` that is known of it, 0 to 100."""
        if self.dimensions is None:
            return {"S_l": self.S_l}
        points = [(score - 1) * 25 for score in self.dimensions]
        quality = sum(points) / len(points)
        headlines = {"S_bar": (self.S_l + quality) / 2, "S_l": self.S_l, "S_q": quality}
        return headlines | dict(zip(DIMENSIONS, points, strict=True))


@dataclass(frozen=True)
class Scores:
    """A run's scores.

    Attributes:
        source: Where they were read.
        heading: What they are about; None for a bare scores.csv, which does not say.
        convention: How S̄ is formed; None likewise.
        counts: How many responses ended how; None likewise.
        responses: Every scored response; empty for a bare summary.json.
        summary: The figures of a bare summary.json, which has no responses.
    """

    source: Path
    heading: Heading | None
    convention: str | None
    counts: Mapping[str, int] | None
    responses: Mapping[Key, Response]
    summary: Summary | None = None

    @property
    def name(self) -> str:
        """The model's name, or the file's where no model is known."""
        return self.heading.model if self.heading else self.source.name

    @cached_property
    def lengths(self) -> dict[str, int]:
        """The required length of each prompt that has a scored response."""
        return {response.id: response.length for response in self.responses.values()}

    @cached_property
    def prompt_means(self) -> dict[str, dict[str, float]]:
        """Per measure, the mean over each prompt's samples, by prompt id; what has no value is absent."""
        found: dict[str, dict[str, list[float]]] = {measure: {} for measure in MEASURES}
        for response in self.responses.values():
            for measure, value in response.values.items():
                found[measure].setdefault(response.id, []).append(value)
        return {
            measure: {prompt: sum(values) / len(values) for prompt, values in prompts.items()}
            for measure, prompts in found.items()
        }

    @cached_property
    def ranges(self) -> list[str]:
        """The length ranges of its prompts, from short to long."""
        present = {length_range(length) for length in self.lengths.values()}
        if self.summary:
            present |= {row["range"] for row in self.summary.by_length}
        return [label for label in LENGTH_RANGES if label in present]

    @cached_property
    def is_judged(self) -> bool:
        """Whether any response has a judge's scores."""
        if self.summary:
            return self.summary.S_q is not None
        return any(response.dimensions for response in self.responses.values())

    @cached_property
    def lines(self) -> dict[str, int]:
        """The line of predictions.jsonl, from 1, that holds each prompt's first sample; empty without a run.

        Raises:
            RunFolderError: The records cannot be read.
        """
        if not (self.source / PREDICTIONS).is_file():
            return {}
        lines: dict[str, int] = {}
        for line, record in enumerate(load_run(self.source).predictions, start=1):
            lines.setdefault(record.id, line)
        return lines
