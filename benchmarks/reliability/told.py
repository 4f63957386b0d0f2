"""What a server does to answers, and what the summary has to tell of it: ceilings, who answered, suspects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crash_tests import LENGTHS, Outcome, Trial
from servers.answers import Answer, AnswerFunction, judge_reply, varied_writer, writer

from benchmarks.reliability.rows import PROMPTS, Experiment, Row, Whole

CONTEXT, OUTPUT = 4096, 3000
"""Tokens, which are words at these servers."""

PADDING = 40
"""Tokens that a chat template adds to each prompt; prompts differ in theirs by their number."""

LIMIT, REASONING = 1000, 700
"""New tokens that are asked for, and how many of them are reasoning."""

NOTHING: Mapping[str, Any] = {"ceilings": [], "suspects": {}}
"""What the summary of a server tells that does nothing to answers."""


def river(body: Mapping[str, Any]) -> int:
    """Return the number of the prompt that is asked."""
    return int(re.findall("[0-9]+", body["messages"][-1]["content"])[0])


def limited(
    *, context: int | None = None, output: int | None = None, finish: str = "length", refuses: bool = False
) -> AnswerFunction:
    """A model that writes exactly what is asked, behind a server that lets so many tokens through."""

    def answer(body: dict[str, Any], number: int) -> Answer:
        asked, wanted = PADDING + 7 * river(body), LENGTHS[river(body)]
        room = (context - asked) if context else output or wanted
        if refuses and body["max_tokens"] > room:
            told = f"This model's maximum context length is {context} tokens. However, you requested " + (
                f"{asked + body['max_tokens']} tokens ({asked} in the messages, {body['max_tokens']} in the "
                "completion)."
            )
            return Answer(status=400, error={"message": told, "code": "context_length_exceeded"})
        given = min(wanted, room, body["max_tokens"])
        text = writer(given)(body, number).text + ("." if given == wanted else "")
        usage = {"prompt_tokens": asked, "completion_tokens": given}
        return Answer(text, "stop" if given == wanted else finish, usage=usage)

    return answer


def changed(change: Callable[[Answer, int], Answer], usual: AnswerFunction | None = None) -> AnswerFunction:
    """Change each answer, given its number."""
    written = usual or varied_writer()
    return lambda body, number: change(written(body, number), number)


def told_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a summary tells of a server, without what is nothing."""
    ceilings = [(each["kind"], each["tokens"], each["source"]) for each in summary["ceilings"]]
    served = {name: value for name, value in summary["serving"].items() if value and name != "judge_models"}
    ended, reasoned = summary["control_tokens"], summary["counts"]["limit_spent_on_reasoning"]
    further = {"control_tokens": ended, "limit_spent_on_reasoning": reasoned}
    return {
        "ceilings": ceilings,
        "suspects": summary["suspects"]["by_reason"],
        **served,
        **{name: value for name, value in further.items() if value},
    }


def told(
    name: str, written: AnswerFunction, expected: Mapping[str, Any], *, options: Sequence[str] = ()
) -> Experiment:
    """A run behind such a server, and what its summary has to tell beside what it tells of every server."""

    def experiment(place: Path, _: Whole) -> list[Row]:
        with Trial(place, written=written, judged=judge_reply(), options=options) as trial:
            done = trial.finish()
            if done.returncode:
                return [Row(name, PROMPTS, Outcome(0, 0, 0, 0, False, done.stderr[-300:]))]
            found = told_of(json.loads((trial.run / "summary.json").read_text(encoding="utf-8")))
        expects = {**NOTHING, "models": {"m": PROMPTS}, **expected}
        good = found == expects
        return [Row(name, PROMPTS, Outcome(0, 0, 0, 0, good, "" if good else f"{found}, not {expects}"))]

    return experiment


