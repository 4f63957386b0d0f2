"""What servers did to two runs that are compared: what they cut, spoilt or added, and who answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from longbench_write.compare.scores import Response, RunScores
from longbench_write.serving.cuts import LIMIT, ROOM, SERVER, UNKNOWN
from longbench_write.serving.messages import ceiling_mark

_FEWEST = 8
"""Prompts that must agree before a constant difference of their tokens is said."""

_AGREEING = 0.95
"""The share of them that must have just that difference: other tokenizers' counts differ prompt by prompt."""

SIDES = ("A", "B")
"""What the reference and the new run are called where nothing else is said."""

_ANSWERING = ("writer", "planner")
"""Roles whose ceilings shape a response."""


@dataclass(frozen=True)
class Without:
    """Two runs without those of their responses that servers may have spoilt.

    Attributes:
        what: What was left out: "ceilings", "suspects", or "ceilings and suspects".
        where: What is left, in words that end a sentence.
        why: The ceilings, or the suspects by reason.
        a, b: The reference and the new run, with the rest of their responses.
    """

    what: str
    where: str
    why: str
    a: RunScores
    b: RunScores


def without_spoilt(a: RunScores, b: RunScores, names: tuple[str, str] = SIDES) -> list[Without]:
    """Return two runs without what servers may have spoilt: by each of the causes, at last by all of them.

    Under ceilings that differ, the prompts go that either server cut; of suspects, the responses. A run known
    by its summary alone does not say which prompts were cut: then none is left.

    Args:
        a: The reference.
        b: The new run.
        names: What the two are called.

    Returns:
        Nothing where there is nothing to leave out.
    """
    causes = [found for find in (_without_cut, _without_suspects) if (found := find(a, b, names))]
    if len(causes) < 2:
        return causes
    cut, suspects = causes
    both = _without_suspects(cut.a, cut.b, names)
    if both is None:
        return [cut, suspects]
    what, where = f"{cut.what} and {suspects.what}", f"{cut.where}, {both.where}"
    return [cut, suspects, replace(both, what=what, where=where, why=f"{cut.why}; {suspects.why}")]


def ceilings_differ(a: RunScores, b: RunScores) -> bool:
    """Return whether two runs' responses had other ceilings; False where one does not know its own."""
    if a.ceilings is None or b.ceilings is None:
        return False
    return not (_all_among(a.ceilings, b.ceilings) and _all_among(b.ceilings, a.ceilings))


