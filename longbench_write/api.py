"""What the command line does, as functions: nothing is printed, results are values.

What the user should know is logged under "longbench_write"; pass an `Observer` to be told of each record.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longbench_write.config import RunConfig, build_config
from longbench_write.errors import UsageError
from longbench_write.runs.blocking import run_blocking
from longbench_write.runs.evaluation import start_evaluation, start_judging
from longbench_write.runs.observer import Observer
from longbench_write.runs.store import load_run
from longbench_write.scoring.summary import Summary

if TYPE_CHECKING:
    import pandas as pd

    from longbench_write.compare.collection import Entry
    from longbench_write.compare.comparison import Comparison

AnyPath = str | os.PathLike[str]
Places = AnyPath | Iterable[AnyPath]
"""A run folder, a folder with runs anywhere under it, or several of them."""

_log = logging.getLogger("longbench_write")


class LoggingObserver(Observer):
    """Logs what the user should know."""

    def note(self, text: str) -> None:
        """Log a sentence."""
        _log.info("%s", text)


def evaluate(config: RunConfig | None = None, *, progress: Observer | None = None, **options: Any) -> Summary:
    """Generate, judge and score: what `lbw-eval --model M` does. Works inside a running event loop too.

    Args:
        config: The whole configuration; None builds it from `options`.
        progress: Told what happens; None logs it under "longbench_write".
        options: The fields of `RunConfig`, `model` at least, in place of `config`.

    Raises:
        UsageError: The configuration is refused; nothing was spent.
        LbwError: The run could not be finished; the same call resumes it.
    """
    return run_blocking(lambda: evaluate_async(config, progress=progress, **options))


async def evaluate_async(
    config: RunConfig | None = None, *, progress: Observer | None = None, **options: Any
) -> Summary:
    """Do as `evaluate` does, awaited; cancelled, keep what was recorded, which the same call resumes.

    Args:
        config: As for `evaluate`.
        progress: As for `evaluate`.
        options: As for `evaluate`.

    Raises:
        UsageError: The configuration is refused; nothing was spent.
        LbwError: The run could not be finished; the same call resumes it.
    """
    settings = _settings(config, options)
    start = await asyncio.to_thread(start_evaluation, settings, progress or LoggingObserver())
    return (await start()).summary


def judge_run(run: AnyPath, *, progress: Observer | None = None, **options: Any) -> Summary:
    """Judge what a run has written, and score it: what `lbw-eval judge RUN` does.

    Args:
        run: The run folder.
        progress: Told what happens; None logs it under "longbench_write".
        options: The fields of `RunConfig` about the judge, and its limits.

    Raises:
        UsageError: It is no run folder, or there is no such judge.
        LbwError: It could not be finished; the same call resumes it.
    """
    folder = Path(run)
    settings = _settings(None, {"model": load_run(folder).manifest["model"]} | options)

    async def judged() -> Summary:
        start = await asyncio.to_thread(start_judging, folder, settings, progress or LoggingObserver())
        return (await start()).summary

    return run_blocking(judged)


def compare_runs(a: AnyPath, b: AnyPath, *, allow_different_judges: bool = False) -> Comparison:
    """Compare two runs, paired by prompt: what `lbw-eval compare A B` does. Differences are B - A.

    Args:
        a: The reference: a run folder, a baseline file, a summary.json or a scores.csv.
        b: The new run, likewise.
        allow_different_judges: Compare what different judges said, with a note.

    Raises:
        UsageError: The two are not comparable, or a place holds no scores.
        LbwError: They have no prompt in common, or cannot be read.
    """
    from longbench_write.compare.comparison import compare
    from longbench_write.compare.loading import load_scores

    return compare(load_scores(Path(a)), load_scores(Path(b)), allow_different_judges=allow_different_judges)


def leaderboard(places: Places = "results", *, sort: str = "S_bar") -> pd.DataFrame:
    """Rank runs with what they may be compared with; see `leaderboards.frame.leaderboard_frame`.

    Args:
        places: Where the runs are.
        sort: The metric to rank by.

    Raises:
        UsageError: There is no scored run, or no such metric.
    """
    from longbench_write.compare import ranking
    from longbench_write.leaderboards.frame import leaderboard_frame

    return leaderboard_frame(ranking.leaderboard(_scored(places), sort=sort))


def plot(
    places: Places = "results", *, out: AnyPath = "plots", formats: str | Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Draw runs into files: what `lbw-eval plot` does.

    Args:
        places: Where the runs are.
        out: The folder for the files.
        formats: "png", "svg", "pdf", or several of them.

    Returns:
        The files, in the order in which they were written.

    Raises:
        UsageError: There is no scored run, no such format, or a file cannot be written.
    """
    from longbench_write.plots.files import write_plots

    forms = (formats,) if isinstance(formats, str) else tuple(formats)
    return list(
        write_plots(_scored(places, lambda entry: entry.rows), Path(out), forms, LoggingObserver().note)
    )


def report(places: Places = "results", *, output: AnyPath = "report.html") -> Path:
    """Write one HTML page with leaderboard, plots and every response: what `lbw-eval report` does.

    Args:
        places: Where the runs are.
        output: The file.

    Raises:
        UsageError: There is no scored run, or the file cannot be written.
    """
    from longbench_write.files.output import output_file
    from longbench_write.reports import read_all, write_report

    path = Path(output)
    entries = _scored(places, read_all)
    with output_file(path) as target:
        write_report(entries, target)
    return path


def _settings(config: RunConfig | None, options: dict[str, Any]) -> RunConfig:
    """Return the configuration, given whole or by its fields; paths and tuples are taken where text is.

    Raises:
        UsageError: Both are given, or the fields are refused.
    """
    if config is not None:
        if options:
            raise UsageError(f"give a configuration or its fields, not both: {', '.join(sorted(options))}")
        return config
    return build_config({name: _plain(value) for name, value in options.items()})


def _plain(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _scored(places: Places, read: Callable[[Entry], object] | None = None) -> list[Entry]:
    """Return the scored runs in these places; log those that are not scored or cannot be read.

    Args:
        places: Where to look.
        read: What the caller needs of a run besides its summary.
    """
    from longbench_write.compare.collection import collect

    several = [Path(place) for place in ((places,) if isinstance(places, str | os.PathLike) else places)]
    found = collect(several, read) if read else collect(several)
    for folder in found.unscored:
        _log.warning("%s is not scored yet: score_run scores it", folder)
    found.check_any()
    for error in found.unreadable.values():
        _log.warning("left out: %s", error)
    return found.entries
