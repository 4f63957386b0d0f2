"""Precision and recall of the flags on the texts of tests/scoring/flag_texts.

`python tests/flag_rates.py` prints them. Only the held-out half is reported; to tune a detector,
look at the other half.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samples import predicted

from longbench_write.scoring.flags import flags_of

TEXTS = Path(__file__).parent / "scoring" / "flag_texts"


@dataclass(frozen=True)
class Rates:
    """How a flag did.

    Attributes:
        flag: What was looked for.
        found, false, missed: Texts that have it and were flagged, that were flagged without having it, and
            that have it and were not flagged.
        clean: Texts that neither have it nor were flagged.
    """

    flag: str
    found: int
    false: int
    missed: int
    clean: int

    @property
    def precision(self) -> float:
        """The share of the flagged texts that have it."""
        return self.found / (self.found + self.false)

    @property
    def recall(self) -> float:
        """The share of the texts that have it which were flagged."""
        return self.found / (self.found + self.missed)


def flag_rates(half: str = "held_out") -> list[Rates]:
    """Measure the flags on one half of the texts.

    There are few texts that decline for their length, so both ways to decline are also counted as one.

    Args:
        half: "held_out", or "tune".
    """
    answers = [(entry["label"], _flags(entry["text"])) for entry in entries("refusal", half)]
    loops = [
        (entry["label"] == "loop", "repetitive" in _flags(_built(entry)))
        for entry in entries("repetition", half)
    ]
    languages = [
        (
            entry["language"] != entry["language_asked"],
            "wrong_language" in _flags(entry["text"], entry["language_asked"]),
        )
        for entry in entries("language", half)
    ]
    return [
        _rates("refused", [(label == "refusal", "refused" in found) for label, found in answers]),
        _rates(
            "declined_length",
            [(label == "declined_length", "declined_length" in found) for label, found in answers],
        ),
        _rates(
            "refused or declined_length",
            [(label != "none", bool(found & {"refused", "declined_length"})) for label, found in answers],
        ),
        _rates("repetitive", loops),
        _rates("wrong_language", languages),
    ]


def _flags(text: str, language: str = "en") -> frozenset[str]:
    """Return what a response shows that is to be in this language, as scoring finds it."""
    return flags_of(predicted(response=text, answer_language=language)).flags


def entries(name: str, half: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of one half of a file."""
    lines = (TEXTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    yield from (entry for entry in map(json.loads, lines) if entry["half"] == half)


def _built(entry: dict[str, Any]) -> str:
    """Return the text of an entry of repetition.jsonl."""
    lines = (TEXTS / "bodies.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = {body["id"]: body["text"] for body in map(json.loads, lines)}
    kinds: dict[str, Callable[[dict[str, Any]], str]] = {
        "body": lambda part: bodies[part["body"]],
        "text": lambda part: part["text"] * part["times"],
        "template": lambda part: "".join(
            part["template"].replace("{n}", str(n)) for n in range(part["from"], part["to"] + 1)
        ),
    }
    return "".join(kinds[next(iter(part))](part) for part in entry["parts"])


def _rates(flag: str, pairs: list[tuple[bool, bool]]) -> Rates:
    return Rates(
        flag,
        found=sum(has and flagged for has, flagged in pairs),
        false=sum(flagged and not has for has, flagged in pairs),
        missed=sum(has and not flagged for has, flagged in pairs),
        clean=sum(not has and not flagged for has, flagged in pairs),
    )


if __name__ == "__main__":
    for rates in flag_rates():
        print(  # noqa: T201
            f"{rates.flag}: precision {rates.precision:.3f}, recall {rates.recall:.3f} ({rates.found} found, "
            f"{rates.false} false, {rates.missed} missed, {rates.clean} neither)"
        )
