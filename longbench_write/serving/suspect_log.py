"""Collects a run's responses as its records pass by, and tells which are suspect and why."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from longbench_write.backends.control_tokens import without_control_tokens
from longbench_write.backends.finish_reasons import is_truncated
from longbench_write.records import Key, Prediction, Step, Usage
from longbench_write.serving.spoilt_text import spoilt
from longbench_write.serving.suspects import EMPTY, IDENTICAL, REASONING_ONLY, TOKENS, ordered
from longbench_write.serving.text_kind import kind_of
from longbench_write.serving.token_estimates import Lengths, misfits_of_estimates
from longbench_write.serving.token_fit import Counted
from longbench_write.serving.token_outliers import cannot_be, misfits
from longbench_write.serving.token_size import sized

_LONG = 50
"""Words (official count) of a text that two prompts do not get by chance."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answered request whose tokens were counted."""

    key: Key
    counted: Counted
    kind: str
    lengths: Lengths


class SuspectLog:
    """Takes a run's records, and then says which responses are suspect.

    What no model was asked for is never suspect.
    """

    def __init__(self) -> None:
        self._reasons: dict[Key, set[str]] = defaultdict(set)
        self._texts: dict[bytes, dict[str, list[Key]]] = defaultdict(lambda: defaultdict(list))
        self._answers: dict[bool, list[_Answer]] = defaultdict(list)

    def watch(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """Pass predictions on, and take what each tells."""
        for record in predictions:
            self.add_prediction(record)
            yield record

    def add_prediction(self, record: Prediction) -> None:
        """Take a response; the tokens of one that was made of steps are told by those."""
        if record.response is None or record.calls == 0:
            return
        self._reasons[record.key].update(spoilt(record.response, record.prompt))
        if not record.response.strip() and not is_truncated(record.finish_reason):
            self._reasons[record.key].add(REASONING_ONLY if record.reasoning.strip() else EMPTY)
        if (record.response_length or 0) >= _LONG:
            digest = hashlib.sha256(" ".join(record.response.split()).encode("utf-8", "surrogatepass"))
            self._texts[digest.digest()][record.prompt].append(record.key)
        if record.requests is None:
            self._count(record.key, record.usage, record.raw or record.response, record.reasoning)

    def add_step(self, step: Step) -> None:
        """Take one answered request of a writer that makes many."""
        if step.role == "writer":
            self._count(step.key[:2], step.usage, step.raw or step.text, step.reasoning)

    def _count(self, key: Key, usage: Usage | None, text: str, reasoning: str) -> None:
        """Take the tokens of an answer, without those of its reasoning where the server tells them apart."""
        usage = usage or {}
        tokens, thought = usage.get("completion_tokens"), usage.get("reasoning_tokens")
        if not tokens or not text.strip():
            return
        if thought is None and reasoning:
            text = f"{reasoning}\n{text}"
        text = without_control_tokens(text)
        counted = Counted(sized(text), tokens - (thought or 0))
        if counted.tokens > 0:
            kind = kind_of(text, counted.pieces)
            if cannot_be(text, counted.tokens, kind):
                self._reasons[key].add(TOKENS)
            self._answers[thought is None and bool(reasoning)].append(
                _Answer(key, counted, kind, Lengths.of(text))
            )

    def suspects(self) -> Mapping[Key, tuple[str, ...]]:
        """Return the reasons of each response that is suspect."""
        found = {key: set(reasons) for key, reasons in self._reasons.items() if reasons}
        for prompts in self._texts.values():
            for key in (key for keys in prompts.values() for key in keys if len(prompts) > 1):
                found.setdefault(key, set()).add(IDENTICAL)
        for answers in self._answers.values():
            counted = [each.counted for each in answers]
            odd = misfits_of_estimates([each.tokens for each in counted], [each.lengths for each in answers])
            if odd is None:
                odd = misfits(counted, [each.kind for each in answers])
            for place in odd:
                found.setdefault(answers[place].key, set()).add(TOKENS)
        return {key: ordered(reasons) for key, reasons in found.items()}
