import pytest
from samples import HEADING, failed, judged, predicted

from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.signs import FLAGS, Signs, signs_of

LOOP = "The same few words come again and again without an end in sight. " * 40


def test_a_loop_that_was_cut_off_shows_both():
    signs = signs_of(predicted("a", response=LOOP, finish_reason="length"))
    assert signs.flags == {"truncated", "repetitive"}
    assert signs.repetition.share > 0.9


def test_an_ordinary_response_shows_nothing():
    assert signs_of(predicted("a", response="The harbour was quiet when they came.")).flags == frozenset()


def test_a_failed_prediction_shows_nothing_and_says_so():
    with pytest.raises(ValueError, match="failed"):
        signs_of(failed("a"))


def test_what_is_known_of_a_response_is_not_looked_for_again():
    predictions = [predicted("a"), predicted("b", response=LOOP), failed("c")]
    judgements = [judged("a"), judged("b")]
    known = {record.key: signs_of(record) for record in predictions if record.response is not None}
    fresh = summarise(HEADING, predictions, judgements, owed=3, seconds=1.0)
    assert summarise(HEADING, predictions, judgements, owed=3, seconds=1.0, signs=known) == fresh
    other = {predictions[0].key: Signs(frozenset(FLAGS), known[predictions[1].key].repetition)}
    _, rows = summarise(HEADING, predictions, judgements, owed=3, seconds=1.0, signs=other)
    assert rows[0].flags == frozenset(FLAGS)
