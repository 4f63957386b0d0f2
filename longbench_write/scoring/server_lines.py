"""What must be known of a run's servers beside its figures."""

from __future__ import annotations

from longbench_write.scoring.summary import Summary
from longbench_write.serving.messages import ceiling_lines, serving_lines, suspect_lines


def server_lines(summary: Summary) -> list[str]:
    """Return a sentence each: ceilings and what they put out of reach, who answered, and suspects."""
    return [
        *ceiling_lines(summary.ceilings, summary.reach),
        *serving_lines(summary.serving),
        *suspect_lines(summary.suspects, summary.S_l),
    ]
