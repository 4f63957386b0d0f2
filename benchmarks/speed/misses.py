"""Why a figure misses its target, and what was tried; by the target's name."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "long texts: whole process beyond the limit": (
        "Of what is beyond the limit, most is the start: 0.1 s for the command line, 0.3 s for the "
        "evaluation (numpy and pydantic among it), 0.5 s for the openai client, most of that for types "
        "which are not used and which its package imports all the same. Then come 3.6 million words of "
        "which something is to be seen: seen at the end, they took 2.8 s more; they are seen while the "
        "next are written."
    ),
}
