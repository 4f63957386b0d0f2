"""Says that a server cuts answers off as soon as two of them show it, before more is paid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from longbench_write.backends.registry import BACKENDS
from longbench_write.errors import UsageError
from longbench_write.records import Judgement, Prediction, Step
from longbench_write.runs.observer import Observer
from longbench_write.runs.plan import Roles
from longbench_write.serving.advice import advice
from longbench_write.serving.answers import AnswerLog
from longbench_write.serving.messages import ceiling_lines

if TYPE_CHECKING:
    from longbench_write.runs.work import Work

_FIRST = 200
"""Answers that are watched; later ones are looked at when the run is scored."""

_SURE = 2
"""Cut answers from which on something is said."""

_BEGIN_ANEW = "then begin anew with --fresh: a run that is resumed keeps the answers that were cut"
_ASK_AGAIN = "then --retry-failed asks again for the judgements that failed"


def answer_log(manifest: Mapping[str, Any], *, judge_asked: int | None = None) -> AnswerLog:
    """Begin a log of the answers of a run that is asked for as its run.yaml says.

    Args:
        manifest: What run.yaml says.
        judge_asked: New tokens that the judge may have; None where that is not known.
    """
    asked = manifest["config"].get("max_tokens")
    return AnswerLog(
        asked if isinstance(asked, int) else None,
        source="models" if _in_process(manifest["backend"]["kind"]) else "refused",
        context=context_of(manifest),
        judge_asked=judge_asked,
    )


def context_of(manifest: Mapping[str, Any]) -> int | None:
    """Return the context of the model under test as its server or engine says it; None where neither does."""
    engine, served = manifest.get("engine") or {}, manifest.get("served") or {}
    context = engine.get("context") or served.get("max_model_len")
    return context if isinstance(context, int) else None


def _in_process(kind: str) -> bool:
    """Return whether a kind of backend runs the model itself; False for one that is not known here."""
    try:
        return BACKENDS.get(kind).in_process
    except UsageError:
        return False


class CeilingWatch(Observer):
    """Passes on what happens, and notes the first ceiling of each role that answers show.

    Args:
        observer: Told all.
        roles: Everyone who is asked.
        log: Takes the answers of this session.
        context: Tokens that the server says that the model's context has; None where it does not.
    """

    def __init__(self, observer: Observer, roles: Roles, log: AnswerLog, context: int | None = None) -> None:
        self._observer = observer
        self._asked = {"writer": roles.writer, "planner": roles.planner or roles.writer, "judge": roles.judge}
        self._log = log
        self._context = context
        self._said_wrong = False
        self._left = dict.fromkeys(self._asked, _FIRST)

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
        if self._left["writer"] and record.response is not None and record.requests is None:
            self._log.add_prediction(record)
            self._look("writer", record)
            self._look_at_context()

    def stepped(self, step: Step) -> None:
        """Pass a step on, and look at what it tells."""
        self._observer.stepped(step)
        if self._left.get(step.role):
            self._log.add_step(step)
            self._look(step.role, step)

    def judged(self, record: Judgement) -> None:
        """Pass a judgement on, and look at what it tells."""
        self._observer.judged(record)
        if self._left["judge"]:
            self._log.add_judgement(record)
            self._look("judge", record)

    def _look(self, name: str, record: Prediction | Step | Judgement) -> None:
        self._left[name] -= 1
        sure = [each for each in self._log.of_role(name) if each.count >= _SURE]
        if not sure or (role := self._asked[name]) is None:
            return
        self._left[name] = 0
        helps = role.backend.context_advice or advice(
            model=role.spec.model,
            system_fingerprint=record.system_fingerprint,
            provider=getattr(record, "provider", None),
        )
        then = _ASK_AGAIN if name == "judge" else _BEGIN_ANEW
        self.note(f"{ceiling_lines([asdict(sure[0])], None)[0]}; {helps}; {then}")

    def _look_at_context(self) -> None:
        """Say that the server's list names a smaller context than an answer has shown."""
        if not self._said_wrong and self._context and self._log.seen > self._context:
            self._said_wrong = True
            self.note(
                f"the server says that the model's context has {self._context:,} tokens (max_model_len), and "
                f"an answer and its prompt had {self._log.seen:,}: what it says is not used"
            )

    def tick(self) -> None:
        """Pass it on."""
        self._observer.tick()

    def end(self) -> None:
        """Pass it on."""
        self._observer.end()
