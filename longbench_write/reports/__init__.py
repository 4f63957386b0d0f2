"""The report: one HTML page, without any other file, to look at runs and read every response.

After its markup the page holds an index of all samples as JSON, the scripts, and last each sample's texts,
compressed, which the scripts unfold when they are asked for. Nothing is loaded from elsewhere, and a
Content-Security-Policy sees to that. A sample's address within the page is
`#run=LABEL&id=PROMPT&sample=NUMBER`, with `&with=LABEL` beside the same of another run; LABEL may also be the
name of the run's folder or of its model, and `sample` is 0 where it is left out.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from longbench_write.compare.collection import Entry
from longbench_write.compare.ranking import leaderboard
from longbench_write.reports.page import packed, page
from longbench_write.reports.samples import Index, responses
from longbench_write.reports.steps import read_steps


@dataclass(frozen=True)
class Contents:
    """What a report holds: the numbers of its runs and samples, and its bytes."""

    runs: int
    samples: int
    bytes: int


def read_all(entry: Entry) -> None:
    """Read all that the page needs of a run, so that one that cannot be read is known before it is begun.

    Raises:
        RunFolderError: The run's records or scores cannot be read.
    """
    _ = entry.rows
    for _ in responses(entry):
        pass
    read_steps(entry.path)


def write_report(entries: Iterable[Entry], target: BinaryIO) -> Contents:
    """Write the page about these runs; the same runs give the same bytes.

    At most one run's judgements and one response are in memory at a time; what is packed waits on the disk.

    Args:
        entries: The runs.
        target: Where the page goes.

    Raises:
        RunFolderError: A run's records or scores cannot be read.
    """
    rankings = leaderboard(entries)
    index = Index([ranked.entry for ranking in rankings for ranked in ranking.runs])
    with tempfile.TemporaryFile() as texts:
        for number, text in index.fill():
            texts.write(packed(number, text))
        length = target.write(page(rankings, index))
        texts.seek(0)
        shutil.copyfileobj(texts, target)
        length += texts.tell()
    return Contents(len(index.entries), len(index.samples), length)
