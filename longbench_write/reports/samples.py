"""Runs to what the page knows of them: an entry of its index for each sample, and the sample's texts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from longbench_write.compare.collection import Entry
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BESIDE, merged
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import DIMENSIONS, S_Q, SIX
from longbench_write.records import Failure, Judgement, Key, Prediction
from longbench_write.reports.steps import made_of, read_steps
from longbench_write.runs.folder import MANIFEST
from longbench_write.runs.store import load_run
from longbench_write.scoring.flags import FLAGS
from longbench_write.scoring.rows import Row
from longbench_write.serving.suspects import REASONS
from longbench_write.suites.suite import LENGTH_RANGES, length_range

STATES = {
    "scored": "judged",
    "not_judged": "not judged",
    "judge_failed": "judge failed",
    "failed": "no response",
    "not_scored": "newer than the scores",
}
"""How a sample ended, and in words."""


_UNPAIRED = re.compile("[\ud800-\udfff\0]")


class Index:
    """All that the page lists, filters and sorts by.

    Args:
        entries: The runs, in the order in which the page shows them.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.names = names(entries)
        self.samples: list[dict[str, Any]] = []
        self._prompts: dict[str, int] = {}

    def fill(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the runs, one sample after the other.

        Yields:
            A sample's number, and the texts that belong to it; a sample without texts is in the index alone.

        Raises:
            RunFolderError: A run's records cannot be read.
        """
        for run, entry in enumerate(self.entries):
            rows = {(row.id, row.sample): row for row in entry.rows}
            metrics = entry.summary.others
            steps = read_steps(entry.path)
            for prediction, judgements in responses(entry):
                row = rows.pop(prediction.key, None)
                prompt = self._prompts.setdefault(prediction.prompt, len(self._prompts))
                about = {"run": run, "prompt": prompt, "texts": True}
                self.samples.append(about | _sample(prediction, row, metrics))
                yield (
                    len(self.samples) - 1,
                    _texts(entry.summary.judge, prediction, judgements)
                    | made_of(prediction, steps.get(prediction.key, ())),
                )
            for row in rows.values():
                self.samples.append({"run": run, "prompt": None, "texts": False} | _sample(row, row, metrics))

    def _metrics(self) -> tuple[Metric, ...]:
        """Return what any of the runs was measured by besides the built-in metrics."""
        return merged(*(entry.summary.others for entry in self.entries))

    def to_json(self) -> dict[str, Any]:
        """Return suites, runs, prompts (each text once) and samples, which name those by number."""
        suites = list(dict.fromkeys(_suite(entry) for entry in self.entries))
        runs = [
            _run(entry, name) | {"suite": suites.index(_suite(entry))}
            for entry, name in zip(self.entries, self.names, strict=True)
        ]
        return {
            "dimensions": DIMENSIONS,
            "scale": [SIX.low, SIX.high],
            "metrics": [{"name": metric.name, **metric.declaration()} for metric in self._metrics()],
            "flags": [*FLAGS, *map(_mark, REASONS)],
            "ranges": LENGTH_RANGES,
            "states": STATES,
            "suites": [name for name, _ in suites],
            "runs": runs,
            "prompts": list(self._prompts),
            "samples": self.samples,
        }


def names(entries: Sequence[Entry]) -> list[str]:
    """Return a name for each run that no other has: its label, and what tells it from others so called."""
    found = [well_formed(entry.label) for entry in entries]
    for more in (_suite_name, _judge, _folder, _number):
        same = defaultdict(list)
        for place, name in enumerate(found):
            same[name].append(place)
        for places in same.values():
            details = [well_formed(more(entries[place], place)) for place in places]
            if len(set(details)) > 1:
                for place, detail in zip(places, details, strict=True):
                    found[place] += f" · {detail}"
    return found


def well_formed(text: str) -> str:
    """Return the text with U+FFFD for what no page can hold: lone surrogates and null characters."""
    return _UNPAIRED.sub("\N{REPLACEMENT CHARACTER}", text)


def _judge(entry: Entry, _: int) -> str:
    return entry.summary.judge or "no judge"


def _suite_name(entry: Entry, _: int) -> str:
    return entry.summary.suite


def _folder(entry: Entry, _: int) -> str:
    return entry.path.name


def _number(_: Entry, place: int) -> str:
    return f"run {place + 1}"


def _suite(entry: Entry) -> tuple[str, str]:
    """Return what tells suites apart."""
    return entry.summary.suite, entry.summary.suite_sha256


def _run(entry: Entry, name: str) -> dict[str, Any]:
    summary = entry.summary
    return {
        "name": name,
        "label": entry.label,
        "folder": entry.path.name,
        "model": summary.model,
        "judge": summary.judge,
        "judge_note": summary.judge_note,
        "note": summary.note,
        "settings": {"writer": summary.writer, **summary.settings, "samples": summary.samples},
        "start": summary.start,
    }


def responses(entry: Entry) -> Iterator[tuple[Prediction, list[Judgement]]]:
    """Yield a run's responses, one at a time, each with all that any judge said of it.

    Raises:
        RunFolderError: They cannot be read.
    """
    if not (entry.path / MANIFEST).exists():
        return
    run = load_run(entry.path)
    judgements: dict[Key, list[Judgement]] = defaultdict(list)
    for judgement in run.judgements:
        judgements[judgement.key].append(judgement)
    for prediction in run.predictions:
        yield prediction, judgements[prediction.key]


def _sample(what: Prediction | Row, row: Row | None, metrics: Sequence[Metric]) -> dict[str, Any]:
    """Return an entry of the index, without the numbers that lead to its run, prompt and texts.

    Args:
        what: Its record, or its row where there is none.
        row: Its row; None where it has not been scored.
        metrics: What its run was measured by besides the built-in metrics.
    """
    error = what.error if isinstance(what, Prediction) else None
    return {
        "id": what.id,
        "sample": what.sample,
        "type": what.type,
        "language": what.language,
        "required": what.length,
        "range": None if what.length is None else length_range(what.length),
        "length_rule": what.length_rule,
        "length_bounds": what.length_bounds if isinstance(what, Prediction) else None,
        "written": what.response_length,
        "written_unicode": what.response_length_unicode,
        "reasoning_words": what.reasoning_words,
        "error": error and {"type": error.type, "message": error.message},
        "state": _state(error, row),
        "flags": _flags(row) if row else [],
        **{metric.name: row and row.values.get(metric.name) for metric in (S_L, S_Q, *BESIDE)},
        "dimensions": row and row.scores and [row.scores.get(name) for name in DIMENSIONS],
        "metrics": {metric.name: row.values[metric.name] for metric in metrics if metric.name in row.values}
        if row
        else {},
        "repeated_share": row and row.repetition.share,
        "repeated_from": row and row.repetition.start,
        "compressed": row and row.repetition.compressed,
    }


def _flags(row: Row) -> list[str]:
    """Return what is marked of a response: its flags, and why it is suspect."""
    return [*(flag for flag in FLAGS if flag in row.flags), *map(_mark, row.suspect)]


def _mark(reason: str) -> str:
    """Return the mark of a response that is suspect for a reason."""
    return f"suspect: {reason}"


def _state(error: Failure | None, row: Row | None) -> str:
    if error is not None:
        return "failed"
    if row is None:
        return "not_scored"
    if not row.judged:
        return "judge_failed" if row.failed else "not_judged"
    return "scored"


def _texts(judge: str | None, prediction: Prediction, judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Return what is unfolded: the response, how it came, and every judgement, the scoring judge's first."""
    ordered = sorted(
        judgements, key=lambda judgement: (judgement.judge != judge, judgement.judge, judgement.repeat)
    )
    return {
        "response": prediction.response,
        "reasoning": prediction.reasoning,
        "finish_reason": prediction.finish_reason,
        "max_tokens_effective": prediction.max_tokens_effective,
        "usage": prediction.usage,
        "seconds": prediction.seconds,
        "attempts": prediction.attempts,
        "judgements": [judgement.to_json() | {"values": judgement.values} for judgement in ordered],
    }
