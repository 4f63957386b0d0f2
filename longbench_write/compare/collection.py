"""Runs from anywhere: the folders under given places, and which of them may be compared.

Reads each run's summary.json, and its scores.csv only when the rows are asked for.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

from longbench_write.errors import RunFolderError, UsageError
from longbench_write.runs.folder import MANIFEST, SCORES, SUMMARY
from longbench_write.scoring.rows import Row
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows


def read_scored(folder: Path, summary: Summary) -> list[Row]:
    """Read a run's responses from its scores.csv.

    Raises:
        RunFolderError: That cannot be read, or is not of the same records as the summary.
    """
    rows = read_rows(folder / SCORES, summary.others)
    if len(rows) != summary.counts["generated"]:
        raise RunFolderError(
            f"{folder / SCORES} has {len(rows)} responses, {SUMMARY} {summary.counts['generated']}: "
            f"make both anew with `lbw-eval score {folder}`"
        )
    return rows


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
            RunFolderError: That cannot be read, or is not of the same records as the summary.
        """
        return read_scored(self.path, self.summary)


@dataclass(frozen=True)
class Collection:
    """What was found.

    Attributes:
        entries: The scored runs.
        unscored: The folders of runs that have no summary.json yet.
        unreadable: Why a run cannot be shown, by its folder.
    """

    entries: list[Entry]
    unscored: list[Path]
    unreadable: dict[Path, RunFolderError] = field(default_factory=dict)

    def check_any(self) -> None:
        """Raise what is wrong where there is nothing to show.

        Raises:
            UsageError: None of the runs is scored.
            RunFolderError: None of those that are can be read.
        """
        if self.entries:
            return
        for error in self.unreadable.values():
            raise error
        raise UsageError("none of these runs is scored yet: score them with lbw-eval score RUN")


@dataclass(frozen=True)
class Block:
    """Runs that may be ranked together: same suite, same prompts, same judge, same convention.

    Attributes:
        title: What they share, for a heading.
    """

    title: str
    entries: list[Entry]


def _nothing_else(_: Entry) -> None:
    """Read nothing besides the summary."""


def collect(places: Iterable[Path], read: Callable[[Entry], object] = _nothing_else) -> Collection:
    """Find the runs in these places: a run folder, or a folder with runs anywhere under it.

    Args:
        places: Where to look.
        read: Reads what the caller is going to need of a run besides its summary. A run of which that raises
            a RunFolderError is unreadable, and so is one whose summary cannot be read: it does not block the
            others.

    Raises:
        UsageError: A place is not there, or there is no run in any.
    """
    places = list(places)
    folders: dict[Path, tuple[Path, bool]] = {}
    for place in places:
        if not place.is_dir():
            raise UsageError(f"{place} is no folder: name a run folder, or a folder with runs under it")
        for folder, is_scored in _run_folders(place):
            folders.setdefault(folder.absolute(), (folder, is_scored))
    if not folders:
        raise UsageError(
            f"there is no run under {', '.join(map(str, places))}: make one with lbw-eval --model"
        )
    summaries: dict[Path, Summary] = {}
    unreadable: dict[Path, RunFolderError] = {}
    for folder, is_scored in folders.values():
        if is_scored:
            with _leaving_out(folder, unreadable):
                summaries[folder] = Summary.read(folder / SUMMARY)
    entries = []
    for parts in zip(summaries, summaries.values(), _labels(summaries), strict=True):
        entry = Entry(*parts)
        with _leaving_out(entry.path, unreadable):
            read(entry)
            entries.append(entry)
    unscored = [folder for folder, is_scored in folders.values() if not is_scored]
    return Collection(entries, unscored, unreadable)


@contextmanager
def _leaving_out(folder: Path, unreadable: dict[Path, RunFolderError]) -> Iterator[None]:
    """Note that a run cannot be read, and go on."""
    try:
        yield
    except RunFolderError as error:
        unreadable[folder] = error


def _run_folders(place: Path) -> Iterator[tuple[Path, bool]]:
    """Yield each run folder under a place, and whether it has a summary.json."""
    for folder, below, files in os.walk(place):
        below.sort()
        if MANIFEST in files or SUMMARY in files:
            below.clear()
            yield Path(folder), SUMMARY in files


def _labels(runs: Mapping[Path, Summary]) -> list[str]:
    """Return each run's model and writer, with settings and at last the folder where others have the same."""
    paths, summaries = list(runs), list(runs.values())
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
