"""Runs from anywhere: the folders under given places, and which of them may be compared.

Reads each run's summary.json, and its scores.csv only when the rows are asked for.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from longbench_write.errors import UsageError
from longbench_write.results import read_rows
from longbench_write.runs import MANIFEST, SCORES, SUMMARY
from longbench_write.scoring import Row
from longbench_write.summary import Summary


@dataclass(frozen=True)
class Entry:
    """A scored run.

    Attributes:
        path: Its folder.
        summary: What its summary.json holds.
        label: Tells it from the other runs that it was found with: the model's name, and what else differs.
    """

    path: Path
    summary: Summary
    label: str

    @cached_property
    def rows(self) -> list[Row]:
        """Its responses, from scores.csv.

        Raises:
            RunFolderError: That cannot be read.
        """
        return read_rows(self.path / SCORES)


@dataclass(frozen=True)
class Collection:
    """What was found: the scored runs, and the folders of runs that have no summary.json yet."""

    entries: list[Entry]
    unscored: list[Path]


@dataclass(frozen=True)
class Block:
    """Runs that may be ranked together: same suite, same prompts, same judge, same convention.

    Attributes:
        title: What they share, for a heading.
    """

    title: str
    entries: list[Entry]


def collect(places: Iterable[Path]) -> Collection:
    """Find the runs in these places: a run folder, or a folder with runs anywhere under it.

    Raises:
        UsageError: A place is not there, or there is no run in any.
        RunFolderError: A summary.json cannot be read.
    """
    places = list(places)
    folders: dict[Path, None] = {}
    for place in places:
        if not place.is_dir():
            raise UsageError(f"{place} is no folder: name a run folder, or a folder with runs under it")
        folders.update(dict.fromkeys(_run_folders(place)))
    if not folders:
        raise UsageError(
            f"there is no run under {', '.join(map(str, places))}: make one with lbw-eval --model"
        )
    scored = [folder for folder in folders if (folder / SUMMARY).exists()]
    summaries = [Summary.read(folder / SUMMARY) for folder in scored]
    entries = [
        Entry(folder, summary, label)
        for folder, summary, label in zip(scored, summaries, _labels(scored, summaries), strict=True)
    ]
    return Collection(entries, [folder for folder in folders if folder not in set(scored)])


def _run_folders(place: Path) -> Iterable[Path]:
    for folder, below, files in os.walk(place):
        below.sort()
        if MANIFEST in files or SUMMARY in files:
            below.clear()
            yield Path(folder)


def _labels(paths: Sequence[Path], summaries: Sequence[Summary]) -> list[str]:
    """Each run's model, with its writer, its settings and at last its folder where others have the same."""
    labels = [summary.model for summary in summaries]
    for more in (_writer, _settings, _folder):
        same = defaultdict(list)
        for place, label in enumerate(labels):
            same[label, _comparable(summaries[place])].append(place)
        for places in same.values():
            if len(places) > 1:
                details = [more(paths[place], summaries[place]) for place in places]
                if len(set(details)) > 1:
                    for place, detail in zip(places, details, strict=True):
                        labels[place] += f" {detail}" if detail else ""
    return labels


def _writer(_: Path, summary: Summary) -> str:
    return "" if summary.writer == "direct" else f"+ {summary.writer}"


def _settings(_: Path, summary: Summary) -> str:
    return f"({', '.join(f'{name} {value}' for name, value in summary.settings.items())})"


def _folder(path: Path, _: Summary) -> str:
    return f"[{path.name}]"


def _comparable(summary: Summary) -> tuple[str, ...]:
    """What two summaries must have in common to be ranked together."""
    return (
        summary.suite,
        summary.suite_sha256,
        summary.prompts["sha256"],
        summary.judge or "",
        summary.judge_sha256 or "",
        summary.convention,
    )


def blocks(entries: Iterable[Entry]) -> list[Block]:
    """Entries, parted so that only what is comparable stands together; the largest block first."""
    parted = defaultdict(list)
    for entry in entries:
        parted[_comparable(entry.summary)].append(entry)
    titles = _titles([group[0].summary for group in parted.values()])
    found = [Block(title, group) for title, group in zip(titles, parted.values(), strict=True)]
    return sorted(found, key=lambda block: (-len(block.entries), block.title))


def _titles(heads: Sequence[Summary]) -> list[str]:
    """What each block shares; hashes are shown only where names do not tell two blocks apart."""
    titles = [
        f"{head.suite} · {head.prompts['n']} prompts · {f'judge {head.judge}' if head.judge else 'no judge'}"
        for head in heads
    ]
    for what in ("suite_sha256", "prompts", "judge_sha256"):
        for title in {title for title in titles if titles.count(title) > 1}:
            places = [place for place, other in enumerate(titles) if other == title]
            marks = [_mark(heads[place], what) for place in places]
            if len(set(marks)) > 1:
                for place, mark in zip(places, marks, strict=True):
                    titles[place] += f" · {what.removesuffix('_sha256')} {mark}"
    return titles


def _mark(summary: Summary, what: str) -> str:
    value = getattr(summary, what)
    return str(value["sha256"] if isinstance(value, dict) else value)[:8]
