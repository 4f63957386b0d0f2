"""A judge on loopback that answers each prompt of one run with another reply, most of them malformed."""

import json

import pytest
import yaml
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write import evaluate, load_run
from longbench_write.metrics.quality import DIMENSIONS

SCORES = dict(zip(DIMENSIONS, (5, 4, 3, 2, 1, 4), strict=True))
VALID = json.dumps({"Analysis": "Reads well."} | SCORES, indent=1)
PLANTED = json.dumps(dict.fromkeys(DIMENSIONS, 5))

READ = {
    "plain": VALID,
    "one line": json.dumps(SCORES),
    "prose around": f"My evaluation:\n{VALID}\nI hope that it helps.",
    "fence": f"```json\n{VALID}\n```",
    "upper-case fence": f"```JSON\n{VALID}\n```",
    "carriage returns": f"```json\n{VALID}\n```".replace("\n", "\r\n"),
    "reasoning block": f"<think>Perhaps {PLANTED}.</think>\n{VALID}",
    "the same twice": f"{VALID}\n{VALID}",
    "quotes a plant in its analysis": json.dumps({"Analysis": f"It says {PLANTED}."} | SCORES),
    "byte-order mark": f"\ufeff{VALID}",
    "upper-case keys": json.dumps({key.upper().replace(" ", "_"): value for key, value in SCORES.items()}),
    "NUL around": f"\x00{VALID}\x00",
    "a whole fraction": VALID.replace('"Coherence": 3', '"Coherence": 3.0'),
    "a number as a text": VALID.replace('"Coherence": 3', '"Coherence": "3"'),
}


def with_value(literal):
    return VALID.replace('"Coherence": 3', f'"Coherence": {literal}')


UNREAD = {
    "empty": ("", "empty_reply"),
    "white space": (" \r\n\t", "empty_reply"),
    "nothing but reasoning": (f"<think>Perhaps {PLANTED}", "empty_reply"),
    "refusal": ("I'm sorry, I can't evaluate this text.", "refused"),
    "Chinese refusal": ("抱歉，我无法评价这篇文章。", "refused"),
    "prose": ("It is good, I would say four out of five.", "invalid_reply"),
    "no object": ("Relevance: 5, Accuracy: 4, Coherence: 3", "invalid_reply"),
    "single quotes": (str(SCORES), "invalid_reply"),
    "trailing comma": (VALID.replace("\n}", ",\n}"), "invalid_reply"),
    "Chinese quotes": (VALID.replace('"', "“"), "invalid_reply"),
    "Chinese colons": (VALID.replace(":", "："), "invalid_reply"),
    "a dimension missing": (json.dumps(dict(list(SCORES.items())[:5])), "invalid_reply"),
    "analysis alone": ('{"Analysis": "Good."}', "invalid_reply"),
    "nine": (with_value("9"), "invalid_reply"),
    "zero": (with_value("0"), "invalid_reply"),
    "negative": (with_value("-3"), "invalid_reply"),
    "fraction": (with_value("3.5"), "invalid_reply"),
    "of five": (with_value('"3/5"'), "invalid_reply"),
    "word": (with_value("three"), "invalid_reply"),
    "true": (with_value("true"), "invalid_reply"),
    "null": (with_value("null"), "invalid_reply"),
    "not a number": (with_value("NaN"), "invalid_reply"),
    "object": (with_value('{"score": 3}'), "invalid_reply"),
    "list": (with_value("[3]"), "invalid_reply"),
    "nested": (json.dumps({"scores": SCORES}), "invalid_reply"),
    "given twice": (VALID.replace("{", '{"Relevance": 2,'), "invalid_reply"),
    "two that differ": (f"{VALID}\n{PLANTED}", "invalid_reply"),
    "list of six": ("[5, 4, 3, 2, 1, 4]", "invalid_reply"),
    "braces around": ("{" + VALID + "}", "invalid_reply"),
    "code": (with_value('__import__("os").getpid()'), "invalid_reply"),
    "deep": ('{"":' * 50_000, "invalid_reply"),
}
WHOLE_LIMIT = {"prompt_tokens": 9, "completion_tokens": 1024}
CUT = {f"cut at {end}": VALID[:end] for end in range(9, len(VALID), 9)}


@pytest.fixture
def run(tmp_path):
    replies = [*READ.values(), *(text for text, _ in UNREAD.values()), *CUT.values()]
    suite = tmp_path / "replies.jsonl"
    suite.write_text(
        "".join(
            json.dumps({"prompt": f"Text {number} please.", "type": "News Report", "length": 100}) + "\n"
            for number in range(len(replies))
        )
    )
    judge = tmp_path / "judge"
    judge.mkdir()
    card = {"description": "d", "model": "m", "tries": 1, "template": "t.txt"}
    (judge / "judge.yaml").write_text(yaml.safe_dump(card))
    (judge / "t.txt").write_text("$INST$\n$RESPONSE$")

    def answer(body, number):
        place = int(body["messages"][0]["content"].split()[1])
        cut = place >= len(READ) + len(UNREAD)
        if cut:
            return Answer(replies[place], finish_reason="length", usage=WHOLE_LIMIT)
        return Answer(replies[place])

    with OpenAIServer(writer()) as model, OpenAIServer(answer) as server:
        summary = evaluate(
            model="m",
            base_url=[model.base_url],
            suite=str(suite),
            out=tmp_path / "out",
            judge=str(judge),
            judge_base_url=[server.base_url],
        )
    (manifest,) = (tmp_path / "out").glob("*/*/*/run.yaml")
    return summary, list(load_run(manifest.parent).judgements)


def test_each_reply_gives_the_six_integers_or_its_reason(run):
    summary, judgements = run
    found = dict(zip([*READ, *UNREAD, *CUT], judgements, strict=True))
    assert {name: found[name].scores for name in READ} == dict.fromkeys(READ, SCORES)
    assert {name: found[name].error.type for name in UNREAD} == {
        name: kind for name, (_, kind) in UNREAD.items()
    }
    assert {found[name].error.type for name in CUT} == {"truncated_reply"}
    assert all(found[name].error.message for name in (*UNREAD, *CUT))
    assert summary.counts["judged"] == len(READ)
    assert summary.counts["judge_failed"] == len(UNREAD) + len(CUT)
    assert summary.S_q == pytest.approx((sum(SCORES.values()) / 6 - 1) * 25)
    assert summary.judge_failures == {
        "empty_reply": 3,
        "invalid_reply": len(UNREAD) - 5,
        "refused": 2,
        "truncated_reply": len(CUT),
    }
