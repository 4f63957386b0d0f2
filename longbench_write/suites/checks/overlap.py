"""Runs of words or characters that two texts share, and how much of a text another one has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from longbench_write.suites.suite import Prompt

WORD_RUN = 8
"""Words in a row that no two texts share by chance."""
CHARACTER_RUN = 12
"""Ideographs in a row that no two texts share by chance."""
NEAR = 0.3
"""Share of the shorter text's short runs from which on two prompts are one template with words exchanged."""

_SHORT_WORD_RUN = 3
_SHORT_CHARACTER_RUN = 5
TokenRun = tuple[str, ...]


def _tokens(text: str) -> tuple[list[str], list[str]]:
    """Return the words in lower case and the ideographs, each in order; all else is ignored."""
    return re.findall(r"[a-z]+(?:['’][a-z]+)?", text.lower()), re.findall(r"[\u4e00-\u9fff]", text)


def _grams(items: Sequence[str], size: int) -> Iterable[TokenRun]:
    return (tuple(items[start : start + size]) for start in range(len(items) - size + 1))


def long_runs(text: str) -> dict[TokenRun, str]:
    """Return every run of `WORD_RUN` words and `CHARACTER_RUN` ideographs of a text, with its wording."""
    words, characters = _tokens(text)
    runs = {run: " ".join(run) for run in _grams(words, WORD_RUN)}
    return runs | {run: "".join(run) for run in _grams(characters, CHARACTER_RUN)}


def shared_runs(prompts: Iterable[Prompt], others: Iterable[Prompt]) -> list[tuple[Prompt, Prompt, str]]:
    """Return each pair of a prompt and another one that share a long run, with the first such run."""
    holders: dict[TokenRun, list[Prompt]] = defaultdict(list)
    for other in others:
        for run in long_runs(other.prompt):
            holders[run].append(other)
    found: dict[tuple[str, str], tuple[Prompt, Prompt, str]] = {}
    for prompt in prompts:
        for run, text in long_runs(prompt.prompt).items():
            for other in holders.get(run, ()):
                found.setdefault((prompt.id, other.id), (prompt, other, text))
    return list(found.values())


def _short_runs(text: str) -> frozenset[TokenRun]:
    words, characters = _tokens(text)
    return frozenset(_grams(words, _SHORT_WORD_RUN)) | frozenset(_grams(characters, _SHORT_CHARACTER_RUN))


def near_duplicates(prompts: Sequence[Prompt]) -> list[tuple[Prompt, Prompt, float]]:
    """Return each pair that shares `NEAR` or more of the shorter one's runs of 3 words or 5 ideographs.

    Prompts that differ in numbers, case or punctuation alone share all of them: 1.0.
    """
    runs = [_short_runs(prompt.prompt) for prompt in prompts]
    plain = [_tokens(prompt.prompt) for prompt in prompts]
    found = []
    for second, prompt in enumerate(prompts):
        for first in range(second):
            least = min(len(runs[first]), len(runs[second]))
            shared = len(runs[first] & runs[second]) / least if least else 0.0
            if plain[first] == plain[second]:
                shared = 1.0
            if shared >= NEAR:
                found.append((prompts[first], prompt, shared))
    return found
