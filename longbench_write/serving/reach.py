"""What a ceiling puts out of reach: prompts whose required lengths lie above it, and the S_l that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from longbench_write.metrics.length import length_score
from longbench_write.serving.cuts import Ceiling


@dataclass(frozen=True, slots=True)
class Written:
    """What one answer tells of how many tokens a word takes, and what it should have been.

    Attributes:
        id: The prompt's.
        language: Of the prompt.
        length: Required words; None where the prompt asks for no length.
        words: Words written (official count).
        tokens: Those of the text alone, without reasoning; None where the server did not count them.
        prompt_tokens: Those of the prompt; None where they were not counted.
    """

    id: str
    language: str
    length: int | None
    words: int
    tokens: int | None
    prompt_tokens: int | None


def tokens_per_word(answers: Iterable[Written]) -> dict[str, float]:
    """Return how many tokens a word takes, by language, and over all under ""; without an answer, nothing."""
    tokens: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for each in answers:
        if each.tokens and each.words:
            for language in (each.language, ""):
                tokens[language] += each.tokens
                words[language] += each.words
    return {language: tokens[language] / words[language] for language in words}


def reach(answers: Sequence[Written], ceiling: Ceiling | None) -> dict[str, float | int] | None:
    """Return what a ceiling leaves of a benchmark.

    Args:
        answers: The run's, failed ones too.
        ceiling: Of the writer's answers; None for none.

    Returns:
        `prompts`, how many required lengths lie above the ceiling, and `S_l`, 0 to 100, of a model that
        writes exactly what is asked, or up to the ceiling. None without a ceiling of answers, without a
        prompt that asks for a length, or where the tokens of a word are not known.
    """
    rates = tokens_per_word(answers)
    if ceiling is None or ceiling.kind == "prompt" or not rates:
        return None
    prompts = _prompts(answers)
    scores: list[float] = []
    beyond = 0
    for prompt, prompt_tokens in prompts.values():
        room = ceiling.tokens - (prompt_tokens if ceiling.kind == "context" else 0)
        words = int(max(0, room) / (rates.get(prompt.language) or rates[""]))
        beyond += words < (prompt.length or 0)
        scores.append(length_score(prompt.length or 1, min(prompt.length or 1, words)))
    return {"prompts": beyond, "S_l": sum(scores) / len(scores)} if scores else None


def _prompts(answers: Iterable[Written]) -> Mapping[str, tuple[Written, int]]:
    """Return each prompt that asks for a length, with the tokens that it has; 0 where they are not known."""
    found: dict[str, tuple[Written, int]] = {}
    for each in answers:
        if each.length is not None:
            known = found.get(each.id, (each, 0))[1]
            found[each.id] = each, max(known, each.prompt_tokens or 0)
    return found
