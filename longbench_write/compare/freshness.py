"""When two runs' responses were made, and whether those of the one are the other's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longbench_write.compare.scores import Response, RunScores
from longbench_write.files.times import is_time, parse_time
from longbench_write.metrics.length import S_L
from longbench_write.records import Key

IMPORTED = "imported"
"""The kind of backend of a run whose responses another harness made, nobody knows when."""


@dataclass(frozen=True)
class Made:
    """When responses were made.

    Attributes:
        first, last: The earliest and the latest one, UTC.
    """

    first: datetime
    last: datetime

    def __str__(self) -> str:
        begin, end = (f"{time:%Y-%m-%d %H:%M}" for time in (self.first, self.last))
        if begin == end:
            return f"{begin} UTC"
        return f"{begin} to {end[11:] if end[:10] == begin[:10] else end} UTC"

    def to_json(self) -> dict[str, str]:
        """Return both times in ISO 8601."""
        return {"first": self.first.isoformat(), "last": self.last.isoformat()}


@dataclass(frozen=True)
class Freshness:
    """How new a run is beside its baseline.

    Attributes:
        run, baseline: When their responses were made; None where that is not known.
        responses: How many the run has.
        new_responses: How many of them were made after the baseline's last; None where that is not known.
        own_responses: How many are the baseline's own: made at the same time, with as many words and the same
            S_l.
        is_alike: Whether, where neither says when it was made, each response has as many words and the same
            scores as one of the baseline to its prompt.
    """

    run: Made | None
    baseline: Made | None
    responses: int
    new_responses: int | None
    own_responses: int
    is_alike: bool = False

    @classmethod
    def of(cls, baseline: RunScores, run: RunScores) -> Freshness:
        """Look at a run and its baseline.

        Raises:
            RunFolderError: The records of one cannot be read.
        """
        before, after = _times(baseline), _times(run)
        made = Made(min(after.values()), max(after.values())) if after else _begun(run)
        then = Made(min(before.values()), max(before.values())) if before else _begun(baseline)
        new = sum(time > then.last for time in after.values()) if after and then else None
        theirs = {_mark(baseline.responses[key], time) for key, time in before.items()}
        own = sum(_mark(run.responses[key], time) in theirs for key, time in after.items())
        alike = not (before or after) and _has_only(baseline, run)
        return cls(made, then, len(run.responses), new, own, alike)

    @property
    def repeats_baseline(self) -> bool:
        """Whether responses of the run are the baseline's own, as far as can be told."""
        return self.is_alike or self.own_responses > 0

    def sentence(self) -> str:
        """Return when both were made, and how many responses are new since, in a sentence."""
        run, baseline = (str(each) if each else "at a time that it does not say" for each in self._both())
        said = f"run made {run}, baseline {baseline}"
        if self.own_responses:
            own = (
                "the" if self.own_responses == self.responses else f"{self.own_responses} of {self.responses}"
            )
            return f"WARNING: {said}: {own} responses of the run are the baseline's own, not measured anew"
        if self.is_alike:
            return (
                f"WARNING: {said}: each response of the run has the length and the scores of one of the "
                "baseline's: they are its own, or the model answers alike each time"
            )
        if self.new_responses is None:
            return said
        return f"{said}: {self.new_responses} of {self.responses} responses are new since"

    def to_json(self) -> dict[str, Any]:
        """Return what `lbw-eval check --json` says under `fresh`."""
        run, baseline = (each.to_json() if each else None for each in self._both())
        return {"run": run, "baseline": baseline, "new_responses": self.new_responses}

    def _both(self) -> tuple[Made | None, Made | None]:
        return self.run, self.baseline


def _mark(response: Response, time: datetime) -> tuple[Any, ...]:
    """Return what two responses share that are one, whatever judges said of it or its number in a pool is."""
    return response.id, time, response.words, response.values.get(S_L.name)


def _has_only(baseline: RunScores, run: RunScores) -> bool:
    """Return whether each response of a run has the length and scores of one of a baseline to its prompt."""

    def known(scores: RunScores) -> set[tuple[Any, ...]]:
        responses = scores.responses.values()
        return {(each.id, each.words, *sorted(each.values.items())) for each in responses}

    return bool(run.responses) and known(run) <= known(baseline)


def _times(scores: RunScores) -> dict[Key, datetime]:
    """Return when each response was made; of one that does not say, when its run began, which was before."""
    times = {key: parse_time(time) for key, time in scores.made.items()}
    if len(times) < len(scores.responses):
        if (begun := _begun(scores)) is None:
            return {}
        times = dict.fromkeys(scores.responses, begun.last) | times
    return times


def _begun(scores: RunScores) -> Made | None:
    """Return when the runs began that the responses are of; None where nobody says when they were made."""
    if scores.info is None or scores.info.settings.get("backend") == IMPORTED:
        return None
    times = scores.origin.made if scores.origin else (scores.info.start,)
    known = [parse_time(time) for time in times if is_time(time)]
    return Made(min(known), max(known)) if known else None
