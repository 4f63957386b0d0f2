"""Who answered: the models and providers behind a name, caches, fallbacks, and what a server added."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from longbench_write.backends.control_tokens import ending_token
from longbench_write.records import Judgement, Prediction, Step
from longbench_write.serving.pieces import Pieces, count_pieces

_FEWEST = 8
"""Prompts of different size from which what is added to each can be told."""

_ADDED = 200
"""Tokens that are added to every prompt, from which on they are no chat template's own."""

_EXACT = 0.1
"""The share of the added tokens by which the fit may miss a prompt: what is added is the same each time."""


class ServingLog:
    """Takes a run's records, and then says who answered.

    Args:
        random: Whether the model is asked to sample, so that two equal samples of a prompt are no samples.
        reasoning_off: Whether the model is asked not to reason.
        system: The system prompt that the run has itself.
    """

    def __init__(self, *, random: bool, reasoning_off: bool, system: str) -> None:
        self._random = random
        self._reasoning_off = reasoning_off
        self._system = system
        self._names: dict[str, Counter[str]] = defaultdict(Counter)
        self._counts: Counter[str] = Counter()
        self._samples: dict[str, Counter[bytes]] = defaultdict(Counter)
        self._asked: dict[Pieces, int] = {}
        self._ended: Counter[str] = Counter()

    def watch(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """Pass predictions on, and take what each tells."""
        for record in predictions:
            self.add_prediction(record)
            yield record

    def watch_judgements(self, judgements: Iterable[Judgement]) -> Iterator[Judgement]:
        """Pass judgements on, and take who made each."""
        for record in judgements:
            self._name("judge_models", record.model_served)
            yield record

    def add_prediction(self, record: Prediction) -> None:
        """Take a response; who answered one that was made of steps is told by those."""
        if record.response is None:
            return
        if record.response:
            text = record.response.encode("utf-8", "surrogatepass")
            self._samples[record.id][hashlib.sha256(text).digest()] += 1
        self._counts["reasoning_not_off"] += self._reasoning_off and record.reasoning_words > 0
        if record.requests is not None:
            return
        self._add(record)
        usage = record.usage or {}
        if tokens := usage.get("prompt_tokens"):
            self._asked[count_pieces(f"{self._system}\n{record.prompt}")] = tokens

    def add_step(self, step: Step) -> None:
        """Take one answered request of a writer that makes many."""
        if step.role == "writer":
            self._add(step)

    def _add(self, record: Prediction | Step) -> None:
        self._name("models", record.model_served)
        self._name("providers", record.provider)
        if token := ending_token(record.raw or ""):
            self._ended[token] += 1
        self._counts["fallbacks"] += record.fallback
        self._counts["cache_hits"] += record.cache_hit

    @property
    def control_tokens(self) -> dict[str, int]:
        """How many answers ended at which control token in their text."""
        return dict(sorted(self._ended.items()))

    def _name(self, of: str, name: str | None) -> None:
        if name is not None:
            self._names[of][name] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return what summary.json has under `serving`."""
        same = sum(max(texts.values()) > 1 for texts in self._samples.values())
        names = {of: dict(sorted(self._names[of].items())) for of in ("models", "providers", "judge_models")}
        return {
            **names,
            "fallbacks": self._counts["fallbacks"],
            "cache_hits": self._counts["cache_hits"],
            "identical_samples": same if self._random else 0,
            "reasoning_not_off": self._counts["reasoning_not_off"],
            "added_prompt_tokens": added_tokens(self._asked),
        }


def added_tokens(asked: Mapping[Pieces, int]) -> int | None:
    """Return how many tokens a server adds to every prompt; None where that is few, or cannot be told.

    Tokens are fitted, by least squares, as a constant and a number for each kind of piece; a constant that
    the prompts do not agree on, such as that of a server that guesses, tells nothing.

    Args:
        asked: The tokens of each prompt, by its pieces.
    """
    import numpy as np

    if len(asked) < _FEWEST:
        return None
    counts = [[1, *pieces] for pieces in asked]
    if not any(pieces.ideographs for pieces in asked):
        counts = [row[:2] for row in counts]
    tokens = np.array(list(asked.values()), dtype=float)
    solution, _, rank, _ = np.linalg.lstsq(np.array(counts, dtype=float), tokens, rcond=None)
    constant = float(solution[0])
    misses = np.abs(np.array(counts) @ solution - tokens)
    if rank < len(counts[0]) or constant <= _ADDED or misses.max() > max(_EXACT * constant, 1):
        return None
    return round(constant)


def reasoning_is_off(config: Mapping[str, Any]) -> bool:
    """Return whether a run's requests ask the model not to reason, in any of the usual ways.

    Args:
        config: As run.yaml has it.
    """
    fields: dict[str, Any] = {}
    for given in (config.get("gen"), config.get("extra_body")):
        fields |= given if isinstance(given, Mapping) else {}
    template, thinking, reasoning = (
        value if isinstance(value := fields.get(name), Mapping) else {}
        for name in ("chat_template_kwargs", "thinking", "reasoning")
    )
    switches: Sequence[Any] = (
        template.get("enable_thinking"),
        template.get("thinking"),
        fields.get("enable_thinking"),
        reasoning.get("enabled"),
    )
    words = (thinking.get("type"), fields.get("reasoning_effort"), reasoning.get("effort"))
    return False in switches or "disabled" in words or "none" in words
