import pytest
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.scoring.flags import FLAGS, ResponseFlags, flags_of
from longbench_write.scoring.scoring import summarise

LOOP = "The same few words come again and again without an end in sight. " * 40


def test_a_loop_that_was_cut_off_shows_both():
    response_flags = flags_of(predicted("a", response=LOOP, finish_reason="length"))
    assert response_flags.flags == {"truncated", "repetitive"}
    assert response_flags.repetition.share > 0.9


def test_an_ordinary_response_shows_nothing():
    assert flags_of(predicted("a", response="The harbour was quiet when they came.")).flags == frozenset()


def test_a_failed_prediction_shows_nothing_and_says_so():
    with pytest.raises(ValueError, match="failed"):
        flags_of(failed("a"))


def test_what_is_known_of_a_response_is_not_looked_for_again():
    predictions = [predicted("a"), predicted("b", response=LOOP), failed("c")]
    judgements = [judged("a"), judged("b")]
    known = {record.key: flags_of(record) for record in predictions if record.response is not None}
    fresh = summarise(RUN_INFO, predictions, judgements, owed=3, seconds=1.0)
    assert summarise(RUN_INFO, predictions, judgements, owed=3, seconds=1.0, response_flags=known) == fresh
    other = {predictions[0].key: ResponseFlags(frozenset(FLAGS), known[predictions[1].key].repetition)}
    _, rows = summarise(RUN_INFO, predictions, judgements, owed=3, seconds=1.0, response_flags=other)
    assert rows[0].flags == frozenset(FLAGS)


ENGLISH = "The harbour was quiet when they came, and nobody knew why the boats had stayed at their moorings."


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"language": "zh"}, True),
        ({"language": "zh", "prompt": "请用英语写一篇短文，300词。"}, False),
        ({"language": "zh", "answer_language": "en"}, False),
        ({"language": "en"}, False),
        ({"language": "en", "prompt": "Write a news story in Chinese, 800 words."}, True),
        ({"language": "en", "answer_language": "zh"}, True),
        ({"language": "zh", "answer_language": "zh", "prompt": "请用英语写一篇短文，300词。"}, True),
    ],
)
def test_an_answer_is_in_the_language_that_its_prompt_asks_for(fields, wrong):
    assert ("wrong_language" in flags_of(predicted("a", response=ENGLISH, **fields)).flags) is wrong


@pytest.mark.parametrize(
    ("response", "flag"),
    [
        ("I'm sorry, but I can't help with that request.", "refused"),
        ("The full 9,000 words cannot fit in one reply, so here is an outline.", "declined_length"),
    ],
)
def test_an_answer_that_declines_has_one_flag_for_it(response, flag):
    assert flags_of(predicted("a", response=response)).flags == {flag}
