"""Run folders to make reports of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import yaml
from samples import judged, predicted

from longbench_write.compare.collection import Entry, collect
from longbench_write.metrics.length import count_words, count_words_unicode
from longbench_write.records import Judgement, Prediction
from longbench_write.runs.results import score_run

HOSTILE = (
    "<script>window.hacked = 1</script> </script><img src=x onerror='window.hacked = 2'> <!-- <![CDATA[ ]]> "
    "&lt;b&gt; {{ 7 * 7 }} javascript:window.hacked=3 \" ' ` \u2028\u2029 \0 \u202e"
)
"""Text that would like to be more than text."""


def put_run(
    folder: Path,
    predictions: Sequence[Prediction],
    judgements: Sequence[Judgement] = (),
    *,
    model: str = "m",
    suite: str = "s",
    judge: str | None = None,
    owed: int | None = None,
) -> Path:
    """A run folder with these records, scored; the judge is by default that of the judgements, if any."""
    folder.mkdir(parents=True)
    judge = judge or next((judgement.judge for judgement in judgements), None)
    labels = dict.fromkeys([judgement.judge for judgement in judgements] + ([judge] if judge else []))
    manifest = {
        "model": model,
        "suite": {
            "name": suite,
            "version": "1",
            "sha256": suite.encode("utf-8", "surrogatepass").hex()[:8].ljust(64, "0"),
        },
        "writer": "direct",
        "prompts": {"n": owed or len(predictions), "sha256": "0" * 64},
        "owed": owed or len(predictions),
        "backend": {"kind": "openai", "base_urls": []},
        "config": {"samples": 1, "temperature": 0.5, "max_tokens": 32768, "seed": 42},
        "judge": judge,
        "judges": {label: {"config_sha256": "7" * 64, "note": "A note."} for label in labels},
        "start": "2026-11-21T00:00:00+00:00",
        "seconds": 1.0,
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(manifest))
    for name, records in (("predictions", predictions), ("judgements", judgements)):
        lines = [json.dumps(record.to_json()) + "\n" for record in records]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    score_run(folder)
    return folder


def entries(*places: Path) -> list[Entry]:
    return collect(places).entries


def written(name: str = "p-1", sample: int = 0, *, response: str, **changes) -> Prediction:
    """A prediction whose counts are those of its response."""
    return predicted(
        name,
        sample,
        response=response,
        response_length=count_words(response),
        response_length_unicode=count_words_unicode(response),
        **changes,
    )


def small_run(folder: Path, **changes) -> Path:
    return put_run(folder, [written("p-1", response="Rivers run.")], [judged("p-1")], **changes)
