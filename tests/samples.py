"""Records and suites that tests make up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Failure, Judgement, Prediction
from longbench_write.runs.observer import Observer
from longbench_write.scoring.summary import RunInfo

MANIFEST = {
    "model": "m",
    "suite": {"name": "s", "version": "1", "sha256": "5" * 64},
    "writer": "direct",
    "prompts": {"n": 4, "sha256": "4" * 64},
    "owed": 4,
    "backend": {"kind": "openai", "base_urls": []},
    "config": {"samples": 1, "temperature": 0.5, "max_tokens": 32768, "seed": 42},
    "judge": None,
    "judges": {},
    "start": "2026-11-21T00:00:00+00:00",
    "seconds": 1.0,
}
"""What run.yaml says at least."""

PREDICTION = Prediction(
    prompt="Write about rivers.",
    type="Popular Science",
    length=100,
    response_length=90,
    response="Rivers " * 90,
    id="p-1",
    language="en",
    sample=0,
    response_length_unicode=91,
    reasoning="",
    reasoning_words=0,
    finish_reason="stop",
    max_tokens_effective=None,
    usage={"prompt_tokens": 5, "completion_tokens": 120, "reasoning_tokens": None, "cached_tokens": None},
    seconds=1.5,
    error=None,
    attempts=1,
)


RUN_INFO = RunInfo(
    model="m",
    writer="direct",
    suite="s",
    suite_version="1",
    suite_sha256="5" * 64,
    prompts={"n": 4, "sha256": "4" * 64},
    samples=1,
    settings={"backend": "openai", "temperature": 0.5, "max_tokens": 32768, "seed": 42},
    judge="j",
    judge_sha256="7" * 64,
    judge_note="",
    start="2026-11-21T00:00:00+00:00",
    note="",
)


def predicted(name: str = "p-1", sample: int = 0, **changes) -> Prediction:
    return replace(PREDICTION, id=name, sample=sample, **changes)


def failed(
    name: str = "p-1", sample: int = 0, *, kind: str = "context_length", final: bool = True
) -> Prediction:
    return predicted(
        name,
        sample,
        response=None,
        response_length=None,
        response_length_unicode=None,
        finish_reason=None,
        usage=None,
        seconds=None,
        error=Failure(kind, "no room", final),
    )


def judged(
    name: str = "p-1", sample: int = 0, scores=(4, 4, 4, 4, 4, 4), *, judge: str = "j", **changes
) -> Judgement:
    return Judgement(
        **{
            "id": name,
            "sample": sample,
            "judge": judge,
            "repeat": 0,
            "scores": dict(zip(DIMENSIONS, scores, strict=True)) if scores else None,
            "analysis": "",
            "raw": "{}",
            "error": None if scores else Failure("invalid_reply", "no JSON object", True),
            "usage": None,
            "seconds": 1.0,
            "tries": 1,
        }
        | changes
    )


LENGTHS = (100, 300, 800, 1500, 2500, 3500, 5000, 20000)


def write_suite(folder: Path, lengths=LENGTHS) -> Path:
    """A suite of our own, one prompt a length, English and Chinese in turns."""
    path = folder / "rivers.jsonl"
    lines = [
        {"prompt": f"写一篇关于第{number}条河的文章", "type": "Popular Science", "length": length}
        if number % 2
        else {"prompt": f"Describe river number {number}.", "type": "News Report", "length": length}
        for number, length in enumerate(lengths)
    ]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


class Notes(Observer):
    """Keeps what a run tells."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def write_judge(folder: Path, template: str, **card) -> str:
    """Write the folder of a judge whose card has these keys."""
    folder.mkdir()
    card = {"description": "d", "model": "judge-model", "template": "template.txt"} | card
    (folder / "judge.yaml").write_text(json.dumps(card))
    (folder / "template.txt").write_text(template)
    return str(folder)
