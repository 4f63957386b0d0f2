"""Runs from anywhere: the folders under given places, and which of them may be compared.

Reads each run's summary.json, and its scores.csv only when the rows are asked for.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from longbench_write.errors import UsageError
from longbench_write.runs.folder import MANIFEST, SCORES, SUMMARY
from longbench_write.scoring.rows import Row
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows


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
        return read_rows(self.path / SCORES, self.summary.others)


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
    folders: dict[Path, Path] = {}
    for place in places:
        if not place.is_dir():
            raise UsageError(f"{place} is no folder: name a run folder, or a folder with runs under it")
        for folder in _run_folders(place):
            folders.setdefault(folder.absolute(), folder)
    if not folders:
        raise UsageError(
            f"there is no run under {', '.join(map(str, places))}: make one with lbw-eval --model"
        )
    scored: list[Path] = []
    unscored: list[Path] = []
    for folder in folders.values():
        (scored if (folder / SUMMARY).exists() else unscored).append(folder)
    summaries = [Summary.read(folder / SUMMARY) for folder in scored]
    labels = _labels(scored, summaries)
    return Collection([Entry(*parts) for parts in zip(scored, summaries, labels, strict=True)], unscored)


def _run_folders(place: Path) -> Iterable[Path]:
    for folder, below, files in os.walk(place):
        below.sort()
        if MANIFEST in files or SUMMARY in files:
            below.clear()
            yield Path(folder)


def _labels(paths: Sequence[Path], summaries: Sequence[Summary]) -> list[str]:
    """Return each run's model and writer, with settings and at last the folder where others have the same."""
    labels = [
        summary.model if summary.writer == "direct" else f"{summary.model} + {summary.writer}"
        for summary in summaries
    ]
    for details in (_settings, _folders):
        same = defaultdict(list)
        for place, label in enumerate(labels):
            same[label, _comparable(summaries[place])].append(place)
        for places in same.values():
            if len(places) > 1:
                found = details([paths[place] for place in places], [summaries[place] for place in places])
                for place, detail in zip(places, found, strict=True):
                    labels[place] += detail
    return labels


def _settings(_: Sequence[Path], summaries: Sequence[Summary]) -> list[str]:
    """Return those settings that are not the same in all."""
    settings = [summary.settings | {"samples": summary.samples} for summary in summaries]
    names = [
        name
        for name in dict.fromkeys(chain(*settings))
        if len({str(each.get(name)) for each in settings}) > 1
    ]
    shown = [
        ", ".join(f"{name} {each[name]}" for name in names if each.get(name) is not None) for each in settings
    ]
    return [f" ({text})" if text else "" for text in shown]


def _folders(paths: Sequence[Path], _: Sequence[Summary]) -> list[str]:
    """Return as much of the end of the paths as differs in all."""
    depth = 1
    while len({path.parts[-depth:] for path in paths}) < len(paths):
        depth += 1
    return [f" [{'/'.join(path.parts[-depth:])}]" for path in paths]


def _comparable(summary: Summary) -> tuple[str, ...]:
    """Return what two summaries must have in common to be ranked together."""
    return (
        summary.suite,
        summary.suite_sha256,
        summary.prompts["sha256"],
        summary.judge or "",
        summary.judge_sha256 or "",
        summary.convention,
    )


def blocks(entries: Iterable[Entry]) -> list[Block]:
    """Return entries, parted so that only what is comparable stands together; the largest block first."""
    parted = defaultdict(list)
    for entry in entries:
        parted[_comparable(entry.summary)].append(entry)
    titles = _titles([group[0].summary for group in parted.values()])
    found = [Block(title, group) for title, group in zip(titles, parted.values(), strict=True)]
    return sorted(found, key=lambda block: (-len(block.entries), block.title))


def _titles(heads: Sequence[Summary]) -> list[str]:
    """Return what each block shares; hashes are shown only where names do not tell two blocks apart."""
    titles = [" · ".join((head.suite, _number(head), _judge(head))) for head in heads]
    for what in ("suite_sha256", "prompts", "judge_sha256", "convention"):
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


def _number(head: Summary) -> str:
    number = head.prompts["n"]
    return f"{number} prompt{'' if number == 1 else 's'}"


def _judge(head: Summary) -> str:
    return f"judge {head.judge}" if head.judge else "no judge"
