"""Says that a server cuts answers off as soon as two of them show it, before more is paid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from longbench_write.backends.registry import BACKENDS
from longbench_write.errors import UsageError
from longbench_write.records import Judgement, Prediction, Step
from longbench_write.runs.observer import Observer
from longbench_write.serving.advice import advice
from longbench_write.serving.answers import AnswerLog
from longbench_write.serving.messages import ceiling_lines

if TYPE_CHECKING:
    from longbench_write.runs.work import Work

_FIRST = 200
"""Answers that are watched; later ones are looked at when the run is scored."""

_SURE = 2
"""Cut answers from which on something is said."""


def answer_log(manifest: Mapping[str, Any]) -> AnswerLog:
    """Begin a log of the answers of a run that is asked for as its run.yaml says."""
    return AnswerLog(
        manifest["config"].get("max_tokens"),
        source="models" if _in_process(manifest["backend"]["kind"]) else "refused",
        context=(manifest.get("served") or {}).get("max_model_len"),
    )


def _in_process(kind: str) -> bool:
    """Return whether a kind of backend runs the model itself; False for one that is not known here."""
    try:
        return BACKENDS.get(kind).in_process
    except UsageError:
        return False


class CeilingWatch(Observer):
    """Passes on what happens, and notes the first ceiling that answers show.

    Args:
        observer: Told all.
        model: The name under which the model is asked.
        log: Takes the answers of this session.
    """

    def __init__(self, observer: Observer, model: str, log: AnswerLog) -> None:
        self._observer = observer
        self._model = model
        self._log = log
        self._left = _FIRST

    def note(self, text: str) -> None:
        """Pass it on."""
        self._observer.note(text)

    def downloading(self, done: int, total: int | None) -> None:
        """Pass it on."""
        self._observer.downloading(done, total)

    def begin(self, work: Work) -> None:
        """Pass it on."""
        self._observer.begin(work)

    def predicted(self, record: Prediction) -> None:
        """Pass a response on, and look at what it tells."""
        self._observer.predicted(record)
        if self._left and record.response is not None and record.requests is None:
            self._log.add_prediction(record)
            self._look(record)

    def stepped(self, step: Step) -> None:
        """Pass a step on, and look at what it tells."""
        self._observer.stepped(step)
        if self._left:
            self._log.add_step(step)
            self._look(step)

    def _look(self, record: Prediction | Step) -> None:
        self._left -= 1
        sure = [each for each in self._log.ceilings if each.count >= _SURE]
        if not sure:
            return
        self._left = 0
        helps = advice(
            model=self._model, system_fingerprint=record.system_fingerprint, provider=record.provider
        )
        self.note(f"{ceiling_lines([asdict(sure[0])], None)[0]}; {helps}")

    def judged(self, record: Judgement) -> None:
        """Pass it on."""
        self._observer.judged(record)

    def tick(self) -> None:
        """Pass it on."""
        self._observer.tick()

    def end(self) -> None:
        """Pass it on."""
        self._observer.end()
