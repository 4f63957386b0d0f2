"""Whether responses stand beside the prompts that they answer, judged by the words that both have in common.

A response that another prompt of the file fits clearly better is suspicious if that prompt, too, stands
beside a response that does not fit it best: responses that were mixed up change places with each other, while
one that merely strays from its subject takes nobody's place. Prompts that differ in a number alone, as
LongWrite-Ruler's of one topic, cannot be told apart so.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

CLEARLY = 1.5
"""How many times better another prompt has to fit."""
LEAST_FIT = 0.5
"""What another prompt has to fit at least: less is chance."""
STEM = 6
"""Letters by which words are compared, so that endings do not matter."""

_CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_TERM = re.compile(rf"[^\W\d_{_CJK}]{{3,}}|[{_CJK}]{{2,}}")
_FIRST_CJK = "\u3040"


def mispaired(prompts: Sequence[str], responses: Sequence[str]) -> list[int]:
    """Return the places of responses that seem to answer another of the prompts.

    Args:
        prompts: What each response is said to answer; the same prompt may stand at several places.
        responses: As many.
    """
    asked = [_terms(prompt) for prompt in prompts]
    fits = _fits(asked, [_terms(response) for response in responses])
    own = [fits[place].get(place, 0.0) for place in range(len(prompts))]

    def better(place: int, times: float) -> list[int]:
        """Return other prompts that fit this response better, and better than the response beside them."""
        return [
            other
            for other, fit in fits[place].items()
            if fit > max(times * own[place], times * own[other], LEAST_FIT) and asked[other] != asked[place]
        ]

    out_of_place = {place for place in range(len(prompts)) if better(place, 1.0)}
    return [
        place
        for place in sorted(out_of_place)
        if any(other in out_of_place for other in better(place, CLEARLY))
    ]


def _terms(text: str) -> frozenset[str]:
    """Return the stems of a text's words, and its pairs of neighbouring CJK characters."""
    found: set[str] = set()
    for match in _TERM.findall(text.lower()):
        if match[0] >= _FIRST_CJK:
            found.update(match[i : i + 2] for i in range(len(match) - 1))
        else:
            found.add(match[:STEM])
    return frozenset(found)


def _fits(asked: Sequence[frozenset[str]], answered: Sequence[frozenset[str]]) -> list[dict[int, float]]:
    """Return how well each prompt fits each response; leave out prompts that share nothing with it.

    The fit is the cosine of tf-idf vectors with binary tf, but for the response's norm, which is the same for
    all prompts.
    """
    prompts_with: dict[str, list[int]] = defaultdict(list)
    for place, terms in enumerate(asked):
        for term in terms:
            prompts_with[term].append(place)
    known = [terms & prompts_with.keys() for terms in answered]
    responses_with = Counter(term for terms in known for term in terms)
    weights = {
        term: math.log(2 * len(asked) / (len(places) + responses_with[term])) ** 2
        for term, places in prompts_with.items()
    }
    norms = [math.sqrt(sum(weights[term] for term in terms)) for terms in asked]
    fits: list[dict[int, float]] = []
    for terms in known:
        fit: dict[int, float] = defaultdict(float)
        for term in terms:
            for place in prompts_with[term]:
                if weights[term]:
                    fit[place] += weights[term] / norms[place]
        fits.append(fit)
    return fits
