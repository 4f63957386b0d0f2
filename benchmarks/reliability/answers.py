"""Answers that are more than one, none, or spoilt on their way from the model."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crash_tests import Outcome, Trial, judge_outcome
from servers.answers import Answer, AnswerFunction, Fault, varied_writer, writer

from benchmarks.reliability.experiments import served
from benchmarks.reliability.rows import Experiment, Row, Whole

NO_ANSWER: Mapping[str, Fault] = {
    "a second answer spliced into the stream": "spliced",
    "a text split over two choices": "two_choices",
    "a tool call, though no tool was offered": "tool_call",
    "tokens billed and no text": "billed",
}
REPAIRED: Mapping[str, Fault] = {
    "deltas that repeat all the text so far": "cumulative",
    "the whole text once more in the last delta": "replayed",
}
LIMIT = 200
"""New tokens that are asked for of a server whose window shifts."""


def one_answer() -> list[Experiment]:
    """Shares of all answers, of the model and the judge, that are none, or one in an odd stream."""
    return [
        served(name, lambda answer, fault=fault: replace(answer, fault=fault), needed=needed, share=share)  # type: ignore[misc]
        for faults, needed, share in ((NO_ANSWER, True, 0.25), (REPAIRED, False, 0.25))
        for name, fault in faults.items()
    ]


def eighth(change: Mapping[str, Any], usual: AnswerFunction) -> AnswerFunction:
    """The answer to the eighth prompt is changed."""
    return lambda body, number: (
        replace(usual(body, number), **change)
        if "number 8." in body["messages"][-1]["content"]
        else usual(body, number)
    )


def glued(place: Path, whole: Whole) -> list[Row]:
    """The spaces of one answer are lost: it stands and is scored as it came, and is suspect."""
    usual = varied_writer()

    def meant(body: dict[str, Any], number: int) -> Answer:
        answer = usual(body, number)
        if "number 8." not in body["messages"][-1]["content"]:
            return answer
        tokens = {"prompt_tokens": 3, "completion_tokens": len(answer.text.split())}
        return replace(answer, text="".join(answer.text.split()), usage=tokens)

    def spoilt(body: dict[str, Any], number: int) -> Answer:
        answer = meant(body, number)
        return replace(usual(body, number), fault="stripped", usage=answer.usage) if answer.usage else answer

    whole = Whole.of(place / "meant", written=meant)
    with Trial(place / "spoilt", written=spoilt) as trial:
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        reasons = [row["suspect"] for row in scores(trial) if row["suspect"]]
        if len(reasons) != 1 or "glued" not in reasons[0].split():
            outcome.said = f"suspect: {reasons}"
        return [Row("words without spaces: a suspect", 1, outcome)]


def shifting_window(place: Path, whole: Whole) -> list[Row]:
    """One answer goes on past the limit: it is read a little further, and counts as cut by it."""
    usual = writer(100)
    options = ["--max-tokens", str(LIMIT)]
    whole = Whole.of(place / "meant", written=usual, options=options)
    with Trial(place / "odd", written=eighth({"fault": "endless"}, usual), options=options) as trial:
        done = trial.finish()
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
        (cut,) = (row for row in scores(trial) if row["cut_by"])
        past = int(cut["response_length"]) / LIMIT
        others = outcome.lost <= 2  # the response that is cut, and its judgement
        outcome = Outcome(0, outcome.doubled, outcome.extra, 0, others, outcome.said)
        if cut["cut_by"] != "limit" or past > 2:
            outcome.said = f"cut by {cut['cut_by']} at {past:.1f} times the limit"
        return [Row("a window that shifts: cut by the limit", 1, outcome)]


def scores(trial: Trial) -> list[dict[str, str]]:
    """Return the lines of a trial's scores.csv."""
    with open(trial.run / "scores.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def experiments() -> list[Experiment]:
    """List all of them."""
    return [*one_answer(), glued, shifting_window]
