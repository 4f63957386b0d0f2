"""What people are told of a server's ceilings, under tables and in exports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_OF = {
    "context": "of prompt and answer together",
    "output": "an answer",
    "prompt": "a prompt",
    "unknown": "an answer (of one cut answer alone: its kind is not known yet)",
}
_FROM = {
    "cut": "as its answers show",
    "refused": "as a refusal of more said",
    "models": "as the server or the engine says of itself",
}

_CUT = {"prompt": "prompts, which were not read whole,"}

_ANSWERED = {"models": "model", "providers": "provider", "judge_models": "model of the judge"}
_COUNTED = {
    "fallbacks": "responses that a gateway's fallback gave, not the model that was asked: {}",
    "cache_hits": "responses that a cache gave, so that nothing was sampled: {}",
    "identical_samples": "prompts with samples that are one text, which is no sampling: {}",
    "reasoning_not_off": "responses with reasoning, which was asked off: {}",
    "added_prompt_tokens": "tokens that the server adds to every prompt (a system prompt of its own?): {}",
}


def ceiling_lines(ceilings: Iterable[Mapping[str, Any]], reach: Mapping[str, Any] | None) -> list[str]:
    """Return a sentence for each ceiling of a summary, and one for what they put out of reach."""
    lines = [
        f"ceiling: {ceiling['tokens']:,} tokens {_OF[ceiling['kind']]} are the most that the "
        f"{ceiling['role']} gets where its model runs, {_FROM[ceiling['source']]}; "
        f"{_CUT.get(ceiling['kind'], 'answers')} cut: {ceiling['count']}"
        for ceiling in ceilings
    ]
    if lines and reach:
        lines.append(
            f"out of reach below that ceiling: {reach['prompts']} prompts; a model that writes exactly what "
            f"is asked, or up to it, would get S_l {reach['S_l']:.1f}"
        )
    return lines


def serving_lines(serving: Mapping[str, Any] | None) -> list[str]:
    """Return a sentence for each thing that must be known of who answered; `serving` is a summary's."""
    if not serving:
        return []
    lines = [
        f"more than one {what} answered: {', '.join(f'{name} {count}' for name, count in names.items())}"
        for of, what in _ANSWERED.items()
        if len(names := serving[of]) > 1
    ]
    lines += [told.format(serving[name]) for name, told in _COUNTED.items() if serving[name]]
    return lines


def suspect_lines(suspects: Mapping[str, Any] | None, S_l: float | None) -> list[str]:  # noqa: N803
    """Return what must be known of a summary's suspects, with the S_l that they are part of."""
    if not suspects or not suspects["count"]:
        return []
    reasons = ", ".join(f"{reason} {count}" for reason, count in suspects["by_reason"].items())
    beside = (
        f"; S_l without them {suspects['S_l']:.1f}, with them {S_l:.1f}"
        if S_l is not None and suspects["S_l"] is not None
        else ""
    )
    return [
        f"suspect responses, probably spoilt on their way from the model, scored as they stand: "
        f"{suspects['count']} ({reasons}){beside}"
    ]


def ceiling_mark(ceilings: Iterable[Mapping[str, Any]]) -> str:
    """Return the kinds and tokens of a summary's ceilings in a few words, for a footnote; "" for none."""
    return ", ".join(
        f"{ceiling['kind']} ceiling of {ceiling['tokens']:,} tokens ({ceiling['role']})"
        for ceiling in ceilings
    )
