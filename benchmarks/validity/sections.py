"""The parts of VALIDITY.md, in their order; a new one is two modules and an entry here.

What measures and what makes Markdown of it lie apart, so that a better sentence measures nothing again.
"""

from benchmarks.validity import (
    drift,
    drift_text,
    flags,
    flags_text,
    gap,
    gap_text,
    gate,
    gate_text,
    intervals,
    intervals_text,
    nights,
    nights_text,
    ranks,
    ranks_text,
)
from benchmarks.validity.cells import MEANS, Section

COMPARE = (*MEANS, "longbench_write/compare")

SECTIONS = {
    section.name: section
    for section in (
        Section("intervals", "Intervals", intervals.cells, intervals_text.text, intervals_text.missed, MEANS),
        Section(
            "gate",
            "The gate",
            gate.cells,
            gate_text.text,
            gate_text.missed,
            (*COMPARE, "longbench_write/gate"),
        ),
        Section(
            "nights",
            "Half-years of nights",
            nights.cells,
            nights_text.text,
            nights_text.missed,
            (*COMPARE, "longbench_write/gate", "longbench_write/exchange"),
        ),
        Section(
            "drift",
            "Drift from night to night",
            drift.cells,
            drift_text.text,
            drift_text.missed,
            (
                "longbench_write/gate/following.py",
                "longbench_write/gate/trend.py",
                "longbench_write/compare/rule.py",
                "longbench_write/stats.py",
            ),
        ),
        Section(
            "ranks",
            "Ranks",
            ranks.cells,
            ranks_text.text,
            ranks_text.missed,
            (
                *MEANS,
                *(
                    f"longbench_write/compare/{name}.py"
                    for name in (
                        "collection",
                        "comparable",
                        "metrics",
                        "paired",
                        "prompt_values",
                        "rank_sets",
                        "ranking",
                        "rule",
                    )
                ),
            ),
        ),
        Section(
            "gap",
            "The contamination gap",
            gap.cells,
            gap_text.text,
            gap_text.missed,
            (
                *MEANS,
                "longbench_write/compare/contamination.py",
                "tests/obedient_models.py",
                "benchmark_data/lbw-open.jsonl",
            ),
        ),
        Section(
            "flags",
            "Flags",
            flags.cells,
            flags_text.text,
            flags_text.missed,
            ("longbench_write/scoring", "tests/scoring/flag_texts", "tests/flag_rates.py"),
        ),
    )
}
