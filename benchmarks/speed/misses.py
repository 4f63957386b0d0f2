"""Why a figure misses its target, and what was tried; by the target's name."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "long texts: whole process beyond the limit": (
        "Most of the time beyond the limit is the start: 0.1 s for the command line, 0.3 s for the "
        "evaluation (numpy and pydantic included), 0.5 s for the openai client, most of that for types that "
        "its package imports without need. The rest is measuring 3.6 million words: done at the end, it "
        "took 2.8 s more; it is done while the next responses are written."
    ),
}
