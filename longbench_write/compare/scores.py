"""The scores of one run, response by response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from longbench_write.backends.hashes import canonical_sha256
from longbench_write.compare.origin import Origin
from longbench_write.metrics.base import Metric, complete, measure
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.metrics.quality import S_Q, SIX
from longbench_write.records import Key, Prediction, Usage
from longbench_write.runs.folder import PREDICTIONS
from longbench_write.runs.store import Run, load_run
from longbench_write.scoring.figures import value_in
from longbench_write.scoring.rows import Measured
from longbench_write.scoring.summary import RunInfo, Summary
from longbench_write.suites.suite import LENGTH_RANGES, length_range


@dataclass(frozen=True)
class Response:
    """What is compared of a response.

    Attributes:
        length: Required words; None where the prompt asks for no length.
        words: Written words.
        values: What each metric gave for it, by name; one without a value is absent.
        scores: The judge's score by criterion, on the rubric's scale; None if unjudged.
        flags: Those of `flags.FLAGS` that hold.
        cut_by: Who cut it off, as `Row.cut_by` has it.
        suspect: Why the server is thought to have spoilt it on its way, a reason each; none where it is not.
    """

    id: str
    sample: int
    length: int | None
    words: int
    values: Mapping[str, float]
    scores: Mapping[str, float] | None
    flags: frozenset[str]
    cut_by: str | None = None
    suspect: frozenset[str] = frozenset()

    @property
    def key(self) -> Key:
        """Prompt id and sample."""
        return self.id, self.sample

    def judged_by(self, scores: Mapping[str, float], metrics: Sequence[Metric]) -> Response:
        """Return the response as if the six dimensions had these scores; its text is not at hand.

        Args:
            scores: By dimension, 1 to 5.
            metrics: Those whose values it has; what rests on the judge is measured anew.
        """
        measured = Measured(
            id=self.id,
            response=None,
            language="",
            length=self.length,
            length_rule=None,
            length_bounds=None,
            response_length=self.words,
            response_length_unicode=self.words,
            rubric=SIX,
            scores=scores,
        )
        judging = [metric for metric in metrics if metric.needs_judge]
        kept = {metric.name: self.values.get(metric.name) for metric in metrics if not metric.needs_judge}
        values = complete({**kept, **measure(measured, judging)}, metrics)
        return replace(self, values=values, scores=scores)


class _Asked(NamedTuple):
    """What a record of predictions.jsonl says of its prompt.

    Attributes:
        tokens: As the server counted them, where no cache held a part of the prompt; None where it did not.
    """

    id: str
    sha256: str | None
    tokens: int | None


@dataclass(frozen=True)
class RunScores:
    """A run's scores.

    Attributes:
        source: Where they were read.
        info: What they are about; None for a bare scores.csv, which does not say.
        convention: How S̄ is formed; None likewise.
        counts: How many responses ended how; None likewise.
        responses: Every scored response; empty for a bare summary.json.
        summary: The figures of a bare summary.json, which has no responses.
        metrics: What it was measured by besides the built-in metrics.
        kept_hashes: The `prompt_hashes` that a baseline has kept; None for what is read where it lies.
        kept_tokens: Its `prompt_tokens`, likewise.
        kept_made: Its `made`, likewise.
        kept_contents: Its `prompt_contents`, likewise.
        kept_asked: What stands for `asked` where only some prompts are looked at; None for all.
        ceilings: How many tokens its servers let through, as summary.json has them; None where that is not
            known, as of a version that did not look.
        serving: Who answered, as summary.json has it; None likewise.
        origin: Where they come from, of a baseline file; None for what is read where it lies.
        run_samples: How many samples each of several pooled runs has, in the order of their numbers; empty
            for one run.
        members: The pooled runs themselves; none of one run, or of a baseline file.
    """

    source: Path
    info: RunInfo | None
    convention: str | None
    counts: Mapping[str, int] | None
    responses: Mapping[Key, Response]
    summary: Summary | None = None
    metrics: tuple[Metric, ...] = ()
    kept_hashes: Mapping[str, str] | None = None
    kept_tokens: Mapping[str, int] | None = None
    kept_made: Mapping[Key, str] | None = None
    kept_contents: Mapping[str, str] | None = None
    kept_asked: Mapping[str, int] | None = None
    ceilings: Sequence[Mapping[str, Any]] | None = None
    serving: Mapping[str, Any] | None = None
    origin: Origin | None = None
    run_samples: tuple[int, ...] = ()
    members: tuple[RunScores, ...] = ()

    @property
    def runs(self) -> int:
        """How many runs they are of."""
        return len(self.run_samples) or 1

    @property
    def name(self) -> str:
        """The model's name, or the file's where no model is known."""
        return self.info.model if self.info else self.source.name

    @cached_property
    def lengths(self) -> dict[str, int | None]:
        """The required length of each prompt that has a scored response; None where it asks for none."""
        return {response.id: response.length for response in self.responses.values()}

    @cached_property
    def prompt_means(self) -> dict[str, dict[str, float]]:
        """Per metric, the mean over each prompt's samples, by prompt id; what has no value is absent."""
        found: dict[str, dict[str, list[float]]] = {}
        for response in self.responses.values():
            for name, value in response.values.items():
                found.setdefault(name, {}).setdefault(response.id, []).append(value)
        return {
            name: {prompt: sum(values) / len(values) for prompt, values in prompts.items()}
            for name, prompts in found.items()
        }

    @cached_property
    def known(self) -> frozenset[str]:
        """The names of the metrics that it has a value of."""
        if self.summary is None:
            return frozenset(self.prompt_means)
        overall = self.summary.overall
        metrics = (*BUILT_IN, *self.metrics)
        return frozenset(metric.name for metric in metrics if value_in(overall, metric) is not None)

    @cached_property
    def ranges(self) -> list[str]:
        """The length ranges of its prompts, from short to long."""
        present = {length_range(length) for length in self.lengths.values() if length is not None}
        if self.summary:
            present |= {row["range"] for row in self.summary.by_length}
        return [label for label in LENGTH_RANGES if label in present]

    @cached_property
    def is_judged(self) -> bool:
        """Whether any response has a judge's scores."""
        return S_Q.name in self.known

    @cached_property
    def lines(self) -> dict[str, int]:
        """The line of predictions.jsonl, from 1, that holds each prompt's first sample; empty without a run.

        Raises:
            RunFolderError: The records cannot be read.
        """
        lines: dict[str, int] = {}
        for line, asked in enumerate(self._asked, start=1):
            lines.setdefault(asked.id, line)
        return lines

    @cached_property
    def prompt_hashes(self) -> Mapping[str, str]:
        """The hash of what was asked, by prompt id (see `Prediction.prompt_sha256`), where that is known.

        Raises:
            RunFolderError: The records cannot be read.
        """
        if self.kept_hashes is not None:
            return self.kept_hashes
        return {asked.id: asked.sha256 for asked in reversed(self._asked) if asked.sha256 is not None}

    @cached_property
    def prompt_tokens(self) -> Mapping[str, int]:
        """The tokens of each prompt as the server counted them, the most of its samples, where it did.

        Raises:
            RunFolderError: The records cannot be read.
        """
        if self.kept_tokens is not None:
            return self.kept_tokens
        found: dict[str, int] = {}
        for asked in self._asked:
            if asked.tokens:
                found[asked.id] = max(asked.tokens, found.get(asked.id, 0))
        return found

    @cached_property
    def prompt_contents(self) -> Mapping[str, str]:
        """A hash of each prompt as it was read, by id: its text, and what length and language it asks for.

        Raises:
            RunFolderError: The records cannot be read.
        """
        if self.kept_contents is not None:
            return self.kept_contents
        return {record.id: _content(record) for record in (self._run.predictions if self._run else ())}

    @cached_property
    def made(self) -> Mapping[Key, str]:
        """When each response was made, where that is known.

        Raises:
            RunFolderError: The records cannot be read.
        """
        if self.kept_made is not None:
            return self.kept_made
        records = self._run.predictions if self._run else ()
        return {record.key: record.made for record in records if record.made and record.key in self.responses}

    @cached_property
    def asked(self) -> Mapping[str, int] | None:
        """How many responses to each prompt were asked for, by prompt id; None where that is not known.

        Raises:
            RunFolderError: The records cannot be read.
        """
        if self.kept_asked is not None:
            return self.kept_asked
        return (self._run.manifest.get("asked") or None) if self._run else None

    @property
    def recorded(self) -> set[str]:
        """The prompts that were tried, whatever came of it; without a run, those that have a response.

        Raises:
            RunFolderError: The records cannot be read.
        """
        return {asked.id for asked in self._asked} | self.lengths.keys()

    @cached_property
    def _asked(self) -> list[_Asked]:
        """What each record of predictions.jsonl says of its prompt; nothing without a run."""
        records = self._run.predictions if self._run else ()
        return [_Asked(record.id, record.prompt_sha256, _tokens_asked(record)) for record in records]

    @cached_property
    def _run(self) -> Run | None:
        return load_run(self.source) if (self.source / PREDICTIONS).is_file() else None


def _content(record: Prediction) -> str:
    """Return the first 16 digits of the sha256 of all of a prompt that its scores depend on."""
    asked = (
        record.prompt,
        record.length,
        record.length_rule,
        record.length_bounds,
        record.answer_language,
    )
    return canonical_sha256(asked)[:16]


def _tokens_asked(record: Prediction) -> int | None:
    """Return the tokens of a response's one prompt; None where a cache may have been left out of them."""
    usage: Usage = (record.usage if record.requests is None else None) or {}
    return None if usage.get("cached_tokens") else usage.get("prompt_tokens")
