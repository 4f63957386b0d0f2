"""Half answers and odd replies: reasoning in many tags, errors inside a 200, judges that are cut or quote."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

from attacks import PERFECT, SPELLINGS
from crash_tests import Outcome, Results, Trial, judge_outcome
from servers.answers import Answer, AnswerFunction, varied_judge, varied_writer

from benchmarks.reliability.experiments import at_tenth, served
from benchmarks.reliability.rows import PROMPTS, Experiment, Row, Whole
from benchmarks.reliability.told import river

TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
)
"""How models begin and end their reasoning; 24 prompts have each three times."""

SHAPES: Mapping[str, Any] = {
    '{"object": "error"}': {"object": "error", "message": "an internal error", "code": 50001},
    '{"code", "msg"}': {"code": 500, "msg": "an internal error", "success": False},
    "error_code": {"error_code": 500, "error_msg": "an internal error"},
    "base_resp": {"base_resp": {"status_code": 1000, "status_msg": "unknown error"}, "choices": None},
    "a list": [{"error": {"code": 500, "message": "an internal error", "status": "INTERNAL"}}],
}
"""Bodies of responses of status 200."""

UNPAID = {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None}
LONG = 120
"""Words of a message that a judge's own context holds together with a verdict."""


def meant(
    name: str,
    count: int,
    odd: tuple[AnswerFunction | None, AnswerFunction | None],
    plain: tuple[AnswerFunction | None, AnswerFunction | None],
    files: tuple[str, ...] = ("summary.json", "scores.csv"),
) -> Experiment:
    """Odd answers of model and judge count as plain ones do that mean the same.

    Args:
        name: Of the row.
        count: Odd answers.
        odd: What model and judge answer; None is as ever.
        plain: The same, said plainly.
        files: Of the results, those that must be equal.
    """

    def experiment(place: Path, _: Whole) -> list[Row]:
        whole = Whole.of(place / "meant", written=plain[0], judged=plain[1])
        with Trial(place / "odd", written=odd[0], judged=odd[1]) as trial:
            done = trial.finish()
            outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
            if not done.returncode and outcome.lost:
                found = Results.read(trial.run).files
                outcome.equal = all(found[each] == whole.results.files[each] for each in files)
                outcome.lost = sum(
                    found[kind][key][field] != record[field]
                    for kind, field in (("predictions.jsonl", "response"), ("judgements.jsonl", "scores"))
                    for key, record in whole.results.files[kind].items()
                )
            return [Row(name, count, outcome)]

    return experiment


def thinking(shape: Callable[[str, str, str], Mapping[str, Any]]) -> AnswerFunction:
    """A model each of whose answers is changed, given the tags of its reasoning and its text."""
    usual = varied_writer()

    def answer(body: dict[str, Any], number: int) -> Answer:
        made = usual(body, number)
        return replace(made, usage={}, **shape(*TAGS[river(body) % len(TAGS)], made.text))

    return answer


def reasoning() -> list[Experiment]:
    """Reasoning is no part of a response, whatever its tags; cut off within, there is no response."""
    return [
        meant(
            "reasoning in eight kinds of tags",
            PROMPTS,
            (thinking(lambda opening, closing, text: {"text": f"{opening}I plan.{closing}{text}"}), None),
            (thinking(lambda opening, closing, text: {"reasoning": "I plan.", "text": text}), None),
        ),
        meant(
            "answers that are cut off within it",
            PROMPTS,
            (
                thinking(
                    lambda opening, closing, text: {"text": f"{opening}{text}", "finish_reason": "length"}
                ),
                None,
            ),
            (
                thinking(
                    lambda opening, closing, text: {
                        "reasoning": text,
                        "text": "",
                        "finish_reason": "length",
                    }
                ),
                None,
            ),
        ),
    ]


def in_a_200(shape: Any) -> Callable[[Answer], Answer]:
    """Return what puts an error in the place of an answer."""
    return lambda _: Answer(body=json.dumps(shape))


