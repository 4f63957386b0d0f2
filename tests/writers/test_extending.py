"""A short text is lengthened passage by passage until it is nearly as long as required."""

import json
import re

from samples import write_suite
from servers.answers import Answer
from servers.openai_server import OpenAIServer

from longbench_write import evaluate


def prose(words):
    """So many words, of which no stretch repeats: a server that says all of it twice is corrected."""
    return " ".join("w" + chr(97 + place // 26 % 26) + chr(97 + place % 26) for place in range(words))


def longer(body, number):
    """Write a tenth of what is required; lengthen each passage to what it is asked for."""
    chat = body["messages"][-1]["content"]
    if planned := re.search(r"with about (\d+) words", chat):
        return Answer(prose(int(planned[1])))
    return Answer(prose(50) + "\n\nand " + prose(49))


def test_passages_grow_in_rounds_and_stop_near_the_required_length(tmp_path):
    suite = write_suite(tmp_path, lengths=(1000,))
    with OpenAIServer(longer) as server:
        summary = evaluate(
            model="m",
            suite=str(suite),
            base_url=[server.base_url],
            judge="none",
            writer="extend",
            out=tmp_path / "out",
        )
    assert summary.S_l > 99
    (path,) = (tmp_path / "out").glob("*/*/*/predictions.jsonl")
    prediction = json.loads(path.read_text())
    assert 950 <= prediction["response_length"] <= 1050
    assert prediction["calls"] == len(server.requests)
    assert (prediction["steps"], prediction["planned_words"]) == (None, None)


def test_what_does_not_grow_is_left_as_it_is(tmp_path):
    suite = write_suite(tmp_path, lengths=(1000,))
    with OpenAIServer(lambda body, number: Answer(prose(40))) as server:
        evaluate(
            model="m",
            suite=str(suite),
            base_url=[server.base_url],
            judge="none",
            writer="extend",
            out=tmp_path / "out",
        )
    assert len(server.requests) == 2
