"""One ceiling that shows in several ways is one entry, with the answers of all."""

from __future__ import annotations

from dataclasses import replace

from samples import failed, predicted

from longbench_write.records import Failure
from longbench_write.serving.answers import AnswerLog

REFUSED = "This model's maximum context length is 512 tokens. However, your messages resulted in 600 tokens."


def cut(name, prompt, *, limit=2000, context=512):
    usage = {"prompt_tokens": prompt, "completion_tokens": context - prompt}
    return predicted(
        name,
        finish_reason="length",
        usage=usage,
        max_tokens_effective=limit,
        calls=1,
        response="and then the",
    )


def ceilings(*records, **known):
    log = AnswerLog(2000, **known)
    for record in records:
        log.add_prediction(record)
    return [(each.kind, each.tokens, each.count, each.source) for each in log.ceilings]


def no_room(name):
    return replace(failed(name), error=Failure("context_length", REFUSED, final=True))


def test_a_context_that_cuts_some_and_refuses_others_is_one_ceiling():
    assert ceilings(no_room("a")) == [("context", 512, 1, "refused")]
    assert ceilings(cut("a", 400), cut("b", 450), no_room("c")) == [("context", 512, 2, "cut")]


def test_limits_that_were_lowered_and_answers_that_were_cut_show_one_ceiling():
    lowered = [cut("a", 400, limit=112), cut("b", 450, limit=62)]
    assert ceilings(*lowered, cut("c", 300), cut("d", 350)) == [("context", 512, 4, "refused")]


def test_prompts_of_one_size_show_the_context_that_the_server_says_it_has():
    same = [cut("a", 52), cut("b", 52)]
    assert ceilings(*same) == [("output", 460, 2, "cut")]
    assert ceilings(*same, context=512) == [("context", 512, 2, "cut")]