def unpaid(place: Path, whole: Whole) -> list[Row]:
    """One answer says, with 200, that the account is empty: the run stops, and is finished later."""
    refusal = Answer(body=json.dumps(UNPAID))
    with Trial(place, written=at_tenth(varied_writer(), refusal)) as trial:
        stopped = trial.finish()
        done = trial.finish()
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=1)
        if stopped.returncode != 1:
            outcome.said = f"exit code {stopped.returncode}"
        return [Row("an account without credit inside a 200, the run stops", 1, outcome)]


def room_that_shrinks(place: Path, whole: Whole) -> list[Row]:
    """One prompt is refused with a smaller room each time: it is asked five times, and fails."""
    usual = varied_writer()

    def shrinking(body: dict[str, Any], number: int) -> Answer:
        if river(body) != 8:
            return usual(body, number)
        told = f"This model supports at most {body['max_tokens'] - 1} completion tokens"
        return Answer(status=400, error={"message": told})

    with Trial(place, written=shrinking) as trial:
        trial.finish()
        refused = sum(river(request.body) == 8 for request in trial.model.requests)
        trial.model.answer = usual
        trial.options += ["--retry-failed"]
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish(), least=refused)
        outcome.said = outcome.said or ("" if refused == 5 else f"{refused} requests")
        return [Row("a server that names a smaller room each time", refused, outcome)]


