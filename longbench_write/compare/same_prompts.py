"""Whether two runs are about the same prompts, whatever files those came in, and what is left of each if not.

A suite's file is known by its sha256, which differs where only a line end or a blank line does. What decides
is each prompt as it was read: its text, and the length that it asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from longbench_write.compare.scores import RunScores
from longbench_write.errors import UsageError, shorten
from longbench_write.runs.manifest import prompts_of


def same_prompts(a: RunScores, b: RunScores) -> bool:
    """Return whether two runs are about the same selection of prompts, each of them unchanged.

    Args:
        a: The reference, which says what it is about.
        b: The new run, likewise.
    """
    if a.info is None or b.info is None or _selection(a) != _selection(b):
        return False
    common = a.prompt_contents.keys() & b.prompt_contents.keys()
    return bool(common) and not _changed(a, b)


def changed_words(a: RunScores, b: RunScores) -> str:
    """Return how many prompts have changed between two runs; "" where that is not known, or none is left."""
    common = a.prompt_contents.keys() & b.prompt_contents.keys()
    changed = _changed(a, b)
    if len(changed) == len(common):
        return ""
    alone = [len(each.prompt_contents.keys() - common) for each in (a, b)]
    parts = [f"{alone[0]} more are in A alone"] * bool(alone[0])
    parts += [f"{alone[1]} more are in B alone"] * bool(alone[1])
    such = f", such as {shorten(min(changed), 40)}" if changed else ""
    return "; ".join([f"of {len(common)} prompts of one id {len(changed)} have changed{such}", *parts])


def unchanged_alone(a: RunScores, b: RunScores) -> tuple[RunScores, RunScores, str]:
    """Return two runs with the prompts alone that are in both and have not changed, and a note of it.

    Args:
        a: The reference.
        b: The new run.

    Returns:
        Both as they are, and "", where they are of one suite.

    Raises:
        UsageError: One does not say what its prompts were, or there is no such prompt.
    """
    if a.info is None or b.info is None:
        return a, b, ""
    if a.info.suite_sha256 == b.info.suite_sha256 or same_prompts(a, b):
        return a, b, ""
    for scores in (a, b):
        if not scores.prompt_contents:
            raise UsageError(
                f"{scores.source} does not say what its prompts were, so that it cannot be told which are "
                "unchanged: name a run folder, or a baseline that this version made from one"
            )
    kept = a.prompt_contents.keys() & b.prompt_contents.keys() - _changed(a, b)
    if not kept:
        raise UsageError(f"no prompt of {a.source} stands unchanged in {b.source}: nothing can be compared")
    note = f"the suites differ, and the {len(kept)} unchanged prompts are compared: {changed_words(a, b)}"
    return _only(a, kept), _only(b, kept), note


def _selection(scores: RunScores) -> Any:
    return scores.info and (scores.info.prompts["n"], scores.info.prompts["sha256"])


def _changed(a: RunScores, b: RunScores) -> set[str]:
    """Return the prompts of one id that were read as other prompts."""
    common = a.prompt_contents.keys() & b.prompt_contents.keys()
    return {prompt for prompt in common if a.prompt_contents[prompt] != b.prompt_contents[prompt]}


def _only(scores: RunScores, kept: set[str]) -> RunScores:
    """Return a run as if it were about these prompts alone."""

    def among(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
        return None if values is None else {name: value for name, value in values.items() if name in kept}

    if scores.info is None:
        return scores
    fewer = among(scores.info.prompts.get("samples"))
    prompts = prompts_of(kept) | ({"samples": fewer} if fewer else {})
    return replace(
        scores,
        info=replace(scores.info, prompts=prompts),
        responses={key: response for key, response in scores.responses.items() if key[0] in kept},
        kept_hashes=among(scores.prompt_hashes),
        kept_tokens=among(scores.prompt_tokens),
        kept_contents=among(scores.prompt_contents),
        kept_made={key: made for key, made in scores.made.items() if key[0] in kept},
        kept_asked=among(scores.asked),
    )
