"""The sampling in force where a model runs in this process: no field is left to an engine's default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from longbench_write.backends.base import Sampling

NEUTRAL: Mapping[str, Any] = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
"""Sampling from the model's own distribution, by vLLM's names; 0 is every token for `top_k`."""

_NOT_APPLIED: Mapping[str, Any] = {
    "no_repeat_ngram_size": (0, None),
    "encoder_no_repeat_ngram_size": (0, None),
    "encoder_repetition_penalty": (1.0, None),
    "typical_p": (1.0, None),
    "epsilon_cutoff": (0.0, None),
    "eta_cutoff": (0.0, None),
    "top_h": (None,),
    "num_beams": (1, None),
    "penalty_alpha": (None, 0.0),
    "guidance_scale": (None, 1.0),
    "bad_words_ids": (None, []),
    "suppress_tokens": (None, []),
    "begin_suppress_tokens": (None, []),
    "sequence_bias": (None, {}),
    "exponential_decay_length_penalty": (None,),
    "forced_bos_token_id": (None,),
    "forced_eos_token_id": (None,),
    "min_length": (0, None),
    "min_new_tokens": (None, 0),
    "stop_strings": (None, []),
}
"""Fields of transformers' generation config that change texts and that engines do not take from there, each
with the values that mean nothing."""


def model_sampling(generation: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sampling of a model where the request says nothing.

    Args:
        generation: Its generation config, or what stands for one; other fields do not count.
        card: Its card's, which comes first.

    Returns:
        A value for every field of `NEUTRAL`.
    """
    said = {name: generation[name] for name in NEUTRAL if generation.get(name) is not None}
    return {**NEUTRAL, **said, **card}


def not_applied(generation: Mapping[str, Any]) -> list[str]:
    """Return the fields of a generation config that change texts and are not applied, as `name=value`."""
    return [
        f"{name}={generation[name]}"
        for name, nothing in _NOT_APPLIED.items()
        if name in generation and generation[name] not in nothing
    ]


def in_force(sampling: Sampling, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sampling of a request, every field set.

    Args:
        sampling: What the request asks for, which comes first.
        defaults: The model's own, of `model_sampling`.
    """
    asked = {"temperature": sampling.temperature, "seed": sampling.seed, **sampling.extra}
    return {**defaults, **{name: value for name, value in asked.items() if value is not None}}
