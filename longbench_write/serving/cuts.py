"""Who cut an answer off, and the ceilings that a run's cut answers show.

An answer is cut by the limit where its tokens reach what was asked for, whatever its finish reason says. It
is cut by the server where it ends with "length" below that, or where several answers end at one number of
tokens above which there is none, most of them in the middle of a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

CUTS = LIMIT, SERVER, UNKNOWN = "limit", "server", "unknown"
"""Who cut an answer off: our limit, the server, or one of them where the server counted no tokens."""

ROOM = 2
"""Tokens by which counts may differ and still be one ceiling: an end of turn, a template's own token."""

_AGREEING = 3
"""Answers that must end at one number where their finish reasons say that they ended by themselves."""

_FEWEST = 256
"""Tokens of the shortest of those: shorter answers often are of one length by themselves."""

_CHANCE = 0.01
"""How likely it may be that as many end there by chance, as densely as answers lie just below it."""

_BELOW = 0.1
"""How far below reaches, as a share of that number."""

_MOST = 8
"""Ceilings of one role that are told apart: more are no ceilings."""

_CLOSING = "\"'”’»」』）)]}*_~`>|#"
"""What may follow a sentence's end."""

_SENTENCE_ENDS = frozenset(".!?…。！？⋯；;:：।؟—")