def failed_for_good(place: Path, whole: Whole) -> list[Row]:
    """Half of the prompts are filtered: said once, with their number and how to ask them again."""
    usual, filtered = varied_writer(), Answer(status=400, error={"message": "content_filter"})
    with Trial(place) as trial:
        trial.model.answer = lambda body, number: filtered if river(body) % 2 else usual(body, number)
        first = trial.finish()
        counts = json.loads((trial.run / "summary.json").read_text(encoding="utf-8"))["counts"]
        again = trial.finish()
        told = [line for line in first.stderr.splitlines() if "content_filter" in line]
        good = (
            first.returncode == again.returncode == 0
            and counts["generation_failed"] == PROMPTS // 2
            and "--retry-failed" in again.stderr
            and "nothing is owed" not in again.stderr
            and len(told) < 4
        )
        trial.model.answer = usual
        trial.options += ["--retry-failed"]
        least = PROMPTS // 2
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish(), least=least)
        outcome.said = outcome.said or ("" if good else f"{counts}, {again.stderr[-300:]}")
        return [Row("prompts that fail for good: counted, and said once", PROMPTS // 2, outcome)]


def no_price(place: Path, _: Whole) -> list[Row]:
    """Usage is negative, and --max-cost bites all the same; with more money the run ends as it should."""
    usual = varied_writer()

    def negative(body: dict[str, Any], number: int) -> Answer:
        return replace(usual(body, number), usage={"prompt_tokens": -9_000, "completion_tokens": -9_000})

    def unknown(body: dict[str, Any], number: int) -> Answer:
        return replace(usual(body, number), usage={})

    prices = ["input=1000", "output=1000", "judge_input=1", "judge_output=1"]
    prices = [word for price in prices for word in ("--price", price)]
    prices += ["--max-tokens", "1000", "--max-cost"]
    whole = Whole.of(place / "meant", written=unknown, options=[*prices, "10000"])
    with Trial(place / "odd", written=negative, options=[*prices, "3"]) as trial:
        first = trial.finish()
        asked = len(trial.model.requests)
        trial.options[-1] = "10000"
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        if first.returncode != 1 or asked >= PROMPTS:
            outcome.said = f"exit code {first.returncode} after {asked} requests"
        return [Row("usage that is negative: --max-cost ends the run", asked, outcome)]


def cut_replies(chapters: bool) -> Experiment:
    """A judge's own context ends its replies to long messages after a few words.

    Args:
        chapters: Whether responses are judged in parts that fit then.
    """

    def judged(body: dict[str, Any], number: int) -> Answer:
        made = varied_judge()(body, number)
        words = len(body["messages"][-1]["content"].split())
        if words <= LONG:
            return replace(made, usage={"prompt_tokens": words, "completion_tokens": 90})
        return Answer(made.text[:30], "length", usage={"prompt_tokens": words, "completion_tokens": 8})

    def experiment(place: Path, whole: Whole) -> list[Row]:
        options = ["--long-responses", "chapters"] if chapters else []
        with Trial(place, judged=judged, options=options) as trial:
            done = trial.finish()
            texts = [len(request.prompt.split()) for request in trial.judges.requests]
            found = Results.read(trial.run).files["judgements.jsonl"]
            usual = whole.results.files["judgements.jsonl"]
            errors = [record["error"]["type"] for record in found.values() if record["error"]]
            parted = sum(bool(record["chapters"]) for record in found.values())
            cut = parted if chapters else len(errors)
            lost = sum(
                found[key]["scores"] != record["scores"]
                for key, record in usual.items()
                if not (found[key]["error"] or found[key]["chapters"])
            )
            once = chapters or len(texts) == PROMPTS
            good = cut > 0 and once and errors == ([] if chapters else ["context_length"] * cut)
            extra = len(trial.requests) - whole.requests
            said = (
                "" if good and not done.returncode else f"{errors}, {len(texts)} asked; {done.stderr[-200:]}"
            )
            name = "each is judged in parts" if chapters else "each is asked once, and said"
            parts = sum(len(record["chapters"] or ()) for record in found.values())
            outcome = Outcome(lost, 0, extra, parts, good, said)
            return [Row(f"a judge's own context cuts its replies: {name}", cut, outcome)]

    return experiment


def judged_in(change: Callable[[str, int], str]) -> AnswerFunction:
    """A judge whose replies are changed, given their number."""
    usual = varied_judge()

    def answer(body: dict[str, Any], number: int) -> Answer:
        made = usual(body, number)
        return replace(made, text=change(made.text, number), usage={})

    return answer


def planted() -> Experiment:
    """Responses plant a verdict, in every spelling, and the judge repeats it plainly before its own."""
    usual, spelt = varied_writer(), list(SPELLINGS.values())

    def writes(body: dict[str, Any], number: int) -> Answer:
        made = usual(body, number)
        return replace(made, text=f"{made.text}\n{spelt[river(body) % len(spelt)]}")

    repeats = judged_in(lambda text, _: f"It says {PERFECT}\nMine: {text}")
    name = f"a judge that repeats planted verdicts, in {len(spelt)} spellings"
    plain = judged_in(lambda text, _: text)
    return meant(name, PROMPTS, (writes, repeats), (writes, plain), files=("scores.csv",))


def quoting() -> Experiment:
    """The judge quotes tags in its analysis, and has braces in its prose."""
    odd = cycle(
        (
            lambda text: text.replace("Reads well.", "It ends its <think> block </think> well, <think>."),
            lambda text: f"The text opens with a {{ and never closes it.\n{text}",
            lambda text: f"Braces such as {{{{ are fine; {{so}}.\n{text}",
        )
    )
    plain = judged_in(lambda text, _: text)
    return meant(
        "a judge that quotes `<think>`, and writes braces",
        PROMPTS,
        (None, judged_in(lambda text, _: next(odd)(text))),
        (None, plain),
        files=("scores.csv",),
    )


def experiments() -> list[Experiment]:
    """List all of them."""
    return [
        *reasoning(),
        *(
            served(f"an error inside a 200: {name}", in_a_200(shape), needed=True, share=0.25)
            for name, shape in SHAPES.items()
        ),
        unpaid,
        room_that_shrinks,
        failed_for_good,
        no_price,
        cut_replies(chapters=False),
        cut_replies(chapters=True),
        quoting(),
        planted(),
    ]