def ceilings() -> list[Experiment]:
    """Ceilings, with and without a finish reason that tells them."""
    context, output = ("context", CONTEXT, "cut"), ("output", OUTPUT, "cut")
    return [
        told("a window for prompt and answer, `length`", limited(context=CONTEXT), {"ceilings": [context]}),
        told("the same, `stop`", limited(context=CONTEXT, finish="stop"), {"ceilings": [context]}),
        told("answers that end at one number, `length`", limited(output=OUTPUT), {"ceilings": [output]}),
        told("the same, `stop` again", limited(output=OUTPUT, finish="stop"), {"ceilings": [output]}),
        told(
            "a refusal that names the context",
            limited(context=CONTEXT, refuses=True),
            {"ceilings": [("context", CONTEXT, "refused")]},
        ),
        told("the run's own limit, `stop`", limited(finish="stop"), {}, options=("--max-tokens", "2000")),
    ]


def answerers() -> list[Experiment]:
    """Who answered, and what was put in or left on."""

    def thought(answer: Answer, _: int) -> Answer:
        return replace(answer, reasoning="Let me think.")

    def reasoned(answer: Answer, _: int) -> Answer:
        details = {"reasoning_tokens": REASONING}
        usage = {"prompt_tokens": 9, "completion_tokens": LIMIT, "completion_tokens_details": details}
        return replace(answer, reasoning="Hm. " * REASONING, finish_reason="length", usage=usage)

    half = changed(lambda answer, number: replace(answer, model="other" if number % 2 else ""))
    cached = changed(lambda answer, _: replace(answer, headers={"x-litellm-cache-hit": "True"}))
    off = ("--gen", "chat_template_kwargs.enable_thinking=false")
    most = ("--max-tokens", str(LIMIT))
    return [
        told(
            "half of the answers from another model",
            half,
            {"models": {"m": PROMPTS // 2, "other": PROMPTS // 2}},
        ),
        told("a cache that says so", cached, {"cache_hits": PROMPTS}),
        told(
            "one text for all samples of a prompt",
            varied_writer(),
            {"identical_samples": PROMPTS, "models": {"m": 2 * PROMPTS}},
            options=("--samples", "2"),
        ),
        told("reasoning that was asked off", changed(thought), {"reasoning_not_off": PROMPTS}, options=off),
        told(
            "a limit that is spent on reasoning",
            changed(reasoned, writer(LIMIT - REASONING)),
            {"limit_spent_on_reasoning": PROMPTS},
            options=most,
        ),
    ]


def spoilt() -> list[Experiment]:
    """Texts that were spoilt on their way, and turns that nobody had."""
    turn = "<|im_end|>\n<|im_start|>user\nAnd then?<|im_end|>"
    river_text = writer(60)({"messages": [{"content": "One for all"}]}, 0).text
    texts: Mapping[str, tuple[str, Callable[[Answer, int], Answer]]] = {
        "one text under all prompts": ("identical", lambda answer, _: replace(answer, text=river_text)),
        "characters that were decoded piece by piece": (
            "broken_text",
            lambda answer, _: replace(answer, text=answer.text.replace("e", "\ufffd\ufffd")),
        ),
        "an error's sentence as the text": (
            "error_text",
            lambda answer, _: replace(answer, text="The server is currently overloaded."),
        ),
        "reasoning and no text": (
            "reasoning_only",
            lambda answer, _: replace(answer, text="", reasoning="Hm."),
        ),
    }
    usage = {"prompt_tokens": 0, "completion_tokens": 0}  # that tells nothing
    return [
        told(
            "an end of turn in the text, and a turn behind it",
            changed(lambda answer, _: replace(answer, text=answer.text + turn)),
            {"control_tokens": {"<|im_end|>": PROMPTS}},
        ),
        *(
            told(
                name,
                changed(lambda answer, number, change=change: replace(change(answer, number), usage=usage)),
                {"suspects": {reason: PROMPTS}},
            )
            for name, (reason, change) in texts.items()
        ),
    ]


def experiments() -> list[Experiment]:
    """List all of them."""
    return [*ceilings(), *answerers(), *spoilt()]
