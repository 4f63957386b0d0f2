"""Whether prompts have the form of the official prompts that they name, and nothing else of them.

A model that obeys the form alone then does as well on a prompt as on its mirror, and a difference between the
two says something about the words: the contamination gap rests on this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from longbench_write.metrics.length import count_words
from longbench_write.suites.checks.fault import Fault
from longbench_write.suites.checks.overlap import NEAR, shared_share
from longbench_write.suites.checks.stated import Stated, stated_lengths
from longbench_write.suites.suite import Prompt, language_of

LENGTH_TOLERANCE = 0.25
"""How much longer or shorter than its mirror a prompt may be, in official words."""
_EQUAL = ("type", "language", "length", "length_rule", "length_bounds", "length_stated")
_PAGES = re.compile(r"([0-9]+)[ -]pages?\b", re.IGNORECASE)


def check_mirrors(prompts: Iterable[Prompt], official: Iterable[Prompt]) -> list[Fault]:
    """Check each prompt that names a mirror against it.

    Both have to agree in type, language, length, rule, bounds and script, and in the way the length is stated
    (digits or words, hyphen, "at least" or "no less than"). A prompt's own length has to lie within a quarter
    of its mirror's. No mirror may be named twice, or be the same prompt with words exchanged.
    """
    known = {prompt.id: prompt for prompt in official}
    faults = []
    first: dict[str, Prompt] = {}
    for prompt in prompts:
        if not prompt.mirrors:
            continue
        if other := first.get(prompt.mirrors):
            faults.append(Fault("mirrors", (other.id, prompt.id), f"both mirror {prompt.mirrors}"))
        first.setdefault(prompt.mirrors, prompt)
        if mirror := known.get(prompt.mirrors):
            faults += [Fault("mirrors", (prompt.id,), text) for text in _differences(prompt, mirror)]
        else:
            text = f"there is no official prompt {prompt.mirrors!r}"
            faults.append(Fault("mirrors", (prompt.id,), text))
    return faults


def _differences(prompt: Prompt, mirror: Prompt) -> Iterator[str]:
    for name in _EQUAL:
        have, wanted = getattr(prompt, name), getattr(mirror, name)
        if have != wanted:
            yield f"{name} is {have}, that of {mirror.id} {wanted}"
    forms = [
        [*map(_form, stated_lengths(each.prompt)), *_PAGES.findall(each.prompt)] for each in (prompt, mirror)
    ]
    if forms[0] != forms[1]:
        yield f"the length is not stated as in {mirror.id}: {forms[0]}, there {forms[1]}"
    if (script := language_of(prompt.prompt)) != language_of(mirror.prompt):
        yield f"it is written in {script}, {mirror.id} is not"
    words, wanted = count_words(prompt.prompt), count_words(mirror.prompt)
    if abs(words - wanted) > LENGTH_TOLERANCE * wanted:
        yield f"it has {words} words, {mirror.id} has {wanted}: more than a quarter apart"
    texts = [without_length(each.prompt) for each in (prompt, mirror)]
    if (shared := shared_share(*texts)) >= NEAR:
        share = f"{round(100 * shared)}%"
        yield f"it is {mirror.id} with words exchanged: {share} of the shorter one is the other's too"


def _form(stated: Stated) -> str:
    """Return the wording of a stated length: "about: approximately 400 word"."""
    text = re.sub(r"words\b", "word", stated.text.casefold())
    return f"{stated.rule}: {stated.hedge.casefold()} {text}"


def without_length(text: str) -> str:
    """Return a text without the statements of its length."""
    for stated in stated_lengths(text):
        text = text.replace(stated.text, " ").replace(stated.hedge or stated.text, " ")
    return text
