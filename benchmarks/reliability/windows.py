"""What servers do to prompts and bodies in silence: windows that drop a part, bodies without an end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from crash_tests import Outcome, Results, Trial
from servers.answers import Answer, AnswerFunction, Fault, varied_judge, varied_writer

from benchmarks.reliability.experiments import served
from benchmarks.reliability.rows import Experiment, Row, Whole

WINDOW = 120
"""Words of a prompt that a server reads."""
BODIES: dict[str, Fault] = {
    "heartbeats without a text": "heartbeats",
    "a body without an end": "endless_body",
}


def spoilt(fault: Fault) -> Callable[[Answer], Answer]:
    """Return what gives an answer a fault."""
    return lambda answer: replace(answer, fault=fault)


def windowed(answer: AnswerFunction) -> AnswerFunction:
    """A server that reads so many tokens (words) of a prompt, drops the rest and says nothing."""

    def answered(body: dict[str, Any], number: int) -> Answer:
        made = answer(body, number)
        asked = len(body["messages"][-1]["content"].split())
        said = len(made.text.split())
        return replace(made, usage={"prompt_tokens": min(asked, WINDOW), "completion_tokens": said})

    return answered


def judges_window(place: Path, whole: Whole) -> list[Row]:
    """Of long prompts the judge's server drops the front: those judgements fail, all others stand."""
    with Trial(place, judged=windowed(varied_judge())) as trial:
        done = trial.finish()
        again = trial.finish()  # what failed is not asked again, and does not count
        cut = sum(len(request.prompt.split()) >= WINDOW for request in trial.judges.requests)
        found = Results.read(trial.run).files["judgements.jsonl"]
        failed = {key for key, record in found.items() if record["error"]}
        types = {found[key]["error"]["type"] for key in failed}
        usual = whole.results.files["judgements.jsonl"]
        lost = sum(found[key]["scores"] != usual[key]["scores"] for key in usual.keys() - failed)
        outcome = Outcome(lost, 0, len(trial.requests) - whole.requests, 0, types == {"context_length"})
        if done.returncode or again.returncode or len(failed) != cut:
            outcome.said = f"{len(failed)} of {cut} are failures; {done.stderr[-200:]}"
        return [Row("a judge's window drops the front of prompts, with 200", cut, outcome)]


def writers_window(place: Path, _: Whole) -> list[Row]:
    """Of long prompts the model's server drops the front: the responses stand, and the summary tells it."""
    place.mkdir(parents=True)
    suite = place / "long.jsonl"
    prompts = [f"{'The river rose again and nobody came. ' * n}Describe it." for n in range(4, 76, 3)]
    lines = [{"prompt": text, "type": "Story", "length": 100} for text in prompts]
    suite.write_text("".join(json.dumps(line) + "\n" for line in lines))
    meant = Whole.of(place / "meant", suite=suite)
    with Trial(place / "cut", written=windowed(varied_writer()), suite=suite) as trial:
        done = trial.finish()
        cut = sum(len(text.split()) >= WINDOW for text in prompts)
        found = Results.read(trial.run).files
        texts, whole = (
            {key: record["response"] for key, record in files["predictions.jsonl"].items()}
            for files in (found, meant.results.files)
        )
        lost = sum(texts.get(key) != text for key, text in whole.items())
        told = [(each["kind"], each["tokens"]) for each in found["summary.json"]["ceilings"]]
        outcome = Outcome(lost, 0, len(trial.requests) - meant.requests, 0, told == [("prompt", WINDOW)])
        if done.returncode:
            outcome.said = done.stderr[-300:]
        return [Row("the model's window drops the front of prompts, with 200: it is told", cut, outcome)]


def experiments() -> list[Experiment]:
    """List all of them."""
    return [
        judges_window,
        writers_window,
        *(served(name, spoilt(fault), needed=True, share=0.06) for name, fault in BODIES.items()),
    ]
