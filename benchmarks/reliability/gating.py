"""What the gate makes of a server's part in a fall: a ceiling, lost spaces, a system prompt of its own."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crash_tests import COMMAND, LENGTHS, Outcome, Trial
from servers.answers import Answer, AnswerFunction, judge_reply, writer

from benchmarks.reliability.rows import Experiment, Row, Whole

CEILING = 2500
"""Tokens of an answer, which are words at these servers; half of the prompts ask for more."""


def model(
    share: float = 1.0, *, ceiling: int | None = None, added: int = 0, spoil: Callable[[str], str] = str
) -> AnswerFunction:
    """A model that writes this share of what is asked, and its server.

    Args:
        share: Of the words that are asked for.
        ceiling: Tokens of an answer at most.
        added: Tokens that the server puts before each prompt.
        spoil: What becomes of each text on its way.
    """

    def answer(body: dict[str, Any], number: int) -> Answer:
        prompt = body["messages"][-1]["content"]
        (river,) = re.findall("[0-9]+", prompt)
        wanted = round(share * LENGTHS[int(river)])
        given = min(wanted, ceiling or wanted)
        cut = given < wanted
        text = writer(given)(body, number).text + ("" if cut else ".")
        usage = {"prompt_tokens": len(prompt) // 4 + 10 + added, "completion_tokens": given}
        return Answer(spoil(text), "length" if cut else "stop", usage=usage)

    return answer


def verdict(name: str, code: int, before: AnswerFunction, after: AnswerFunction) -> Experiment:
    """A baseline and a run, each with a server of its own, and the exit code that `check` must end with."""

    def experiment(place: Path, _: Whole) -> list[Row]:
        sides = []
        for side, written in (("before", before), ("after", after)):
            with Trial(place / side, written=written, judged=judge_reply()) as trial:
                done = trial.finish()
                if done.returncode:
                    return [Row(name, 1, Outcome(0, 0, 0, 0, False, done.stderr[-300:]))]
                sides.append(trial.run)
        words = ["check", str(sides[1]), "--baseline", str(sides[0]), "--metric", "S_l", "--json"]
        found = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)
        good = found.returncode == code
        said = "" if good else f"exit code {found.returncode}: {_messages(found)}"
        return [Row(f"{name}: check ends with {code}", 1, Outcome(0, 0, 0, 0, good, said))]

    return experiment


def _messages(found: subprocess.CompletedProcess[str]) -> str:
    if not found.stdout:
        return found.stderr[-300:]
    return "; ".join(finding["message"] for finding in json.loads(found.stdout)["findings"])


def experiments() -> list[Experiment]:
    """List all of them."""
    return [
        verdict("a ceiling at the run's server alone", 1, model(), model(ceiling=CEILING)),
        verdict(
            "a shorter model beside equal ceilings", 3, model(ceiling=CEILING), model(0.6, ceiling=CEILING)
        ),
        verdict("a shorter model behind a new ceiling", 3, model(), model(0.6, ceiling=CEILING)),
        verdict("a system prompt that the server put in", 1, model(), model(added=300)),
        verdict("words without spaces on their way", 1, model(), model(spoil=_glued)),
    ]


def _glued(text: str) -> str:
    """Return a text that lost most of its spaces."""
    return re.sub(r" (?=\w+ \w+ )", "", text)
