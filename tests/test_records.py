from dataclasses import asdict

import pytest
from samples import HEADING, failed, judged, predicted

from longbench_write.records import DIMENSIONS
from longbench_write.scoring import summarise

PART = {"words": 3, "scores": dict.fromkeys(DIMENSIONS, 4), "analysis": "Well made."}
IN_CHAPTERS = judged("b", chapters=[PART, PART | {"words": 7}], raw="{...}", analysis="Well made.")
UNREADABLE = judged("c", scores=None, raw="Well...")


@pytest.mark.parametrize("record", [predicted("a"), failed("b"), judged("a"), IN_CHAPTERS, UNREADABLE])
def test_a_line_holds_every_field_in_its_order(record):
    assert list(record.to_json().items()) == list(asdict(record).items())


def test_without_their_texts_judgements_count_the_same():
    predictions = [predicted(name) for name in "abc"]
    judgements = [judged("a"), IN_CHAPTERS, UNREADABLE]
    lean = [judgement.without_texts() for judgement in judgements]
    assert summarise(HEADING, predictions, lean, owed=3, seconds=1.0) == summarise(
        HEADING, predictions, judgements, owed=3, seconds=1.0
    )
    assert not any(judgement.raw or judgement.analysis for judgement in lean)
    assert lean[1].chapters[0]["analysis"] == ""
