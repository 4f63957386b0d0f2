"""The parts of VALIDITY.md, in their order; a new one is two modules and an entry here.

What measures and what makes Markdown of it lie apart, so that a better sentence measures nothing again.
"""

from benchmarks.validity import flags, flags_text, intervals, intervals_text
from benchmarks.validity.cells import SCORING, Section

SECTIONS = {
    section.name: section
    for section in (
        Section(
            "intervals", "Intervals", intervals.cells, intervals_text.text, intervals_text.missed, SCORING
        ),
        Section(
            "flags",
            "Flags",
            flags.cells,
            flags_text.text,
            flags_text.missed,
            (*SCORING, "tests/scoring/flag_texts", "tests/flag_rates.py"),
        ),
    )
}
