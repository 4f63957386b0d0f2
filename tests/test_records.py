from dataclasses import asdict

import pytest
from samples import failed, judged, predicted

from longbench_write.metrics.quality import DIMENSIONS

PART = {"words": 3, "scores": dict.fromkeys(DIMENSIONS, 4), "analysis": "Well made."}
IN_CHAPTERS = judged("b", chapters=[PART, PART | {"words": 7}], raw="{...}", analysis="Well made.")
UNREADABLE = judged("c", scores=None, raw="Well...")


@pytest.mark.parametrize("record", [predicted("a"), failed("b"), judged("a"), IN_CHAPTERS, UNREADABLE])
def test_a_line_holds_every_field_in_its_order(record):
    assert list(record.to_json().items()) == list(asdict(record).items())
