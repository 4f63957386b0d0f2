"""Of texts that nothing has spoilt, at most one is suspect; they were written blind to the detector."""

from __future__ import annotations

import json
from pathlib import Path

from samples import predicted

from longbench_write.metrics.length import count_words
from longbench_write.serving.suspect_log import SuspectLog

FOLDER = Path(__file__).parent / "honest_texts"
TEXTS = [json.loads(line) for line in (FOLDER / "honest.jsonl").read_text(encoding="utf-8").splitlines()]


def suspects(usages=None):
    log = SuspectLog()
    for text in TEXTS:
        log.add_prediction(
            predicted(
                text["id"],
                prompt=text["prompt"],
                response=text["text"],
                response_length=count_words(text["text"]),
                usage=usages and {"completion_tokens": usages[text["id"]]},
            )
        )
    return log.suspects()


def test_honest_texts():
    assert len(TEXTS) >= 120
    assert len(suspects()) <= 1
