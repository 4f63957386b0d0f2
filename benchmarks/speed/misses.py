"""Why a figure misses its target, and what was tried; by the target's name."""

from __future__ import annotations

from collections.abc import Mapping

_START = (
    "Of what is beyond the limit, most is the start: 0.1 s for the command line, 0.3 s for the evaluation "
    "(numpy and pydantic among it), 0.5 s for the openai client, most of that for types which are not used and "
    "which its package imports all the same."
)

REASONS: Mapping[str, str] = {
    "--help": (
        "A third of it is Python and typer. Tried: no search for garbage while modules are imported (0.015 s), "
        "email where a header needs it (0.015 s)."
    ),
    "constant, 32 in flight: first to last request, of the limit": (
        "All 32 answers of a round come at once and are taken one after the other; each costs what the table of "
        "ways to read an answer says. Tried: connections kept on loopback (0.1 s less), requests put together by "
        "hand (0.08 s less), no long search for garbage (up to 0.07 s less), jiter instead of json (nothing that "
        "could be told from noise)."
    ),
    "realistic: whole process beyond the limit": _START,
    "long texts: whole process beyond the limit": (
        f"{_START} Then come 3.6 million words of which something is to be seen: seen at the end, they took 3.4 s "
        "more; they are seen while the next are written."
    ),
    "long texts: first to last request, of the fastest peer's": (
        "A tie: the server takes the whole time, whoever asks; the limit itself is 0.99 of the peer's."
    ),
}
