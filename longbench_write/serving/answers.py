"""Collects a run's answers as its records pass by, and tells what its server did to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from longbench_write.backends.finish_reasons import is_truncated
from longbench_write.backends.openai.refusals import context_named
from longbench_write.errors import CONTEXT_LENGTH
from longbench_write.records import Failure, Judgement, Key, Prediction, Step, Usage
from longbench_write.serving.cuts import (
    LIMIT,
    ROOM,
    SERVER,
    UNKNOWN,
    Answer,
    Ceiling,
    Source,
    ceilings_of,
    is_mid_sentence,
    lowered_ceiling,
    one_each,
    who_cut,
)
from longbench_write.serving.prompts_read import PromptsRead, sized
from longbench_write.serving.reach import Written, reach

_ROLES = _WRITER, _, _JUDGE = "writer", "planner", "judge"
_WORST_FIRST = (SERVER, UNKNOWN, LIMIT)


class AnswerLog:
    """Takes a run's records, and then says who cut its answers and where the ceilings lie.

    Args:
        asked: New tokens that the run asks for in a response; None where that is not known.
        source: Who says so where an answer was given less room than was asked for: "refused" for a server,
            "models" for an engine in this process.
        context: Tokens that the server, or the engine, says that the model's context has; None where it does
            not.
        judge_asked: New tokens that a judge may have; None where that is not known.
    """

    def __init__(
        self,
        asked: int | None,
        *,
        source: Source = "refused",
        context: int | None = None,
        judge_asked: int | None = None,
    ) -> None:
        self._asked = asked
        self._judge_asked = judge_asked
        self._source = source
        self._context = context
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._keys: dict[str, list[Key]] = defaultdict(list)
        self._prompts: defaultdict[str, PromptsRead] = defaultdict(PromptsRead)
        self._refused: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._without_room: set[Key] = set()
        self._written: list[Written] = []
        self._in_steps = False

    def watch(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """Pass predictions on, and take what each tells."""
        for record in predictions:
            self.add_prediction(record)
            yield record

    def add_prediction(self, record: Prediction) -> None:
        """Take a response, or a failure; what a response was made of in steps is told by those."""
        alone = record.requests is None
        if record.error and record.error.type == CONTEXT_LENGTH:
            self._without_room.add(record.key)
            if alone:
                self._take_refusal(_WRITER, record.error)
        usage: Usage = (record.usage if alone else None) or {}
        tokens = usage.get("completion_tokens")
        self._written.append(
            Written(
                id=record.id,
                language=record.language,
                length=record.length,
                words=record.response_length or 0,
                tokens=None if tokens is None else tokens - (usage.get("reasoning_tokens") or 0),
                prompt_tokens=usage.get("prompt_tokens"),
            )
        )
        if record.response is None or not alone:
            return
        # Lines of 0.1.0 do not say what was asked for: there the tokens of a cut answer stand in its place.
        limit = self._asked if record.calls is None else record.max_tokens_effective
        asked = usage.get("prompt_tokens"), usage.get("cached_tokens")
        self._prompts[_WRITER].add(sized([record.prompt], *asked, record.model_served))
        self._add(
            _WRITER,
            record.key,
            usage,
            limit,
            record.finish_reason,
            record.response,
            ended=record.raw is not None,
            past_limit=record.past_limit,
        )

    def add_unread(self, record: Prediction) -> None:
        """Take what was answered to a prompt that was not read whole, where its response has failed still."""
        if record.unread and record.key in self._without_room:
            self._prompts[record.unread["role"]].add(record.unread)

    def add_step(self, step: Step) -> None:
        """Take one answered request of a writer that makes many."""
        self._in_steps = True
        self._prompts[step.role].add(step.prompt_size)
        self._add(
            step.role,
            step.key[:2],
            step.usage,
            step.max_tokens_effective,
            step.finish_reason,
            step.text,
            past_limit=step.past_limit,
        )

    def add_judgement(self, record: Judgement) -> None:
        """Take what a judge replied last; of several replies the tokens of one are not known."""
        self._prompts[_JUDGE].add(record.prompt_size)
        if record.finish_reason is None:
            if record.error and record.error.type == CONTEXT_LENGTH:
                self._take_refusal(_JUDGE, record.error)
            return
        usage: Usage = (record.usage if record.tries == 1 else None) or {}
        answer = Answer(
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
            record.max_tokens_effective,
            is_truncated(record.finish_reason),
            # A whole reply ends with its JSON, not with a sentence.
            mid_sentence=record.error is not None and record.error.type != CONTEXT_LENGTH,
        )
        self._answers[_JUDGE].append(answer)

    def _take_refusal(self, role: str, error: Failure) -> None:
        """Take a request that was refused for want of room."""
        if tokens := context_named(error.message):
            self._refused[role][tokens] += 1

    def watch_judgements(self, judgements: Iterable[Judgement]) -> Iterator[Judgement]:
        """Pass judgements on, and take what each tells."""
        for record in judgements:
            self.add_judgement(record)
            yield record

    def _add(
        self,
        role: str,
        key: Key,
        usage: Usage,
        limit: int | None,
        finish_reason: str | None,
        text: str,
        *,
        ended: bool = False,
        past_limit: bool = False,
    ) -> None:
        """Take an answer; one that ended at a control token was cut by nobody, whatever came behind it."""
        counted = None if ended else usage.get("completion_tokens")
        truncated = is_truncated(finish_reason) and not ended
        past = past_limit and not ended
        answer = Answer(usage.get("prompt_tokens"), counted, limit, truncated, is_mid_sentence(text), past)
        self._answers[role].append(answer)
        self._keys[role].append(key)

    def cut_by(self) -> dict[Key, str]:
        """Return who cut each response that did not end by itself; of one made of steps, any of them."""
        found: dict[Key, str] = {}
        for key, by in zip(self._keys[_WRITER], who_cut(self._answers[_WRITER]), strict=True):
            if by is not None and (
                key not in found or _WORST_FIRST.index(by) < _WORST_FIRST.index(found[key])
            ):
                found[key] = by
        return found

    @property
    def ceilings(self) -> list[Ceiling]:
        """The ceilings of each role, the writer's first."""
        for prompts in self._prompts.values():
            prompts.settle()
        return [ceiling for role in _ROLES for ceiling in self.of_role(role)]

    def of_role(self, role: str) -> list[Ceiling]:
        """Return the ceilings of a role that show so far; `ceilings` looks at all prompts anew before."""
        answers = self._answers[role]
        found = self._lowered() if role == _WRITER else []
        if role == _JUDGE and self._judge_asked is not None:
            lowered = lowered_ceiling(role, answers, self._judge_asked, "refused")
            found += [lowered] if lowered else []
        said = self._context if role == _WRITER else None
        found = one_each([*found, *ceilings_of(role, answers, who_cut(answers), said)])
        for tokens, count in self._refused[role].items():
            if all(abs(each.tokens - tokens) > ROOM for each in found):
                found.append(Ceiling(role, "context", tokens, count, "refused"))
        if role == _WRITER and not found:
            found = self._listed()
        if cut := self._prompts[role].ceiling(role):
            found.append(cut)
        return found

    def _lowered(self) -> list[Ceiling]:
        """Return the ceiling of the writer that made answers shorter than they were asked for."""
        if self._in_steps or self._asked is None:
            return []
        lowered = lowered_ceiling(_WRITER, self._answers[_WRITER], self._asked, self._source)
        return [lowered] if lowered else []

    def _listed(self) -> list[Ceiling]:
        """Return the ceiling of the writer that the server's list makes, where it is not seen to be wrong."""
        if self._in_steps or self._asked is None or self._context is None:
            return []
        longest = max((answer.prompt_tokens or 0 for answer in self._answers[_WRITER]), default=0)
        if self.seen > self._context or self._context >= longest + self._asked:
            return []
        return [Ceiling(_WRITER, "context", self._context, 0, "models")]

    @property
    def seen(self) -> int:
        """Tokens of the longest prompt and answer together."""
        return max((answer.total or 0 for answer in self._answers[_WRITER]), default=0)

    def reach(self, ceilings: Iterable[Ceiling]) -> dict[str, Any] | None:
        """Return what the writer's ceiling leaves of the benchmark; see `reach.reach`."""
        known = [each for each in ceilings if each.role == _WRITER and each.kind != "prompt"]
        return reach(self._written, max(known, key=lambda each: each.count, default=None))
