"""What the simulated model plans and writes, known beforehand to the word."""

from __future__ import annotations

import random
from collections.abc import Sequence

from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import Prompt
from longbench_write.writers.outline import Section, even_plan

SUITE = "lbw-open@1.0"
SERIAL, PARALLEL = "serial", "parallel"
"""Models whose every third paragraph comes out at half of its plan; they expect all earlier texts in a
request, or none."""
ANEW, HEEDING = "anew", "heeding"
"""Models whose paragraphs miss their plans at random. Asked for one again, the first misses as if it had not
been told, the other by half as much, in logarithms."""
MODELS = SERIAL, PARALLEL, *(AT_RANDOM := (ANEW, HEEDING))

MEDIAN, SPREAD = 0.8, 0.35
"""Of written over planned words where they miss at random: lognormal, the spread that of the logarithm."""
REVIEWED = 0.25
"""The share of its planned words by which a paragraph must be off to be asked for again."""


def plan_of(prompt: Prompt) -> Sequence[Section]:
    """Return the plan of a prompt, in English."""
    return even_plan(prompt.length or 1, "en", least=200, most=500, sections=50)


def first(model: str, prompt: Prompt, section: Section) -> str:
    """Return what is written for a step."""
    if model in AT_RANDOM:
        return _paragraph(prompt, section, _drawn(prompt, section, "first"))
    return _paragraph(prompt, section, 0.5 if section.number % 3 == 0 else 1.0)


def second(model: str, prompt: Prompt, section: Section) -> str:
    """Return what is written for a step that is asked for again."""
    if model == HEEDING:
        return _paragraph(prompt, section, _drawn(prompt, section, "first") ** 0.5)
    return _paragraph(prompt, section, _drawn(prompt, section, "second"))


def taken(model: str, prompt: Prompt, section: Section) -> str:
    """Return which of the two stands in the text where lengths are reviewed: the nearer to the plan."""
    written = first(model, prompt, section)
    if not is_off(section, written):
        return written
    return min(written, second(model, prompt, section), key=lambda text: _miss(section, text))


def is_off(section: Section, text: str) -> bool:
    """Return whether a review asks for a paragraph again."""
    return _miss(section, text) > REVIEWED * section.words


def text_of(prompt: Prompt, model: str = SERIAL, *, reviewed: bool = False) -> str:
    """Return the response that a writer is to make of what it is answered."""
    write = taken if reviewed else first
    return "\n\n".join(write(model, prompt, section) for section in plan_of(prompt))


def _paragraph(prompt: Prompt, section: Section, share: float) -> str:
    """Return a paragraph of a share of its planned words; its opening tells it from all others."""
    opening = f"begin {prompt.id} {section.number}"
    words = int(share * section.words)
    return " ".join([opening, *["word"] * (words - count_words(opening))]) + "."


def _drawn(prompt: Prompt, section: Section, time: str) -> float:
    return MEDIAN * random.Random(f"{prompt.id} {section.number} {time}").lognormvariate(0.0, SPREAD)


def _miss(section: Section, text: str) -> int:
    return abs(count_words(text) - section.words)