def _all_among(some: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> bool:
    return all(
        any(
            (each["role"], each["kind"]) == (other["role"], other["kind"])
            and abs(each["tokens"] - other["tokens"]) <= ROOM
            for other in others
        )
        for each in some
        if each["role"] in _ANSWERING
    )


def _without_cut(a: RunScores, b: RunScores, names: tuple[str, str]) -> Without | None:
    if not ceilings_differ(a, b):
        return None
    known = "; ".join(f"{name}: {_ceilings(each)}" for name, each in zip(names, (a, b), strict=True))
    why = f"the ceilings differ ({known})"
    if a.summary or b.summary:
        if not any(each["count"] for scores in (a, b) for each in scores.ceilings or ()):
            return None
        where = "on prompts that neither server cut, which a summary alone does not tell"
        nothing = [replace(scores, summary=None, responses={}) for scores in (a, b)]
        return Without("ceilings", where, why, *nothing)
    cut = _cut_prompts(a) | _cut_prompts(b)
    common = a.lengths.keys() & b.lengths.keys()
    if not cut & common:
        return None
    kept = [_only(scores, lambda response: response.id not in cut) for scores in (a, b)]
    return Without("ceilings", f"on the {len(common - cut)} prompts that neither server cut", why, *kept)


def _cut_prompts(scores: RunScores) -> set[str]:
    """Return the prompts of which a server cut a response; a limit that it had lowered is its own."""
    lowered = any(each["source"] != "cut" and each["count"] for each in scores.ceilings or ())
    by = {SERVER, UNKNOWN, LIMIT} if lowered else {SERVER, UNKNOWN}
    return {response.id for response in scores.responses.values() if response.cut_by in by}


def _ceilings(scores: RunScores) -> str:
    return ceiling_mark(each for each in scores.ceilings or () if each["role"] in _ANSWERING) or "none"


def _without_suspects(a: RunScores, b: RunScores, names: tuple[str, str]) -> Without | None:
    sides = zip(names, (a, b), strict=True)
    found = {name: suspects for name, each in sides if (suspects := suspect_words(each))}
    if not found:
        return None
    why = "; ".join(f"suspects of {name}: {suspects}" for name, suspects in found.items())
    kept = [_only(scores, lambda response: not response.suspect) for scores in (a, b)]
    return Without("suspects", "without the suspects", why, *kept)


def suspects_of(scores: RunScores) -> dict[str, int]:
    """Return how many responses are suspect, by reason; one may have several."""
    return dict(sorted(Counter(chain(*(each.suspect for each in scores.responses.values()))).items()))


def suspect_words(scores: RunScores) -> str:
    """Return how many responses are suspect, and by which reasons; "" for none."""
    number = sum(bool(response.suspect) for response in scores.responses.values())
    named = ", ".join(f"{reason} {count}" for reason, count in suspects_of(scores).items())
    return f"{number} ({named})" if number else ""


def _only(scores: RunScores, keep: Callable[[Response], bool]) -> RunScores:
    return replace(
        scores, responses={key: response for key, response in scores.responses.items() if keep(response)}
    )


def tokens_added(a: RunScores, b: RunScores, *, same: bool = False) -> int | None:
    """Return by how many tokens each prompt of B is longer than A's; None where that is not one number.

    Args:
        a: The reference.
        b: The new run.
        same: Leave out prompts of which it is known that other messages were sent.
    """
    common = a.prompt_tokens.keys() & b.prompt_tokens.keys()
    if same and not _other_backends(a, b):
        common = {prompt for prompt in common if not _known_to_differ(a, b, prompt)}
    if len(common) < _FEWEST:
        return None
    added = Counter(b.prompt_tokens[prompt] - a.prompt_tokens[prompt] for prompt in common)
    ((number, count),) = added.most_common(1)
    return number if number and count >= _AGREEING * len(common) else None


def added_words(number: int, names: tuple[str, str] = SIDES) -> str:
    """Return in words by how many tokens each prompt of B is longer than A's, as `tokens_added` has it."""
    shorter, longer = names if number > 0 else reversed(names)
    return (
        f"each prompt has {abs(number):,} tokens more in {longer} than in {shorter} (a system prompt, or "
        "another chat template, at the server)"
    )


def _other_backends(a: RunScores, b: RunScores) -> bool:
    """Return whether hashes of what was asked are of different things, messages and token ids."""
    return not (a.info and b.info) or a.info.settings.get("backend") != b.info.settings.get("backend")


def _known_to_differ(a: RunScores, b: RunScores, prompt: str) -> bool:
    one, other = a.prompt_hashes.get(prompt), b.prompt_hashes.get(prompt)
    return one is not None and other is not None and one != other


def mixed_models(a: RunScores, b: RunScores, role: str, names: tuple[str, str] = SIDES) -> str:
    """Return in words that more than one model answered for a run, and others than for the other run.

    Args:
        a: The reference.
        b: The new run.
        role: "models" for the writer's, "judge_models" for the judge's, as `serving` has them.
        names: What the two are called.

    Returns:
        "" where that is not so, or not known.
    """
    if a.serving is None or b.serving is None:
        return ""
    answered = [a.serving[role], b.serving[role]]
    if answered[0].keys() == answered[1].keys() or max(map(len, answered)) < 2:
        return ""
    shown = [", ".join(f"{model} {count}" for model, count in each.items()) or "unknown" for each in answered]
    whose = "judge" if role == "judge_models" else "model"
    return f"more than one {whose} answered ({names[0]}: {shown[0]}; {names[1]}: {shown[1]})"
