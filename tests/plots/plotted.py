"""Blocks of runs to draw, made of as many responses as a test names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from samples import RUN_INFO, judged, predicted

from longbench_write.compare.collection import Block, Entry
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv


def entry(folder: Path, model: str, responses: Iterable[dict], *, judge: bool = True, **info) -> Entry:
    """A scored run; a response is a dict of a `Prediction`'s fields, and its six `scores`, if judged."""
    predictions, judgements = [], []
    for number, response in enumerate(responses):
        fields = {"name": f"p-{number}"} | response
        scores = fields.pop("scores", None)
        predictions.append(predicted(**fields))
        if scores:
            judgements.append(judged(fields["name"], fields.get("sample", 0), scores))
    if not judge:
        info |= {"judge": None, "judge_sha256": None}
    info |= {"model": model, "prompts": {"n": len({p.id for p in predictions}), "sha256": "4" * 64}}
    summary, rows = summarise(
        replace(RUN_INFO, **info), predictions, judgements, owed=len(predictions), seconds=1.0
    )
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    (folder / "scores.csv").write_text(scores_csv(rows), encoding="utf-8")
    return Entry(folder, summary, model)


def written(required: int, length: int, scores=(4, 4, 4, 4, 4, 4), **fields) -> dict:
    """A judged response of so many words to a prompt that asks for so many."""
    return {"length": required, "response_length": length, "scores": scores} | fields


def block(*entries: Entry) -> Block:
    return Block("s · 2 prompts · judge j", list(entries))
