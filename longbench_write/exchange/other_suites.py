"""Suites that somebody's files may answer instead of the one that was named; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Set

from longbench_write.assets import assets
from longbench_write.suites.cards import load_card, suite_names
from longbench_write.suites.suite import Suite, load_suite

Task = tuple[str, int | None]
"""A prompt's text and its required length."""


def suite_of(tasks: Set[Task], named: Suite) -> str | None:
    """Return the suite at hand that has all of these tasks and the fewest others; None for the named one.

    Args:
        tasks: What the files answer.
        named: The suite that they were said to answer; it wins where no other is smaller.
    """
    fitting = {name: suite for name, suite in _at_hand() if tasks <= _tasks(suite)}
    best = min(fitting, key=lambda name: len(fitting[name].prompts), default=None)
    known = tasks <= _tasks(named)
    return None if best is None or (known and len(fitting[best].prompts) >= len(named.prompts)) else best


def _tasks(suite: Suite) -> set[Task]:
    return {(prompt.prompt, prompt.length) for prompt in suite.prompts}


def _at_hand() -> Iterator[tuple[str, Suite]]:
    """Yield the suites whose official files are here and as they should be, by the names that load them."""
    there = {found.asset.name for found in assets.verify() if found.state == "good"}
    for name in suite_names():
        card = load_card(name)
        if {asset for asset in (card.asset, card.english_asset) if asset} <= there:
            yield name, load_suite(name)
