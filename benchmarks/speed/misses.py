"""Why a figure misses its target, and what was tried; by the target's name."""

from __future__ import annotations

from collections.abc import Mapping

_SLOWER = (
    "The targets were set on a machine whose `python -c pass` takes 0.012 s; see The start for this one's. "
)
_START = (
    f"{_SLOWER}Most of the time beyond the limit is the start: imports, of which the openai client's types, "
    "which its package imports without need, take the most."
)
_REQUEST = (
    f"{_SLOWER}There, a request costs this process 0.7 ms (see How cost grows), and answers that come at "
    "once wait for each other."
)

REASONS: Mapping[str, str] = {
    "--help": _SLOWER + "There it takes 0.12 s.",
    "--version, of --help": "Both are the same imports; they differ by chance.",
    "constant, 32 in flight: first to last request, of the limit": _REQUEST,
    **{
        f"{scenario}: whole process beyond the limit": _START
        for scenario in (*(f"constant, {number} in flight" for number in (10, 32, 120)), "realistic")
    },
    "long texts: first to last request, of the fastest peer's": (
        _SLOWER + "3.6 million events are read one by one, with the checks of each; the plain loop does not "
        "stream."
    ),
    "long texts: whole process beyond the limit": (
        f"{_START} The rest is measuring 3.6 million words: done at the end, it took 2.8 s more; it is done "
        "while the next responses are written."
    ),
}