Kind = Literal["context", "output", "prompt", "unknown"]
Source = Literal["cut", "refused", "models"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What tells who cut an answer off.

    Attributes:
        prompt_tokens: As the server counted them; None where it did not.
        completion_tokens: Those of the answer and of its reasoning.
        limit: New tokens that were asked for in the request that was answered; None where that is not known.
        truncated: Whether the finish reason says that a limit ended it.
        mid_sentence: Whether its text ends in the middle of a sentence.
        past_limit: Whether the server wrote on past the limit, and was read no further.
    """

    prompt_tokens: int | None
    completion_tokens: int | None
    limit: int | None
    truncated: bool
    mid_sentence: bool
    past_limit: bool = False

    @property
    def total(self) -> int | None:
        """Tokens of prompt and answer together."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens

    @property
    def reached_limit(self) -> bool:
        """Whether it has as many tokens as were asked for, or one less, as some servers count."""
        return self.past_limit or (
            self.completion_tokens is not None
            and self.limit is not None
            and self.completion_tokens >= self.limit - 1
        )


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How many tokens a server lets through at most.

    Attributes:
        role: Whose answers it cuts: "writer", "planner" or "judge".
        kind: "context" for prompt and answer together, "output" for the answer alone, "prompt" for the
            prompt; "unknown" as long as no two answers agree.
        tokens: At most.
        count: Answers that it has cut.
        source: "cut" where they show it, "refused" where a refusal named it, "models" where the server, or an
            engine in this process, says so of itself.
    """

    role: str
    kind: Kind
    tokens: int
    count: int
    source: Source


def is_mid_sentence(text: str) -> bool:
    """Return whether a text ends in the middle of a sentence."""
    end = text.rstrip().rstrip(_CLOSING).rstrip()
    return bool(end) and end[-1] not in _SENTENCE_ENDS


def who_cut(answers: Sequence[Answer]) -> list[str | None]:
    """Return who cut each answer of a role off: `LIMIT`, `SERVER`, `UNKNOWN`; None where nobody did."""
    plateau = _plateau(answers)
    return [_cut_by(answer, number in plateau) for number, answer in enumerate(answers)]


def _cut_by(answer: Answer, on_plateau: bool) -> str | None:
    if answer.reached_limit:
        return LIMIT
    if on_plateau:
        return SERVER
    if not answer.truncated:
        return None
    return UNKNOWN if answer.completion_tokens is None or answer.limit is None else SERVER


def _plateau(answers: Sequence[Answer]) -> set[int]:
    """Return which answers end at one number of tokens above which there is none, by their place.

    Several such numbers may be found one below the other where prompts went to several servers, but only the
    highest is sure: below it, that answers agree is chance more often.
    """
    found: set[int] = set()
    for tokens_of in (_completion, _total):
        counted = [
            (tokens, place) for place, each in enumerate(answers) if (tokens := tokens_of(each)) is not None
        ]
        if not counted:
            continue
        top = max(counted)[0]
        highest = [(tokens, place) for tokens, place in counted if tokens >= top - 2 * ROOM]
        level = max(
            range(top - ROOM, top + 1), key=lambda level: sum(abs(n - level) <= ROOM for n, _ in highest)
        )
        on = [
            place
            for tokens, place in highest
            if abs(tokens - level) <= ROOM and not answers[place].reached_limit
        ]
        cut = sum(answers[place].mid_sentence for place in on)
        if (
            len(on) >= _AGREEING
            and 2 * cut > len(on)
            and (answers[on[0]].completion_tokens or 0) >= _FEWEST
            and _chance(level, len(on), [tokens for tokens, _ in counted]) < _CHANCE
        ):
            found.update(on)
    return found


def _chance(level: int, count: int, tokens: Iterable[int]) -> float:
    """Return how likely it may be at most that so many answers end within `ROOM` of a level by chance.

    Their number is then Poisson distributed, with the density of the answers just below the level; its tail
    has Chernoff's bound. A model whose texts are all of about one length has several at the top of their
    lengths, which is no ceiling.

    Args:
        level: Tokens.
        count: How many end there.
        tokens: Of all answers.
    """
    lowest, highest = (1 - _BELOW) * level, level - ROOM
    below = sum(lowest <= each < highest for each in tokens)
    expected = (2 * ROOM + 1) * below / (highest - lowest)
    if not expected:
        return 0.0
    return 1.0 if count <= expected else math.exp(count - expected - count * math.log(count / expected))


def _completion(answer: Answer) -> int | None:
    return answer.completion_tokens


def _total(answer: Answer) -> int | None:
    return answer.total


def lowered_ceiling(role: str, answers: Iterable[Answer], asked: int, source: Source) -> Ceiling | None:
    """Return the ceiling that made limits of answers lower than what was asked for; None where none is.

    Args:
        role: Whose answers they are.
        answers: All of the role's.
        asked: New tokens that were wanted in each.
        source: Who said so.
    """
    lowered = [each for each in answers if each.limit is not None and each.limit < asked]
    if not lowered:
        return None
    limits = [each.limit or 0 for each in lowered]
    totals = [(each.prompt_tokens or 0) + (each.limit or 0) for each in lowered]
    count = sum(each.reached_limit for each in lowered)
    if len(lowered) == 1:
        return Ceiling(role, "unknown", max(limits), count, source)
    if max(limits) - min(limits) <= max(totals) - min(totals):
        return Ceiling(role, "output", max(limits), count, source)
    return Ceiling(role, "context", max(totals), count, source)


def ceilings_of(
    role: str, answers: Sequence[Answer], cuts: Iterable[str | None], context: int | None = None
) -> list[Ceiling]:
    """Return the ceilings that a role's answers show, those of most answers first.

    Answers that agree in prompt and answer together, within `ROOM`, show a context, those that agree in the
    answer's tokens alone an output ceiling. Where prompts of one size leave both open, the sums show a
    context if they agree better, or if the server says that it has such a one. Cut answers with which no
    other agrees show one of unknown kind.

    Args:
        role: Whose they are.
        answers: All of the role's.
        cuts: Who cut each, as `who_cut` says.
        context: Tokens that the server, or the engine, says that the model's context has; None where unknown.
    """
    cut = [answer for answer, by in zip(answers, cuts, strict=True) if by == SERVER]
    found: list[Ceiling] = []
    while cut:
        everyone = set(range(len(cut)))
        kind, members = _largest_agreement(cut, context) if len(found) < _MOST else ("unknown", everyone)
        tokens = max(_tokens(cut[place], kind) for place in members)
        found.append(Ceiling(role, kind, tokens, len(members), "cut"))
        cut = [answer for place, answer in enumerate(cut) if place not in members]
    return found


def one_each(ceilings: Iterable[Ceiling]) -> list[Ceiling]:
    """Return ceilings of a role with those that are one put together, under the source of the first."""
    found: list[Ceiling] = []
    for each in ceilings:
        for place, other in enumerate(found):
            if other.kind == each.kind and abs(other.tokens - each.tokens) <= ROOM:
                found[place] = replace(other, count=other.count + each.count)
                break
        else:
            found.append(each)
    return found


def _largest_agreement(cut: Sequence[Answer], context: int | None) -> tuple[Kind, set[int]]:
    """Return the most answers that show one ceiling, and its kind; all of them where no two agree."""
    by_output, by_context = (_agreeing(cut, tokens_of) for tokens_of in (_completion, _total))
    if max(len(by_output), len(by_context)) < 2:
        return "unknown", set(range(len(cut)))
    if len(by_context) == len(by_output):
        answers, sums = _range(cut, by_output, "output"), _range(cut, by_context, "context")
        said = context is not None and abs(sums[-1] - context) <= ROOM
        is_context = said or len(sums) < len(answers)
    else:
        is_context = len(by_context) > len(by_output)
    return ("context", by_context) if is_context else ("output", by_output)


def _range(cut: Sequence[Answer], places: Iterable[int], kind: Kind) -> range:
    """Return from which tokens to which the answers of these places lie."""
    tokens = [_tokens(cut[place], kind) for place in places]
    return range(min(tokens), max(tokens) + 1)


def _agreeing(cut: Sequence[Answer], tokens_of: Callable[[Answer], int | None]) -> set[int]:
    """Return the most answers whose tokens lie within `ROOM` of one number, the highest where several do."""
    counted = sorted((n, place) for place, each in enumerate(cut) if (n := tokens_of(each)) is not None)
    best, low = range(0), 0
    for high, (tokens, _) in enumerate(counted):
        while tokens - counted[low][0] > 2 * ROOM:
            low += 1
        if high + 1 - low >= len(best):
            best = range(low, high + 1)
    return {counted[place][1] for place in best}


def _tokens(answer: Answer, kind: Kind) -> int:
    return (answer.total if kind == "context" else answer.completion_tokens) or 0
