"""The files of evalscope 1.14.1: OUTPUTS/MODEL/ with pred.jsonl, eval_length.jsonl and eval_quality.jsonl.

It pairs responses with prompts in the order in which they were completed (see `pairing`). Of its judge only
the means are kept, in which a failed judgement counts as 3; nothing tells those from judged threes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from longbench_write.exchange.sources import Source, figure, figures, find, read_answers, read_objects

PREDICTIONS = "pred.jsonl"
LENGTH = "eval_length.jsonl"
QUALITY = "eval_quality.jsonl"


def read_evalscope(place: Path) -> Source:
    """Read what evalscope's LongBench-Write task wrote.

    Args:
        place: The folder of a model's files, the outputs' folder where there is but one model, or pred.jsonl.

    Raises:
        UsageError: A file is not there, cannot be read, or is not as it must be.
    """
    folder = place.parent if place.is_file() else find(place, PREDICTIONS)
    path = place if place.is_file() else folder / PREDICTIONS
    content = read_answers(path)
    files = {path.name: content.sha256}
    reported: dict[str, float] = {}
    if path is not place:
        for name in (LENGTH, QUALITY):
            if (folder / name).is_file():
                digest = hashlib.sha256()
                for _, row in read_objects(folder / name, digest):
                    length = figure(row.get("score_l"))
                    reported |= figures(row) | ({} if length is None else {"S_l": length})
                files[name] = digest.hexdigest()
    notes = []
    if "S_q" in reported:
        notes.append(
            f"evalscope reported S_q {reported['S_q']:.1f}; it keeps no judgement of a single response and "
            "counts a failed one as 3, so that figure can neither be checked nor taken over."
        )
    return Source(
        harness="evalscope",
        model=folder.resolve().name.replace("__", "/") if path.name == PREDICTIONS else None,
        files=files,
        answers=content.answers,
        reported=reported,
        notes=notes,
    )
