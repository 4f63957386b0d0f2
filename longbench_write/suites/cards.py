"""The cards of the suites: what benchmark_data says of each, by name and version.

A card's file is named for its suite; an earlier version that is still shipped stands beside it under its name
and version (lbw-open@1.0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from longbench_write.files.resources import data_root
from longbench_write.files.yaml_text import read_mapping


@dataclass(frozen=True, slots=True)
class SuiteCard:
    """What benchmark_data says about a suite.

    Attributes:
        short_name: Begins its prompts' ids.
        asset: Its official file, a name that `assets.fetch` knows; None for a suite of this project.
        file: The file in benchmark_data that a suite of this project is.
        written: How a suite of this project was written.
        cells: The table in benchmark_data that its distribution has to match.
        english_asset: The file whose prompts are the English ones; None lets the characters decide.
        prompts, languages, lengths: How many, how many of each, shortest and longest required length.
        ranges: How many prompts fall into each of `LENGTH_RANGES`.
        types: Types in other words, and what they are here.
        cluster_by: The field of its prompts that those of one topic share, such as "type", where they are not
            independent; "" where they are.
    """

    name: str
    short_name: str
    version: str
    description: str
    sha256: str
    source: str
    licence: str
    prompts: int
    languages: Mapping[str, int]
    lengths: Sequence[int]
    ranges: Sequence[int]
    citation: str = ""
    asset: str | None = None
    english_asset: str | None = None
    file: str | None = None
    written: str = ""
    cells: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    cluster_by: str = ""

    @property
    def full_name(self) -> str:
        """The name that means this version whatever version is current: "lbw-open@1.0"."""
        return f"{self.name}@{self.version}"


def suite_names() -> list[str]:
    """Return the names of the suites that have a card, earlier versions under name and version."""
    return sorted(path.stem for path in data_root("benchmark_data").glob("*.yaml"))


def load_card(name: str) -> SuiteCard:
    """Load the card of one of `suite_names`."""
    path = data_root("benchmark_data") / f"{name}.yaml"
    return SuiteCard(**read_mapping(path))


def card_name(name: str) -> str | None:
    """Return the one of `suite_names` that a name with or without a version means; None if it means none."""
    names = suite_names()
    plain, _, version = name.partition("@")
    if name in names or plain not in names:
        return name if name in names else None
    return plain if load_card(plain).version == version else None


def card_of_file(sha256: str) -> SuiteCard | None:
    """Return the card of the suite whose file has this sha256; None for a file that no card knows."""
    return next((card for card in map(load_card, suite_names()) if card.sha256 == sha256), None)


def earlier_versions(name: str) -> list[SuiteCard]:
    """Return the cards of a suite's versions before the current one, those that are shipped."""
    return [load_card(each) for each in suite_names() if each.startswith(f"{name}@")]
