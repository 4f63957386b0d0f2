"""What servers do to prompts and bodies in silence: windows that drop a part, bodies without an end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from crash_tests import Outcome, Results, Trial
from servers.answers import Answer, AnswerFunction, Fault, varied_judge, varied_writer
from servers.openai_server import OpenAIServer

from benchmarks.reliability.experiments import served
from benchmarks.reliability.rows import Experiment, Row, Whole

WINDOW, PLANNERS_WINDOW = 120, 400
"""Words of a prompt that a server reads, and that a planner's does: those of its template are more."""
PLANNERS = "a planner's window drops the front of prompts, with 200"
"""The row."""
BODIES: dict[str, Fault] = {
    "heartbeats without a text": "heartbeats",
    "a body without an end": "endless_body",
}


def spoilt(fault: Fault) -> Callable[[Answer], Answer]:
    """Return what gives an answer a fault."""
    return lambda answer: replace(answer, fault=fault)


def windowed(answer: AnswerFunction, window: int = WINDOW) -> AnswerFunction:
    """A server that reads so many tokens (words) of a prompt, drops the rest and says nothing."""

    def answered(body: dict[str, Any], number: int) -> Answer:
        made = answer(body, number)
        asked = len(body["messages"][-1]["content"].split())
        said = len(made.text.split())
        return replace(made, usage={"prompt_tokens": min(asked, window), "completion_tokens": said})

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


def plan(body: dict[str, Any], number: int) -> Answer:
    """A planner whose plans have one step."""
    return Answer("Paragraph 1 - Main Point: the river - Word Count: 100 words")


def long_prompts(place: Path) -> tuple[Path, list[str]]:
    """Write down a suite of ever longer prompts; return its file and them."""
    place.mkdir(parents=True)
    suite = place / "long.jsonl"
    prompts = [f"{'The river rose again and nobody came. ' * n}Describe it." for n in range(4, 76, 3)]
    lines = [{"prompt": text, "type": "Story", "length": 100} for text in prompts]
    suite.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return suite, prompts


def planners_window(place: Path, _: Whole) -> list[Row]:
    """Of long prompts a planner's server drops the front: those responses fail, all others stand."""
    suite, prompts = long_prompts(place)
    left: list[tuple[dict[str, Any], list[int], int]] = []
    for name, plans in (("meant", plan), ("cut", windowed(plan, PLANNERS_WINDOW))):
        with OpenAIServer(plans) as planner, Trial(place / name, suite=suite) as trial:
            trial.options += ["--writer", "agentwrite", "--planner-model", "p"]
            trial.options += ["--planner-base-url", planner.base_url]
            done, again = trial.finish(), trial.finish()  # what failed is not asked again
            if done.returncode or again.returncode:
                return [Row(PLANNERS, len(prompts), Outcome(0, 0, 0, 0, False, done.stderr[-300:]))]
            asked = [len(request.prompt.split()) for request in planner.requests]
            left.append((Results.read(trial.run).files, asked, len(trial.requests) + len(asked)))
    (meant, asked, least), (found, _, requests) = left
    cut = sum(words >= PLANNERS_WINDOW for words in asked)
    records, usual = found["predictions.jsonl"], meant["predictions.jsonl"]
    errors = {key: record["error"]["type"] for key, record in records.items() if record["error"]}
    lost = sum(records[key]["response"] != usual[key]["response"] for key in usual.keys() - errors)
    told = [(each["role"], each["kind"], each["tokens"]) for each in found["summary.json"]["ceilings"]]
    good = told == [("planner", "prompt", PLANNERS_WINDOW)] and set(errors.values()) == {"context_length"}
    outcome = Outcome(lost, 0, max(0, requests - least), 0, good)
    if len(errors) != cut:
        outcome.said = f"{len(errors)} of {cut} are failures"
    return [Row(PLANNERS, cut, outcome)]


def writers_window(place: Path, _: Whole) -> list[Row]:
    """Of long prompts the model's server drops the front: the responses stand, and the summary tells it."""
    suite, prompts = long_prompts(place)
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
        planners_window,
        *(served(name, spoilt(fault), needed=True, share=0.06) for name, fault in BODIES.items()),
    ]
