"""How the next token is chosen: by transformers' own logits processors, with a generator for each request.

`generate` draws all rows of a batch from one generator, so that a text would depend on its neighbours. Here
each request has its own, and what is drawn is what `generate` draws for the request alone under its seed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from longbench_write.backends.base import Sampling
from longbench_write.backends.chat_model import TEMPLATE_FIELDS
from longbench_write.errors import UsageError, shorten, unknown_name

_OFF: Mapping[str, tuple[Any, ...]] = {
    "repetition_penalty": (1.0,),
    "no_repeat_ngram_size": (0,),
    "suppress_tokens": ([],),
    "presence_penalty": (0.0,),
    "frequency_penalty": (0.0,),
    "top_h": (),
    "top_k": (0, -1),
    "top_p": (1.0,),
    "min_p": (0.0,),
    "typical_p": (1.0,),
    "epsilon_cutoff": (0.0,),
    "eta_cutoff": (0.0,),
}
"""Fields of a request beside temperature and seed, with the values that mean nothing; None always does."""

Processor = Callable[[Any, Any], Any]
"""Takes token ids [rows, tokens] and scores [rows, vocabulary], and returns scores."""


def check_fields(sampling: Sampling) -> None:
    """Refuse what is no field of a request here, and values that transformers refuses.

    Raises:
        UsageError: There is one.
    """
    allowed = [*sorted(_OFF), *TEMPLATE_FIELDS]
    for name in sampling.extra:
        if name not in allowed:
            raise unknown_name("sampling field of --backend hf", name, allowed)
    if sampling.extra:
        for build in (text_processors, warpers):
            build(sampling.extra, "cpu")


def own_defaults(generation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model's generation config sets of these fields; other engines take fewer from there."""
    return {name: generation[name] for name in _OFF if generation.get(name) is not None}


def text_processors(values: Mapping[str, Any], device: Any) -> list[Processor]:
    """Return what changes scores by the text so far; it gets prompt and answer without padding.

    Raises:
        UsageError: A value is refused.
    """
    build = _Builder(values, device)
    return build.made(
        ("repetition_penalty", "RepetitionPenaltyLogitsProcessor", "penalty"),
        ("no_repeat_ngram_size", "NoRepeatNGramLogitsProcessor", "ngram_size"),
        ("suppress_tokens", "SuppressTokensLogitsProcessor", "suppress_tokens"),
    )


def warpers(values: Mapping[str, Any], device: Any) -> list[Processor]:
    """Return what changes the distribution that is drawn from, in the order that `generate` has them in.

    Raises:
        UsageError: A value is refused.
    """
    build = _Builder(values, device)
    temperature = float(values.get("temperature") or 1.0)
    first = [] if temperature == 1.0 else [build.one("TemperatureLogitsWarper", temperature=temperature)]
    return first + build.made(
        ("top_h", "TopHLogitsWarper", "top_h"),
        ("top_k", "TopKLogitsWarper", "top_k"),
        ("top_p", "TopPLogitsWarper", "top_p"),
        ("min_p", "MinPLogitsWarper", "min_p"),
        ("typical_p", "TypicalLogitsWarper", "mass"),
        ("epsilon_cutoff", "EpsilonLogitsWarper", "epsilon"),
        ("eta_cutoff", "EtaLogitsWarper", "epsilon"),
    )


_ON_DEVICE = ("SuppressTokensLogitsProcessor", "EtaLogitsWarper")
"""Processors that keep a tensor, and so have to know where."""


class _Builder:
    def __init__(self, values: Mapping[str, Any], device: Any) -> None:
        self._values = values
        self._device = device
        self._transformers = importlib.import_module("transformers")

    def made(self, *wanted: tuple[str, str, str]) -> list[Processor]:
        """Make a processor for each field that means something: field, class, name of its argument."""
        return [
            self.one(kind, **{argument: self._values[name]})
            for name, kind, argument in wanted
            if self._values.get(name) is not None and self._values[name] not in _OFF[name]
        ]

    def one(self, kind: str, **arguments: Any) -> Processor:
        more = {"device": self._device} if kind in _ON_DEVICE else {}
        try:
            made: Processor = getattr(self._transformers, kind)(**arguments, **more)
        except (ValueError, TypeError) as error:
            raise UsageError(f"transformers refuses a field of --gen: {shorten(str(error))}") from None
        return made


def penalised(scores: Any, answer: Any, values: Mapping[str, Any]) -> Any:
    """Lower the scores of tokens that stand in the answer, as OpenAI's API defines the two penalties.

    Args:
        scores: Scores [1, vocabulary].
        answer: Token ids of the answer so far [tokens].
        values: The request's sampling.

    Returns:
        scores - presence_penalty * [count > 0] - frequency_penalty * count
    """
    presence, frequency = (float(values.get(f"{name}_penalty") or 0.0) for name in ("presence", "frequency"))
    if not (presence or frequency) or not len(answer):
        return scores
    counts = scores.new_zeros(scores.shape[-1]).index_add_(0, answer, scores.new_ones(len(answer)))
    return scores - presence * (counts > 0) - frequency * counts
