"""The checks of a prompt list; each names its faults by the prompts' ids and changes nothing."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from longbench_write.files.resources import data_root
from longbench_write.suites.checks.fault import Fault
from longbench_write.suites.checks.mirrors import check_mirrors
from longbench_write.suites.checks.overlap import Alike, near_duplicates, shared_runs
from longbench_write.suites.checks.stated import Stated, stated_lengths
from longbench_write.suites.suite import Prompt, Suite, language_of, length_range

PromptCell = tuple[str, str, int | None]
"""Type, language and required length; None where none is required."""

CELLS = "cells.csv"
"""How many prompts of each cell longbench-write has; the table in benchmark_data."""


def read_cells(path: Path | None = None) -> Counter[PromptCell]:
    """Read a table of cells; without a path, that of longbench-write."""
    path = path or data_root("benchmark_data") / CELLS
    with path.open(encoding="utf-8", newline="") as file:
        return Counter(
            {(r["type"], r["language"], int(r["length"])): int(r["prompts"]) for r in csv.DictReader(file)}
        )


def check_length(prompts: Iterable[Prompt]) -> list[Fault]:
    """Check that the length that a prompt states is its `length` under its `length_rule`, if it has one.

    A prompt that says not to state its length (`length_stated`) must not.
    """
    faults = []
    for prompt in prompts:
        stated = stated_lengths(prompt.prompt)
        if prompt.length is None:
            faults.append(_without_length(prompt, stated))
            continue
        right = [s for s in stated if s.agrees(prompt.length, prompt.length_bounds)]
        if prompt.length_rule is not None:
            right = [s for s in right if s.rule == prompt.length_rule]
        if bool(right) == prompt.length_stated:
            continue
        said = _said(stated)
        if not prompt.length_stated:
            faults.append(Fault("length", (prompt.id,), f"the prompt states {said}, length_stated is false"))
            continue
        bounds = f" {prompt.length_bounds[0]}-{prompt.length_bounds[1]}" if prompt.length_bounds else ""
        rule = f" ({prompt.length_rule}{bounds})" if prompt.length_rule else ""
        faults.append(
            Fault("length", (prompt.id,), f"the prompt states {said}, its length is {prompt.length}{rule}")
        )
    return faults


def _without_length(prompt: Prompt, stated: Sequence[Stated]) -> Fault:
    return Fault(
        "length", (prompt.id,), f"the prompt states {_said(stated)}, its length is null: it has no S_l"
    )


def _said(stated: Sequence[Stated]) -> str:
    return ", ".join(f"{s.text!r} ({s.rule})" for s in stated) or "no length"


def check_distribution(prompts: Sequence[Prompt]) -> list[Fault]:
    """Check that each type, language, length range and length has as many prompts as in longbench-write."""
    cells = read_cells()
    have = Counter((prompt.type, prompt.language, prompt.length) for prompt in prompts)
    if cells.total() != have.total():
        text = f"{have.total()} prompts, longbench-write has {cells.total()}"
        return [Fault("distribution", (), text)]
    views: tuple[Callable[[PromptCell], str], ...] = (
        lambda cell: f"{cell[0]}, {cell[1]}, {length_range(cell[2]) if cell[2] else 'no required length'}",
        lambda cell: f"required length {cell[2]}" if cell[2] else "no required length",
    )
    return [
        Fault("distribution", (), f"{what}: {got} prompts, longbench-write has {wanted}")
        for view in views
        for what, got, wanted in _differences(_regrouped(have, view), _regrouped(cells, view))
    ]


def _regrouped(cells: Mapping[PromptCell, int], key: Callable[[PromptCell], str]) -> Counter[str]:
    groups: Counter[str] = Counter()
    for cell, number in cells.items():
        groups[key(cell)] += number
    return groups


def _differences(have: Counter[str], wanted: Counter[str]) -> list[tuple[str, int, int]]:
    return [(what, have[what], wanted[what]) for what in wanted | have if have[what] != wanted[what]]


def check_types(prompts: Iterable[Prompt]) -> list[Fault]:
    """Check that each type is one of longbench-write's."""
    known = sorted({kind for kind, _, _ in read_cells()})
    return [
        Fault("types", (prompt.id,), f"the type {prompt.type!r} is none of {', '.join(known)}")
        for prompt in prompts
        if prompt.type not in known
    ]


_ASKS_FOR = {"en": re.compile("英文|英语"), "zh": re.compile(r"\bChinese\b")}
"""How a prompt in the other script asks for an answer in a language."""


def check_language(prompts: Iterable[Prompt]) -> list[Fault]:
    """Check that an English or Chinese prompt is written in that script, or asks for that language."""
    return [
        Fault("language", (prompt.id,), f"recorded as {prompt.language}, written in {written}")
        for prompt in prompts
        if (asks_for := _ASKS_FOR.get(prompt.language))
        and (written := language_of(prompt.prompt)) != prompt.language
        and not asks_for.search(prompt.prompt)
    ]


def check_duplicates(prompts: Sequence[Prompt]) -> list[Fault]:
    """Check that no two prompts are the same, nearly the same, or on the same topic."""
    faults = [_alike(found) for found in near_duplicates(prompts)]
    first: dict[str, Prompt] = {}
    for prompt in prompts:
        topic = " ".join(prompt.topic.lower().split())
        if topic and topic in first:
            faults.append(
                Fault("duplicates", (first[topic].id, prompt.id), f"both are on the topic {prompt.topic!r}")
            )
        first.setdefault(topic, prompt)
    return faults


def _alike(found: Alike) -> Fault:
    share = f"{round(100 * found.shared)}%"
    what = f"{share} of the shorter one is the other's too"
    if len(found.prompts) > 2:
        what = f"these {len(found.prompts)} prompts are alike: {share} or more of each is another one's too"
    lines = [prompt.line for prompt in found.prompts if prompt.line is not None]
    where = f" (lines {_spans(lines)})" if lines else ""
    return Fault("duplicates", tuple(prompt.id for prompt in found.prompts), what + where)


def _spans(numbers: Sequence[int]) -> str:
    """Return rising numbers such as "1-3, 7"."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{low}-{high}" if high > low else f"{low}" for low, high in spans)


def check_overlap(prompts: Iterable[Prompt], official: Iterable[Prompt]) -> list[Fault]:
    """Check that no run of 8 words or 12 ideographs occurs in an official prompt too."""
    return [
        Fault("overlap", (prompt.id,), f"shares {text!r} with {other.id}")
        for prompt, other, text in shared_runs(prompts, official)
    ]


CHECKS: dict[str, Callable[[Sequence[Prompt]], list[Fault]]] = {
    "length": check_length,
    "distribution": check_distribution,
    "types": check_types,
    "language": check_language,
    "duplicates": check_duplicates,
}
"""The checks that need nothing but the list."""
AGAINST_OFFICIAL: dict[str, Callable[[Sequence[Prompt], Sequence[Prompt]], list[Fault]]] = {
    "overlap": check_overlap,
    "mirrors": check_mirrors,
}
"""The checks that need the official prompts too."""


def check_suite(suite: Suite, *, official: Sequence[Prompt] = (), skip: Sequence[str] = ()) -> list[Fault]:
    """Return all faults of a suite, check by check.

    Args:
        suite: The suite.
        official: The official prompts; without any, the checks that need them are left out.
        skip: Names of checks to leave out.
    """
    faults = [fault for name, check in CHECKS.items() if name not in skip for fault in check(suite.prompts)]
    against = {name: check for name, check in AGAINST_OFFICIAL.items() if official and name not in skip}
    return faults + [fault for check in against.values() for fault in check(suite.prompts, official)]
