"""How a response of many requests was made: its plan, and which step wrote which part of the text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longbench_write.files.jsonl import Records
from longbench_write.metrics.length import count_words
from longbench_write.records import Key, Prediction, Step
from longbench_write.runs.folder import STEPS

PLAN = "plan"
"""The step whose answer is a plan."""


def read_steps(folder: Path) -> Mapping[Key, Sequence[Step]]:
    """Read a run's steps by response; none where its writer makes one request.

    Raises:
        RunFolderError: They cannot be read.
    """
    found: dict[Key, list[Step]] = defaultdict(list)
    if (folder / STEPS).exists():
        for step in Records(folder / STEPS, Step.from_json, lambda step: step.key):
            found[step.id, step.sample].append(step)
    return found


def made_of(prediction: Prediction, steps: Sequence[Step]) -> dict[str, Any]:
    """Return what the page shows of how a response was made.

    Args:
        prediction: The response.
        steps: All that is recorded of its steps.

    Returns:
        `plan`: its text, None where no model planned; `steps`: for each that wrote a part of the text, in
        order, `step`, `planned` and `written` words, `left_out`, how many earlier texts its request lacked,
        and `start`, its place in UTF-16 code units. Steps whose text did not go into the response, as one
        that a review replaced, do not stand there.
    """
    used = {sha256: place for place, sha256 in enumerate(prediction.requests or ())}
    ordered = sorted(
        (step for step in steps if step.request_sha256 in used), key=lambda step: used[step.request_sha256]
    )
    plans = [step.text for step in ordered if step.step == PLAN]
    text = prediction.response or ""
    parts, done = [], 0
    for step in ordered:
        if step.step == PLAN or not step.text or (start := text.find(step.text, done)) < 0:
            continue
        if text[done:start].strip():
            continue
        done = start + len(step.text)
        parts.append(
            {
                "step": step.step,
                "planned": step.planned_words,
                "written": count_words(step.text),
                "left_out": len(step.left_out or ()),
                "start": len(text[:start].encode("utf-16-le", "surrogatepass")) // 2,
            }
        )
    return {"plan": plans[-1] if plans else None, "steps": parts}
